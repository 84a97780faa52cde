import { createHmac, createSecretKey } from 'node:crypto'
import { GenerateMacCommand, type KMSClient } from '@aws-sdk/client-kms'

/** HMAC by a KMS key that never leaves KMS; 32 or 64 bytes by the key's spec. */
export async function kmsMac(
  kms: KMSClient,
  keyId: string,
  algorithm: 'HMAC_SHA_256' | 'HMAC_SHA_512',
  message: string,
): Promise<Uint8Array> {
  const { Mac } = await kms.send(
    new GenerateMacCommand({ KeyId: keyId, MacAlgorithm: algorithm, Message: Buffer.from(message) }),
  )
  if (Mac === undefined) throw new Error('KMS answered GenerateMac without a Mac')
  return Mac
}

/** The secrets of one function, derived from one KMS key by purpose (NIST SP 800-108, HMAC in counter mode). */
export type Secrets = {
  /** Keyed hash under which license keys are looked up. */
  licenseKeyHash(key: string): string
  /** Keyed hash of a token's secret. */
  tokenHash(secret: string): string
  /** What tenants are told of a credential of the vendor's staff, by its subject. */
  staffAlias(subject: string): string
  /** Keyed hash of what identifies a machine. */
  fingerprintHash(text: string): string
  readonly sealingKey: Uint8Array
  readonly cursorKey: Uint8Array
  /** Under which is sealed how far audit logs were checked. */
  readonly checkKey: Uint8Array
  /** Under which lease and ticket ids are sealed. */
  readonly leaseKey: Uint8Array
  /** From which the secrets of webhook endpoints are derived. */
  readonly webhookKey: Uint8Array
  /** Under which links to keep a seat are sealed. */
  readonly keepKey: Uint8Array
  /** Under which links to unsubscribe and addresses of calendars are sealed. */
  readonly noticeKey: Uint8Array
}

/** One KMS call in the life of a function; the secrets are derived from its answer. */
export async function loadSecrets(kms: KMSClient, credentialKeyId: string): Promise<Secrets> {
  const root = await kmsMac(kms, credentialKeyId, 'HMAC_SHA_256', 'latchkey/credentials/1')
  const derive = (purpose: string) => createHmac('sha256', root).update(`latchkey/${purpose}/1`).digest()
  const hashed = (purpose: string) => {
    // Of a key of bytes Node.js takes four times as long to find out what it is; see sha256.ts.
    const pepper = createSecretKey(derive(purpose))
    return (text: string) => createHmac('sha256', pepper).update(text).digest('base64url')
  }
  const aliasOf = hashed('staff-alias')
  return {
    licenseKeyHash: hashed('license-key-hash'),
    tokenHash: hashed('token-hash'),
    staffAlias: (subject) => `staff_${aliasOf(subject).slice(0, 22)}`,
    fingerprintHash: hashed('fingerprint-hash'),
    sealingKey: derive('reply-seal'),
    cursorKey: derive('cursor'),
    checkKey: derive('log-checks'),
    leaseKey: derive('lease'),
    webhookKey: derive('webhooks'),
    keepKey: derive('keep-seats'),
    noticeKey: derive('notices'),
  }
}
