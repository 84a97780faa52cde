import { createHash } from 'node:crypto'
import { type KMSClient, SignCommand } from '@aws-sdk/client-kms'
import { derToJose } from 'ecdsa-sig-formatter'
import type { Signature, SignedFacts } from '../../domain/license.ts'
import { signingInput } from '../../domain/license-file.ts'
import type { PublicKey } from './public-keys.ts'

export type LicenseSigner = (facts: SignedFacts) => Promise<Signature>

/**
 * Signs license files with the active KMS key: ES256 over the digest (`MessageType: DIGEST` has no size limit, RAW
 * ends at 4,096 bytes); KMS answers DER, JOSE wants r‖s (RFC 7518, section 3.4).
 */
export function licenseSigner(kms: KMSClient, keys: readonly PublicKey[], issuer: string): LicenseSigner {
  const active = keys.find((key) => key.state === 'active')
  if (active === undefined)
    throw new Error('No signing key is active; SIGNING_KEY_IDS needs at least two keys')
  return async (facts) => {
    const digest = createHash('sha256')
      .update(signingInput(facts, issuer, active.kid))
      .digest()
    const { Signature: der } = await kms.send(
      new SignCommand({
        KeyId: active.keyId,
        Message: digest,
        MessageType: 'DIGEST',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    )
    if (der === undefined) throw new Error('KMS answered Sign without a signature')
    return { kid: active.kid, value: derToJose(Buffer.from(der), 'ES256') }
  }
}
