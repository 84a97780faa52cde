import { createPublicKey, type KeyObject } from 'node:crypto'
import { GetPublicKeyCommand, type KMSClient } from '@aws-sdk/client-kms'
import { calculateJwkThumbprint } from 'jose'
import * as z from 'zod'

/** The public half of a P-256 key as the JWKS shows it (RFC 7517). */
const PublicJwk = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
})

export type PublicKey = {
  readonly keyId: string
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly jwk: z.infer<typeof PublicJwk>
  readonly key: KeyObject
  /** `next` is published before it signs, `retired` after, for as long as files signed with it live. */
  readonly state: 'next' | 'active' | 'retired'
}

/** The public halves of keys that sign. Oldest first as configured: the last is next, the one before active. */
export async function loadPublicKeys(kms: KMSClient, keyIds: readonly string[]): Promise<PublicKey[]> {
  return Promise.all(
    keyIds.map(async (keyId, index) => {
      const { PublicKey: der } = await kms.send(new GetPublicKeyCommand({ KeyId: keyId }))
      if (der === undefined) throw new Error(`KMS answered GetPublicKey of ${keyId} without a key`)
      return publicKey(
        keyId,
        createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' }),
        stateOf(index, keyIds.length),
      )
    }),
  )
}

export async function publicKey(
  keyId: string,
  key: KeyObject,
  state: PublicKey['state'],
): Promise<PublicKey> {
  const jwk = PublicJwk.parse(key.export({ format: 'jwk' }))
  return { keyId, kid: await calculateJwkThumbprint(jwk), jwk, key, state }
}

function stateOf(index: number, count: number): PublicKey['state'] {
  if (index === count - 1) return 'next'
  return index === count - 2 ? 'active' : 'retired'
}
