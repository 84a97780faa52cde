import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import * as z from 'zod'
import { DAY, epochSeconds, type Instant, plusMilliseconds } from '../platform/time.ts'
import { entity, type Item } from './codec.ts'
import { replyKey } from './keys.ts'
import { readItem } from './read.ts'
import type { Table } from './transact.ts'

/** How long a reply is kept for a repeated request. */
const KEPT_FOR = DAY

/** The answer to a mutation, kept for whoever asks the same again. Sealed, for it may hold a key or a token. */
const StoredReply = z.strictObject({
  /** Hash of the request this is the answer to. */
  fingerprint: z.string(),
  sealed: z.string(),
  expiresAt: z.string(),
})

export const replyEntity = entity('reply', 1, StoredReply)

/** A 256-bit key for AES-GCM. */
export type SealingKey = Uint8Array

export function replyItem(
  sealingKey: SealingKey,
  subject: string,
  idempotencyKey: string,
  fingerprint: string,
  reply: unknown,
  now: Instant,
): Item {
  const expiresAt = plusMilliseconds(now, KEPT_FOR)
  const whose = JSON.stringify([subject, idempotencyKey, fingerprint])
  const stored = { fingerprint, sealed: seal(sealingKey, whose, JSON.stringify(reply ?? null)), expiresAt }
  return replyEntity.encode(replyKey(subject, idempotencyKey), stored, { ttl: epochSeconds(expiresAt) })
}

/** The reply kept for a key, or that the key was used for another request, or nothing. */
export async function readReply(
  table: Table,
  sealingKey: SealingKey,
  subject: string,
  idempotencyKey: string,
  fingerprint: string,
): Promise<{ reply: unknown } | 'mismatch' | undefined> {
  const item = await readItem(table, replyKey(subject, idempotencyKey))
  if (item === undefined) return undefined
  const stored = replyEntity.decode(item)
  if (stored.fingerprint !== fingerprint) return 'mismatch'
  const whose = JSON.stringify([subject, idempotencyKey, fingerprint])
  const reply: unknown = JSON.parse(open(sealingKey, whose, stored.sealed))
  return { reply }
}

// AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D): nonce, tag, ciphertext. Whose it is is authenticated with it,
// so that nobody who can write the table has another's reply told to himself.
function seal(key: SealingKey, whose: string, text: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(whose))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
}

function open(key: SealingKey, whose: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  // Without the length Node.js takes shorter tags too, which are easier to guess.
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
  decipher.setAAD(Buffer.from(whose)).setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
}
