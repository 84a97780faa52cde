import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Entry } from '../../shared/domain/lease-entry.ts'
import type { LeaseTerms } from '../../shared/domain/lease-terms.ts'
import { UNLIMITED } from '../../shared/domain/overdraft.ts'
import { type Pool, unitsOf } from '../../shared/domain/pool.ts'
import { applied, type PoolChange } from '../../shared/domain/pool-change.ts'
import { grant } from '../../shared/domain/pool-grant.ts'
import { isBehind, serving } from '../../shared/domain/queue.ts'
import {
  checkCodes,
  checkShares,
  codeOf,
  heldBy,
  keptFromOthers,
  mostFor,
  PoolShares,
  Share,
  type ShareTerms,
  shareTerms,
  withCodes,
} from '../../shared/domain/shares.ts'
import type { Ticket } from '../../shared/domain/ticket.ts'
import { at, PRODUCT } from '../support/licenses.ts'

const NOW = 1000
const percent = (value: number) => ({ percent: value })
const units = (value: number) => ({ units: value })
const DEPARTMENTS = ['art', 'bio', 'cad']

const coded = (...shares: readonly Partial<Share>[]) =>
  withCodes(
    { productId: PRODUCT, metric: 'concurrent', shares: [], nextCode: 1, revision: 1 },
    shares.map((share, index) => Share.parse({ department: DEPARTMENTS[index], ...share })),
  )
const termsOf = (capacity: number, ...shares: readonly Partial<Share>[]): ShareTerms =>
  shareTerms(coded(...shares), capacity) ?? new Map()

const EMPTY: Pool = {
  fence: 1,
  used: 0,
  waiting: 0,
  borrowed: 0,
  inItem: 0,
  paged: 0,
  entries: new Map(),
  last: undefined,
}
const offersOf = (limit: number) => [{ limit, until: NOW + 600, overdraft: false }]

/** Departments ask for units, one after the other; who is refused asks no more in this. */
function take(
  terms: ShareTerms,
  limit: number,
  asks: readonly [department: string | undefined, units: number][],
) {
  let pool = EMPTY
  const answers = asks.map(([department, wanted], index) => {
    const ask = {
      ref: `${index}`,
      units: wanted,
      kind: 'lease',
      generation: 0,
      department: codeOf(terms, department),
    }
    const found = grant(pool, { ...ask, kind: 'lease' }, offersOf(limit), NOW, terms)
    if (found.outcome === 'granted') pool = applied(pool, found.change)
    return found.outcome === 'full' ? found.because : found.outcome
  })
  return { pool, answers }
}

