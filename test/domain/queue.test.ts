import { describe, expect, test } from 'vitest'
import type { LeaseTerms } from '../../shared/domain/lease-terms.ts'
import type { Pool } from '../../shared/domain/pool.ts'
import { COUNTED, isBehind, served, serving } from '../../shared/domain/queue.ts'
import type { Ticket } from '../../shared/domain/ticket.ts'
import { at } from '../support/licenses.ts'

const NOW = 1_800_000_000
const pool = (waiting: number): Pool => ({
  fence: 1,
  used: 0,
  waiting,
  borrowed: 0,
  inItem: 0,
  paged: 0,
  entries: new Map(),
  last: undefined,
})
const terms = (limit: number): LeaseTerms => ({
  size: { capacity: limit, limit, licenses: [] },
  offers: [{ limit, until: NOW + 180, overdraft: false }],
})
const tickets = (count: number, units: number, from = 0): Ticket[] =>
  Array.from({ length: count }, (_, index) => ({
    ref: `t${from + index}`,
    order: String(from + index).padStart(15, '0'),
    units,
    holder: {},
    createdAt: at('2026-06-01T12:00:00Z'),
    pingBy: NOW + 300,
    overtaken: 0,
  }))
const ask = { ref: 'new', units: 1, kind: 'lease', generation: 0 } as const

describe('tickets larger than the pool has become', () => {
  const large = (count: number) => tickets(count, 5)
  const small = tickets(1, 1, 900)

  test.each([1, 25, 60, COUNTED - 1])('do not keep what is free from those behind: %i of them', (count) => {
    const line = { pool: pool(count + 1), tickets: [...large(count), ...small] }
    const left = served(line, terms(2), NOW)
    expect([...left.pool.entries.keys()]).toEqual(['t900'])
    expect(left.pool.waiting).toBe(count)
  })

  test('keep no newcomer from it', () => {
    expect(isBehind({ pool: pool(3), tickets: large(3) }, ask, terms(2), NOW)).toBe(false)
  })

  test('are before a newcomer again once the pool has grown', () => {
    expect(isBehind({ pool: pool(3), tickets: large(3) }, ask, terms(5), NOW)).toBe(true)
  })

  test('say nothing of those behind who are not seen', () => {
    expect(isBehind({ pool: pool(4), tickets: large(3) }, ask, terms(2), NOW)).toBe(true)
  })
})

test('places given at once to several who wait are each within what is offered for as long', () => {
  const offers = [
    { limit: 3, until: NOW + 180, overdraft: false },
    { limit: 5, until: NOW + 60, overdraft: false },
  ]
  const held = { ...pool(2), used: 2 }
  const serve = serving(held, tickets(2, 1), { ...terms(5), offers }, NOW)
  expect(serve?.holds.map(({ offer }) => offer.until)).toEqual([NOW + 180, NOW + 60])
  // Were one more held by then, the first would be the fourth after the license has ended.
  expect(serve?.change.limit).toBe(4)
})
