import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allot, MOST_OVERTAKEN, orderOf, type Ticket } from '../../shared/domain/ticket.ts'
import { at } from '../support/licenses.ts'

const NOW = 1000
const aTicket = (ref: string, units = 1, changes: Partial<Ticket> = {}): Ticket => ({
  ref,
  order: '',
  units,
  holder: {},
  createdAt: at('2026-06-01T12:00:00Z'),
  pingBy: NOW + 300,
  overtaken: 0,
  ...changes,
})
const give = (tickets: readonly Ticket[], free: number, size = 100) => {
  const found = allot(
    tickets,
    NOW,
    (units, given) => (given + units <= free ? 'yes' : undefined),
    ({ units }) => units <= size,
  )
  return {
    held: found.holds.map(({ ticket }) => ticket.ref),
    dead: found.dead.map(({ ref }) => ref),
    overtaken: found.overtaken.map(({ ref, overtaken }) => [ref, overtaken]),
  }
}

describe('free places', () => {
  test('go to tickets in their order', () => {
    expect(give([aTicket('a'), aTicket('b'), aTicket('c')], 2)).toEqual({
      held: ['a', 'b'],
      dead: [],
      overtaken: [],
    })
  })

  test('go past those who stopped asking or do not want to wait longer', () => {
    const gone = [aTicket('a', 1, { pingBy: NOW }), aTicket('b', 1, { waitUntil: NOW })]
    expect(give([...gone, aTicket('c')], 1)).toEqual({ held: ['c'], dead: ['a', 'b'], overtaken: [] })
  })

  test('go to smaller ones where a large one does not fit, a few times', () => {
    const small = ['b', 'c', 'd'].map((ref) => aTicket(ref))
    expect(give([aTicket('a', 4), ...small], 3)).toEqual({
      held: ['b', 'c', 'd'],
      dead: [],
      overtaken: [['a', 3]],
    })
    const patient = aTicket('a', 4, { overtaken: MOST_OVERTAKEN - 1 })
    expect(give([patient, ...small], 3)).toEqual({
      held: ['b'],
      dead: [],
      overtaken: [['a', MOST_OVERTAKEN]],
    })
    const next = aTicket('a', 4, { overtaken: MOST_OVERTAKEN })
    expect(give([next, ...small], 3)).toEqual({ held: [], dead: [], overtaken: [] })
  })

  test('do not wait for one that is larger than the pool', () => {
    const huge = aTicket('a', 9, { overtaken: MOST_OVERTAKEN })
    expect(give([huge, aTicket('b')], 1, 8)).toEqual({ held: ['b'], dead: [], overtaken: [] })
  })

  test('are never given twice, and no ticket is overtaken more often than allowed', () => {
    const tickets = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(MOST_OVERTAKEN)), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(tickets, fc.nat(12), (drawn, free) => {
        const all = drawn.map(([units, overtaken], index) => aTicket(`${index}`, units, { overtaken }))
        const { held, overtaken } = give(all, free)
        const given = all.filter(({ ref }) => held.includes(ref)).reduce((sum, { units }) => sum + units, 0)
        expect(given).toBeLessThanOrEqual(free)
        for (const [, times] of overtaken) expect(times).toBeLessThanOrEqual(MOST_OVERTAKEN)
      }),
    )
  })
})

test('a step of priority is worth five minutes of waiting', () => {
  const order = [
    orderOf(at('2026-06-01T12:00:00Z'), 2),
    orderOf(at('2026-06-01T12:05:00.001Z'), 2),
    orderOf(at('2026-06-01T12:00:00Z'), 0),
    orderOf(at('2026-06-01T12:05:00Z'), 0),
  ]
  expect(order.toSorted()).toEqual([order[0], order[1], order[2], order[3]])
  expect(orderOf(at('2026-06-01T12:05:00Z'), 1)).toBe(orderOf(at('2026-06-01T12:00:00Z'), 0))
})
