import { createHash } from 'node:crypto'
import { type KMSClient, SignCommand } from '@aws-sdk/client-kms'
import { derToJose } from 'ecdsa-sig-formatter'
import type { PublicKey } from './public-keys.ts'

/**
 * Signs with a KMS P-256 key: ES256 over the digest (`MessageType: DIGEST` has no size limit, RAW ends at 4,096 bytes);
 * KMS answers DER, JOSE wants r‖s (RFC 7518, section 3.4).
 *
 * @returns the third part of a compact JWS whose first two are `input`
 */
export async function signEs256(kms: KMSClient, key: PublicKey, input: string): Promise<string> {
  const { Signature: der } = await kms.send(
    new SignCommand({
      KeyId: key.keyId,
      Message: createHash('sha256').update(input).digest(),
      MessageType: 'DIGEST',
      SigningAlgorithm: 'ECDSA_SHA_256',
    }),
  )
  if (der === undefined) throw new Error('KMS answered Sign without a signature')
  return derToJose(Buffer.from(der), 'ES256')
}

/** The one of several keys that signs; the next is published before it does. */
export function activeKey(keys: readonly PublicKey[]): PublicKey {
  const active = keys.find(({ state }) => state === 'active')
  if (active === undefined) throw new Error('No signing key is active: at least two have to be configured')
  return active
}