describe('the parts of a capacity', () => {
  test('follow it, rounded down', () => {
    const shares = [
      { share: percent(33.3), guaranteed: true },
      { share: percent(50), maximum: units(7) },
    ]
    expect([...termsOf(10, ...shares).values()]).toEqual([
      { department: 'art', share: 3, kept: 3, maximum: UNLIMITED },
      { department: 'bio', share: 5, kept: 0, maximum: 7 },
    ])
    expect([...termsOf(100, ...shares).values()].map(({ share }) => share)).toEqual([33, 50])
    expect([...termsOf(29, { share: percent(100) }).values()][0]?.share).toBe(29)
    expect([...termsOf(UNLIMITED, ...shares).values()].map(({ share }) => share)).toEqual([0, 0])
    expect(shareTerms(undefined, 5)).toBeUndefined()
    expect(shareTerms({ shares: [] }, 5)).toBeUndefined()
  })

  test('that are guaranteed are never more than there is', () => {
    const share = fc.oneof(fc.nat(50).map(units), fc.integer({ min: 0, max: 100 }).map(percent))
    fc.assert(
      fc.property(fc.array(share, { maxLength: 3 }), fc.nat(60), (all, capacity) => {
        const kept = [...termsOf(capacity, ...all.map((one) => ({ share: one, guaranteed: true }))).values()]
        expect(kept.reduce((sum, one) => sum + one.kept, 0)).toBeLessThanOrEqual(capacity)
      }),
    )
    // A license ended: both have less.
    expect(
      [
        ...termsOf(10, { share: units(8), guaranteed: true }, { share: units(8), guaranteed: true }).values(),
      ].map(({ kept }) => kept),
    ).toEqual([5, 5])
  })

  test('are refused where they cannot be given', () => {
    const fields = (capacity: number, ...shares: readonly Partial<Share>[]) =>
      checkShares(
        shares.map((share, index) => Share.parse({ department: DEPARTMENTS[index], ...share })),
        capacity,
      )?.errors?.map(({ field }) => field)
    const half = { share: percent(50), guaranteed: true }
    expect(fields(10, half, half)).toBeUndefined()
    expect(fields(10, half, half, { share: units(1), guaranteed: true })).toEqual(['/body/shares/2/share'])
    expect(fields(10, half, { department: 'art', maximum: units(1) })).toEqual(['/body/shares/1/department'])
    expect(fields(10, {}, { guaranteed: true, maximum: units(1) })).toEqual([
      '/body/shares/0/share',
      '/body/shares/1/guaranteed',
    ])
    expect(fields(10, { share: units(3), maximum: units(2) })).toEqual(['/body/shares/0/maximum'])
    expect(fields(UNLIMITED, { share: units(3), maximum: percent(50) })).toBeUndefined()
  })

  test('keep the codes of their departments, and no code is given twice', () => {
    const first = {
      productId: PRODUCT,
      metric: 'concurrent',
      revision: 1,
      ...coded({ share: units(1) }, { share: units(1) }),
    }
    const next = withCodes(first, [
      Share.parse({ department: 'cad', share: units(1) }),
      Share.parse({ department: 'bio', share: units(1) }),
    ])
    expect(next).toMatchObject({ shares: [{ code: 3 }, { code: 2 }], nextCode: 4 })
  })

  test('is of two bytes: the last one is given, and no more', () => {
    const before = { productId: PRODUCT, metric: 'concurrent', shares: [], nextCode: 0xffff, revision: 1 }
    const next = (...departments: string[]) =>
      withCodes(
        before,
        departments.map((department) => Share.parse({ department, share: units(1) })),
      )
    expect(PoolShares.safeParse({ ...before, ...next('art') }).success).toBe(true)
    expect(checkCodes(next('art'))).toBeUndefined()
    expect(PoolShares.safeParse({ ...before, ...next('art', 'bio') }).success).toBe(false)
    expect(checkCodes(next('art', 'bio'))).toMatchObject({ refused: 'INVALID_REQUEST' })
  })
})

