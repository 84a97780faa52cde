import { SignJWT } from 'jose'
import type { Verdict } from '../../domain/verdict.ts'
import { epochSeconds } from '../time.ts'
import type { SessionKeys } from './session-keys.ts'

/** `typ` of a signed verdict, so that it never passes for a license file. */
const VERDICT_TYP = 'verdict+jwt'

/**
 * A verdict as a JWS, valid until the next check is due and bound to the nonce the caller chose, so that an old answer
 * cannot be played back. Signed by a session key: no KMS call per verdict.
 */
export async function signVerdict(
  verdict: Verdict,
  nonce: string,
  issuer: string,
  keys: SessionKeys,
): Promise<string> {
  const { kid, privateKey } = await keys.current(verdict.checkedAt)
  return new SignJWT({ nonce, verdict })
    .setProtectedHeader({ alg: 'ES256', typ: VERDICT_TYP, kid })
    .setIssuer(issuer)
    .setIssuedAt(epochSeconds(verdict.checkedAt))
    .setExpirationTime(epochSeconds(verdict.nextCheckAfter))
    .setSubject(verdict.license?.id ?? 'unknown')
    .sign(privateKey)
}
