import { decodeTime } from 'ulid'
import { describe, expect, test } from 'vitest'
import { recordedEventId } from '../../../functions/records/event-id.ts'
import { newEventId } from '../../../shared/platform/ids.ts'
import { DAY, epochMilliseconds, Instant, plusMilliseconds } from '../../../shared/platform/time.ts'

// A day of its own: ids of events made by other tests of this process within the minute would come before it.
const at = Instant.parse('2033-03-03T10:00:00.000Z')

describe('the id of an event told by a stream record', () => {
  test('is the same each time, and another for another record, place or time', () => {
    const ids = [
      recordedEventId(at, 'record-1', 0),
      recordedEventId(at, 'record-2', 0),
      recordedEventId(at, 'record-1', 1),
      recordedEventId(plusMilliseconds(at, 1), 'record-1', 0),
    ]
    expect(recordedEventId(at, 'record-1', 0)).toBe(ids[0])
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('sorts by time among all other ids', () => {
    const before = newEventId(plusMilliseconds(at, -1))
    const after = newEventId(plusMilliseconds(at, 1))
    for (let record = 0; record < 100; record += 1) {
      const id = recordedEventId(at, `record-${record}`, 0)
      expect([after, id, before].sort()).toEqual([before, id, after])
    }
  })

  test('tells the time again after a clock that was wrong', () => {
    newEventId(plusMilliseconds(at, 400 * DAY))
    const [first, second] = [newEventId(at), newEventId(plusMilliseconds(at, -5))]
    expect(decodeTime(first.slice('evt_'.length))).toBe(epochMilliseconds(at))
    expect(second > first).toBe(true)
  })

  test('keeps the order of the events of one record', () => {
    const ids = Array.from({ length: 1024 }, (_, place) => recordedEventId(at, 'record-1', place))
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(1024)
    expect(() => recordedEventId(at, 'record-1', 1024)).toThrow(RangeError)
  })
})
