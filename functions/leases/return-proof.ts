import { compactVerify, errors, importJWK } from 'jose'
import * as z from 'zod'
import type { Borrowing, PublicKey } from '../../shared/domain/borrowing.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'

/** `typ` of what a machine signs when it has disabled its copy of a borrowed license. */
const RETURN_TYP = 'return+jwt'

const Claims = z.object({ jti: z.string() })

/**
 * How a borrowed license comes back. Where the machine gave its public key, it has to sign that it disabled its copy: a
 * JWS (ES256, `typ: return+jwt`) of the `jti` of the borrowed token. Without, nobody knows, and the event says so.
 */
export async function provenReturn(
  { jti, publicKey }: Borrowing,
  proof: string | undefined,
): Promise<'proven' | 'unproven' | Refusal> {
  if (publicKey === undefined) return 'unproven'
  if (proof === undefined) return notProven('The machine that borrowed it has to sign its return.')
  const claims = Claims.safeParse(await verified(proof, publicKey))
  if (claims.success && claims.data.jti === jti) return 'proven'
  return notProven('The proof is not signed by the machine that borrowed it, or is for another license.')
}

const notProven = (detail: string) => refuse('RETURN_NOT_PROVEN', detail)

async function verified(proof: string, publicKey: PublicKey): Promise<unknown> {
  try {
    const key = await importJWK(publicKey, 'ES256')
    const { payload, protectedHeader } = await compactVerify(proof, key, { algorithms: ['ES256'] })
    return protectedHeader.typ === RETURN_TYP ? JSON.parse(new TextDecoder().decode(payload)) : undefined
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Is it a point of the curve? What is none could never prove anything. */
export async function checkPublicKey(publicKey: PublicKey | undefined): Promise<Refusal | undefined> {
  if (publicKey === undefined) return undefined
  try {
    await importJWK(publicKey, 'ES256')
    return undefined
  } catch {
    return refuse('INVALID_REQUEST', 'The public key is none.', {
      errors: [{ field: '/body/publicKey', message: 'is no point of P-256' }],
    })
  }
}
