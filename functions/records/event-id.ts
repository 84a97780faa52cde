import { createHash } from 'node:crypto'
import { digitsOf, EventId, eventIdsFrom } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'

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
  if (place >= 32 ** 2) throw new RangeError(`a record has too many events: ${place}`)
  const hash = createHash('sha256').update(record).digest().subarray(0, HASH_DIGITS)
  return EventId.parse(`${eventIdsFrom(at)}${digitsOf([...hash, Math.floor(place / 32), place])}`)
}