describe('a check-out', () => {
  test('gets no place that is kept for another department, and all that is kept for its own', () => {
    const terms = termsOf(5, { share: units(2), guaranteed: true })
    expect(
      take(terms, 5, [
        ['bio', 1],
        [undefined, 1],
        ['bio', 2],
        ['bio', 1],
        ['art', 3],
        ['art', 2],
        ['art', 1],
      ]).answers,
    ).toEqual(['granted', 'granted', 'kept', 'granted', 'units', 'granted', 'units'])
  })

  test('gets what is not guaranteed while nobody of the department uses it', () => {
    const terms = termsOf(5, { share: units(4) })
    expect(
      take(terms, 5, [
        ['bio', 5],
        ['art', 1],
      ]).answers,
    ).toEqual(['granted', 'units'])
  })

  test('gets no more than the maximum of its department, however much is free', () => {
    const terms = termsOf(10, { maximum: percent(30) })
    expect(
      take(terms, 10, [
        ['art', 2],
        ['art', 2],
        ['art', 1],
        ['bio', 7],
        ['bio', 1],
      ]).answers,
    ).toEqual(['granted', 'quota', 'granted', 'granted', 'units'])
    expect([mostFor(terms, 10, 1), mostFor(terms, 10, undefined)]).toEqual([3, 10])
    expect(mostFor(termsOf(10, { share: units(4), guaranteed: true }), 10, undefined)).toBe(6)
  })

  test('takes the places of those of its department that lapsed, however many others did', () => {
    const terms = termsOf(100, { maximum: units(1) })
    const over = {
      kind: 'lease',
      units: 1,
      overdraft: false,
      until: NOW - 100,
      beat: 0,
      generation: 0,
      sharers: 0,
    } as const
    const entries = new Map<string, Entry>([['own', { ...over, department: 1 }]])
    for (let count = 0; count < 70; count += 1) entries.set(`other ${count}`, over)
    const pool: Pool = { ...EMPTY, used: 71, entries: new Map([...entries].toReversed()) }
    const ask = { ref: 'x', units: 1, kind: 'lease', generation: 0, department: 1 } as const
    expect(grant(pool, ask, offersOf(100), NOW, terms).outcome).toBe('granted')
  })

  test('is never granted beyond the capacity or a maximum, and always within a guarantee', () => {
    const share = fc.record({
      share: fc.nat(5).map(units),
      guaranteed: fc.boolean(),
      maximum: fc.option(fc.nat(8).map(units), { nil: undefined }),
    })
    const ask = fc.tuple(fc.constantFrom(...DEPARTMENTS, undefined), fc.integer({ min: 1, max: 3 }))
    fc.assert(
      fc.property(
        fc.array(share, { maxLength: 3 }),
        fc.nat(12),
        fc.array(ask, { maxLength: 25 }),
        (shares, limit, asks) => {
          const terms = termsOf(
            limit,
            ...shares.map(({ maximum, ...one }) => ({ ...one, ...(maximum && { maximum }) })),
          )
          const { pool } = take(terms, limit, asks)
          expect(pool.used).toBeLessThanOrEqual(limit)
          const held = heldBy(pool.entries.values())
          for (const [code, { kept, maximum, department }] of terms) {
            expect(held.get(code) ?? 0).toBeLessThanOrEqual(maximum)
            const left = Math.min(kept, maximum) - (held.get(code) ?? 0)
            if (left <= 0) continue
            const ask = { ref: 'x', units: left, kind: 'lease', generation: 0, department: code } as const
            expect([department, grant(pool, ask, offersOf(limit), NOW, terms).outcome]).toEqual([
              department,
              'granted',
            ])
          }
        },
      ),
    )
  })
})

const aTicket = (ref: string, department?: string, wanted = 1, overtaken = 0): Ticket => ({
  ref,
  order: ref,
  units: wanted,
  holder: {},
  ...(department !== undefined && { department }),
  createdAt: at('2026-06-01T12:00:00Z'),
  pingBy: NOW + 300,
  overtaken,
})
const leaseTermsOf = (limit: number, shares: ShareTerms): LeaseTerms => ({
  size: { capacity: limit, limit, licenses: [] },
  offers: offersOf(limit),
  shares,
})

