import { createHash } from 'node:crypto'
import { EventId, eventIdsFrom } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'

/** Crockford's base 32, as in every ULID. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** 70 bits, of the 80 that are random in other ids. */
const HASH_DIGITS = 14

/**
 * The id of an event that is told by a stream record: the same each time the record is delivered, and in the order of
 * time among all others.
 *
 * @param record the stream's id of the record
 * @param place which of the record's events it is, from 0 to 1023; later ones come later
 */
export function recordedEventId(at: Instant, record: string, place: number): EventId {
  if (place >= DIGITS.length ** 2) throw new RangeError(`a record has too many events: ${place}`)
  const hash = createHash('sha256').update(record).digest().subarray(0, HASH_DIGITS)
  const random = [...hash, Math.floor(place / DIGITS.length), place].map(
    (value) => DIGITS[value % DIGITS.length],
  )
  return EventId.parse(`${eventIdsFrom(at)}${random.join('')}`)
}
