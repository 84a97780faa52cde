import { createPublicKey } from 'node:crypto'
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms'
import * as z from 'zod'

const Ed25519Jwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.base64url() })

/** The public half of the key that signs checkpoints: 32 bytes. */
export async function loadAuditKey(kms: KMSClient, keyId: string): Promise<Uint8Array> {
  const { PublicKey: der } = await kms.send(new GetPublicKeyCommand({ KeyId: keyId }))
  if (der === undefined) throw new Error(`KMS answered GetPublicKey of ${keyId} without a key`)
  const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
  return Buffer.from(Ed25519Jwk.parse(key.export({ format: 'jwk' })).x, 'base64url')
}

/** Signs a text; 64 bytes. */
export type AuditSigner = (text: string) => Promise<Uint8Array>

/** Pure Ed25519 by a KMS key: RAW, at most 4,096 bytes; a checkpoint has about 150. */
export const auditSigner =
  (kms: KMSClient, keyId: string): AuditSigner =>
  async (text) => {
    const { Signature } = await kms.send(
      new SignCommand({
        KeyId: keyId,
        Message: Buffer.from(text),
        MessageType: 'RAW',
        SigningAlgorithm: 'ED25519_SHA_512',
      }),
    )
    if (Signature === undefined) throw new Error('KMS answered Sign without a signature')
    return Signature
  }