describe('what is decided on what was before holds what departments are promised on what is now:', () => {
  const entry = (department: number | undefined, wanted: number): Entry => ({
    kind: 'lease',
    units: wanted,
    overdraft: false,
    until: NOW + 600,
    beat: NOW,
    generation: 0,
    sharers: 0,
    ...(department !== undefined && { department }),
  })
  const share = fc.record({
    share: fc.nat(4).map(units),
    guaranteed: fc.boolean(),
    maximum: fc.option(fc.integer({ min: 1, max: 8 }).map(units), { nil: undefined }),
  })
  const shared = fc
    .array(share, { minLength: 1, maxLength: 3 })
    .map((all) => termsOf(10, ...all.map(({ maximum, ...one }) => ({ ...one, ...(maximum && { maximum }) }))))
  const lease = fc.tuple(
    fc.constantFrom(1, 2, 3, undefined),
    fc.integer({ min: 1, max: 2 }),
    fc.constantFrom('both', 'before', 'now'),
  )
  const leases = fc.array(lease, { maxLength: 12 })
  const poolOf = (
    all: readonly (readonly [number | undefined, number, string])[],
    when: string,
    terms: ShareTerms,
  ): Pool => {
    const there = all
      .filter(([, , seen]) => seen === 'both' || seen === when)
      .map(([department, wanted]) =>
        entry(department !== undefined && terms.has(department) ? department : undefined, wanted),
      )
    return {
      ...EMPTY,
      entries: new Map(there.map((one, index) => [`${when} ${index}`, one])),
      used: there.reduce((sum, one) => sum + one.units, 0),
      waiting: 9,
    }
  }
  /** Units that are held, or kept for who does not hold them; or what a department has beyond its maximum. */
  const isKept = (pool: Pool, terms: ShareTerms) => {
    const held = heldBy(pool.entries.values())
    const isWithin = [...terms].every(([code, { maximum }]) => (held.get(code) ?? 0) <= maximum)
    return isWithin && pool.used + keptFromOthers(terms, held, undefined) <= 10
  }
  /** Applied where its conditions are met, as the store has them. */
  function applyTo(now: Pool, change: PoolChange): Pool | undefined {
    const held = heldBy(now.entries.values())
    const isMet = [...(change.held ?? [])].every(([code, { atLeast = 0, atMost = 99 }]) => {
      const own = held.get(code) ?? 0
      return own >= atLeast && own <= atMost
    })
    return isMet && now.used + unitsOf(change.put.values()) <= (change.limit ?? 0)
      ? applied(now, change)
      : undefined
  }

  test('a grant', () => {
    let made = 0
    fc.assert(
      fc.property(shared, leases, fc.constantFrom(1, 2, undefined), (terms, all, own) => {
        const now = poolOf(all, 'now', terms)
        fc.pre(isKept(now, terms))
        const department = own !== undefined && terms.has(own) ? own : undefined
        const ask = { ref: 'x', units: 1, kind: 'lease', generation: 0, department } as const
        const found = grant(poolOf(all, 'before', terms), ask, offersOf(10), NOW, terms)
        const next = found.outcome === 'granted' ? applyTo(now, found.change) : undefined
        if (next === undefined) return
        made += 1
        expect(isKept(next, terms)).toBe(true)
      }),
      { numRuns: 1000 },
    )
    expect(made).toBeGreaterThan(50)
  })

  test('places that are held for those who wait', () => {
    const ticket = fc.tuple(fc.constantFrom(...DEPARTMENTS, undefined), fc.integer({ min: 1, max: 3 }))
    let made = 0
    fc.assert(
      fc.property(shared, leases, fc.array(ticket, { minLength: 1, maxLength: 6 }), (terms, all, waiting) => {
        const now = poolOf(all, 'now', terms)
        fc.pre(isKept(now, terms))
        const tickets = waiting.map(([department, wanted], index) => aTicket(`t${index}`, department, wanted))
        const change = serving(poolOf(all, 'before', terms), tickets, leaseTermsOf(10, terms), NOW)?.change
        const next = change && applyTo(now, change)
        if (next === undefined) return
        made += 1
        expect(isKept(next, terms)).toBe(true)
      }),
      { numRuns: 1000 },
    )
    expect(made).toBeGreaterThan(50)
  })
})

