import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import type { WebhookId } from '../ids.ts'
import { epochSeconds, type Instant } from '../time.ts'

/** Before the seed of an Ed25519 private key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
/** Bytes of an Ed25519 public key, at the end of its SPKI. */
const PUBLIC_BYTES = 32

/** What messages to an endpoint are signed with. */
export type WebhookKeys = {
  /** For `v1`: 32 bytes. */
  readonly hmac: Buffer
  /** For `v1a`: Ed25519. */
  readonly privateKey: KeyObject
}

/**
 * The secrets of an endpoint are derived and stored nowhere: who reads the table, a backup or the stream has none of
 * them. A rotation is another generation.
 *
 * @param root of all of them, see Secrets
 */
export function webhookKeys(root: Uint8Array, id: WebhookId, generation: number): WebhookKeys {
  const derive = (purpose: string) =>
    createHmac('sha256', root).update(`${purpose} ${id} ${generation}`).digest()
  const key = Buffer.concat([PKCS8_ED25519, derive('v1a')])
  return { hmac: derive('v1'), privateKey: createPrivateKey({ key, format: 'der', type: 'pkcs8' }) }
}

/** As Standard Webhooks writes a symmetric secret. */
export const secretText = ({ hmac }: WebhookKeys) => `whsec_${hmac.toString('base64')}`

/** As Standard Webhooks writes a public key. */
export function publicKeyText({ privateKey }: WebhookKeys): string {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return `whpk_${spki.subarray(-PUBLIC_BYTES).toString('base64')}`
}

/**
 * The headers of Standard Webhooks: with a `v1` (HMAC-SHA256) and a `v1a` (Ed25519) signature for each of the keys.
 *
 * @param keys its own, and during a rotation those before
 */
export function signedHeaders(
  messageId: string,
  payload: string,
  keys: readonly WebhookKeys[],
  now: Instant,
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(epochSeconds(now))
  const signed = Buffer.from(`${messageId}.${timestamp}.${payload}`)
  const signatures = keys.flatMap(({ hmac, privateKey }) => [
    `v1,${createHmac('sha256', hmac).update(signed).digest('base64')}`,
    `v1a,${sign(null, signed, privateKey).toString('base64')}`,
  ])
  return {
    'webhook-id': messageId,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}
