import { describe, expect, test } from 'vitest'
import type { Event } from '../../shared/domain/event.ts'
import { becameOf } from '../../shared/domain/explain-record.ts'
import { cheapestFirst, free, purchase } from '../../shared/domain/explanation.ts'
import { EventId } from '../../shared/platform/ids.ts'
import { at, TENANT } from '../support/licenses.ts'

const event = (number: number, type: string, id: string, more: Partial<Event> = {}): Event => ({
  id: EventId.parse(`evt_${String(number).padStart(26, '0')}`),
  type,
  at: at(`2026-06-01T12:0${number}:00Z`),
  tenantId: TENANT,
  actor: { kind: 'system', subject: 'pool' },
  subject: { type: type.split('.')[0] ?? '', id },
  requestId: `request ${number}`,
  ...more,
})

describe('what became of something, by its record', () => {
  const begun = event(1, 'lease.checked-out', 'a')
  const together = { requestId: 'the request of bob' }
  const lapsed = event(2, 'lease.lapsed', 'a', together)
  const taken = event(2, 'lease.checked-out', 'b', {
    ...together,
    after: { units: 1, userId: 'bob', machine: 'lab-2' },
  })

  test('a lapsed lease: when, and who got its place by the same request', () => {
    expect(becameOf([taken, lapsed, begun], 'a', true)).toBe(
      'lease.lapsed on 2026-06-01T12:02:00.000Z; its place went to b (bob on lab-2)',
    )
    expect(becameOf([taken, lapsed, begun], 'b', true)).toBeUndefined()
  })

  test('a released one: by whom and why; who may not know of others is told when', () => {
    const actor = { kind: 'tenant', subject: 'tok_1', role: 'tenant:admin' } as const
    const released = event(3, 'lease.released', 'a', { actor, reason: 'left overnight' })
    expect(becameOf([released, lapsed], 'a', true)).toBe(
      'lease.released on 2026-06-01T12:03:00.000Z by tenant tok_1: left overnight',
    )
    expect(becameOf([released, lapsed], 'a', false)).toBe('lease.released on 2026-06-01T12:03:00.000Z')
  })
})

test('cures: waiting, what one does oneself, the tenant, the vendor, and then what costs money', () => {
  const cures = [
    purchase('Buy more.'),
    free('vendor', 'Reset.'),
    free('tenant', 'Release.'),
    free('caller', 'Check in.'),
    free('nobody', 'Wait.'),
    free('caller', 'Take a ticket.'),
  ]
  expect(cheapestFirst(cures).map(({ cure }) => cure)).toEqual([
    ...['Wait.', 'Check in.', 'Take a ticket.', 'Release.', 'Reset.', 'Buy more.'],
  ])
})