describe('the queue', () => {
  const entry = (wanted: number, department?: number): Entry => ({
    kind: 'lease',
    units: wanted,
    overdraft: false,
    until: NOW + 600,
    beat: NOW,
    generation: 0,
    sharers: 0,
    ...(department !== undefined && { department }),
  })
  const poolOf = (entries: Record<string, Entry>, waiting: number): Pool => ({
    ...EMPTY,
    entries: new Map(Object.entries(entries)),
    used: Object.values(entries).reduce((sum, one) => sum + one.units, 0),
    waiting,
  })
  const held = (pool: Pool, tickets: readonly Ticket[], limit: number, shares: ShareTerms) =>
    serving(pool, tickets, leaseTermsOf(limit, shares), NOW)?.holds.map(({ ticket }) => ticket.ref) ?? []

  test('gives a department that holds less than its share the next place, then goes by arrival', () => {
    const terms = termsOf(4, { share: units(2) })
    const tickets = [
      aTicket('b1', 'bio'),
      aTicket('b2', 'bio'),
      aTicket('a1', 'art'),
      aTicket('a2', 'art'),
      aTicket('a3', 'art'),
    ]
    expect(held(poolOf({}, 5), tickets, 4, terms)).toEqual(['a1', 'a2', 'b1', 'b2'])
    expect(held(poolOf({ x: entry(2, 1) }, 5), tickets, 4, terms)).toEqual(['b1', 'b2'])
  })

  test('is not held up by who waits for a place that is not for its department', () => {
    const terms = termsOf(4, { maximum: units(1) }, { share: units(1), guaranteed: true })
    const pool = poolOf({ x: entry(1, 1) }, 3)
    expect(
      held(pool, [aTicket('a1', 'art'), aTicket('c1', 'cad', 3), aTicket('c2', 'cad')], 4, terms),
    ).toEqual(['c2'])
    // What is kept for a department is not set aside for a large ticket of another.
    const full = poolOf({ x: entry(3) }, 2)
    const patient = aTicket('c1', 'cad', 2, 5)
    expect(held(full, [patient, aTicket('b1', 'bio')], 4, terms)).toEqual(['b1'])
    expect(held(full, [patient, aTicket('c2', 'cad')], 4, terms)).toEqual([])
  })

  test('sets aside for a large ticket what is not kept for others, until that is enough', () => {
    const terms = termsOf(6, { share: units(2), guaranteed: true })
    const line = (wanted: number) => [aTicket('c1', 'cad', wanted, 5), aTicket('c2', 'cad')]
    const got = [4, 3, 2, 1].map((used) => held(poolOf({ x: entry(used) }, 2), line(3), 6, terms))
    expect(got).toEqual([[], [], [], ['c1']])
    // One that wants more than the others leave, since they were given it, stands in nobody's way.
    expect(held(poolOf({ x: entry(2) }, 2), line(5), 6, terms)).toEqual(['c2'])
  })

  test('lets a newcomer by who takes nothing that anybody waits for', () => {
    const terms = termsOf(4, { maximum: units(1) }, { share: units(1), guaranteed: true })
    const behind = (tickets: readonly Ticket[], department: string, entries: Record<string, Entry>) => {
      const ask = {
        ref: 'n',
        units: 1,
        kind: 'lease',
        generation: 0,
        department: codeOf(terms, department),
      } as const
      return isBehind({ pool: poolOf(entries, tickets.length), tickets }, ask, leaseTermsOf(4, terms), NOW)
    }
    const one = { x: entry(1, 1) }
    expect(behind([aTicket('a1', 'art')], 'cad', one)).toBe(false)
    expect(behind([aTicket('a1', 'art'), aTicket('c1', 'cad', 3)], 'cad', one)).toBe(true)
    expect(behind([aTicket('a1', 'art'), aTicket('c1', 'cad', 4)], 'cad', one)).toBe(false)
    // One who waits for units keeps a department from all but what is kept for it.
    expect(behind([aTicket('c1', 'cad', 3)], 'bio', { x: entry(2) })).toBe(false)
    expect(behind([aTicket('c1', 'cad', 3)], 'art', { x: entry(2) })).toBe(true)
    expect(behind([aTicket('b1', 'bio', 4)], 'bio', { x: entry(2) })).toBe(true)
  })

  test('holds a place under the code of the department, and on condition of what others hold', () => {
    const terms = termsOf(4, { maximum: units(2) }, { share: units(2), guaranteed: true })
    const change = serving(
      poolOf({ x: entry(1, 2) }, 1),
      [aTicket('a1', 'art')],
      leaseTermsOf(4, terms),
      NOW,
    )?.change
    expect(change?.put.get('a1')).toMatchObject({ kind: 'hold', department: 1 })
    expect(change?.limit).toBe(2)
    expect([...(change?.held ?? [])]).toEqual([
      [1, { atMost: 1 }],
      [2, { atLeast: 1 }],
    ])
  })
})
