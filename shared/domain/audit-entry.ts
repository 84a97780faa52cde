import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'
import type { Event } from './event.ts'

/** Bytes that are random for each event: who has only the entry cannot try which event it stands for. */
export const SALT_BYTES = 32

/**
 * An event's entry in its log: SHA-256 over its salt, 32 bytes, and the event as canonical JSON in UTF-8. The log proves
 * the entry; salt and event prove what it stands for, and can be erased without touching any proof.
 */
export function eventEntry(event: Event, salt: Uint8Array): Uint8Array {
  return createHash('sha256').update(salt).update(canonicalJson(event)).digest()
}
