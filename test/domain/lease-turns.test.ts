import { expect, test } from 'vitest'
import type { Entry } from '../../shared/domain/lease-entry.ts'
import { type Last, lastOf } from '../../shared/domain/lease-last.ts'
import { leaseTurns } from '../../shared/domain/lease-turns.ts'
import type { Pool } from '../../shared/domain/pool.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { at, TENANT } from '../support/licenses.ts'

const NOW = at('2026-06-01T12:00:00Z')
const S = seconds(NOW)
const RECORDED = at('2026-06-01T11:59:00Z')

const entry = (changes: Partial<Entry> = {}): Entry => ({
  kind: 'lease',
  units: 1,
  overdraft: false,
  until: S + 600,
  beat: S,
  generation: 7,
  sharers: 0,
  ...changes,
})
const pool = (entries: Record<string, Entry>, last?: Last): Pool => ({
  fence: 1,
  used: 0,
  borrowed: 0,
  inItem: Object.keys(entries).length,
  paged: 0,
  waiting: 0,
  entries: new Map(Object.entries(entries)),
  last,
})
const last = (op: Last['op'], ref: string) =>
  lastOf(op, ref, {
    caller: { kind: 'tenant', role: 'tenant:app', tenantId: TENANT, subject: 'tok_1' },
    now: NOW,
    requestId: 'req',
  })

const a = entry()
const hold = entry({ kind: 'hold' })
const over = entry({ until: S - 40 })
/** Nobody renewed it, but for clocks that differ it is not free yet. */
const ending = entry({ until: S - 5 })

const cases: [string, Pool | undefined, Pool, string | undefined, unknown[]][] = [
  ['a check-out', pool({}), pool({ a }, last('out', 'a')), 'a', []],
  ['a check-in', pool({ a }), pool({}, last('in', 'a')), undefined, [['a', S]]],
  ['a late check-in', pool({ a: ending }), pool({}, last('in', 'a')), undefined, [['a', S - 5]]],
  ['a release', pool({ a }), pool({}, last('release', 'a')), undefined, [['a', S]]],
  [
    'a check-out in the place of one that lapsed',
    pool({ a: over }),
    pool({ b: a }, last('out', 'b')),
    'b',
    [['a', S - 40]],
  ],
  [
    'what is borrowed anew at its end',
    pool({ a: entry({ kind: 'borrow', until: S - 5 }) }),
    pool({ a: entry({ kind: 'borrow', generation: 8 }) }, last('borrow', 'a')),
    'a',
    [['a', S - 5]],
  ],
  [
    'one under the name of one that lapsed',
    pool({ a: over }),
    pool({ a }, last('out', 'a')),
    'a',
    [['a', S - 40]],
  ],
  [
    'a heartbeat that finds another lapsed, of which only the minute is recorded',
    pool({ a, b: over }, last('out', 'b')),
    pool({ a: entry({ generation: 8 }) }, last('out', 'b')),
    undefined,
    [['b', S - 40]],
  ],
  ['a claim', pool({ a: hold }), pool({ a }, last('claim', 'a')), 'a', []],
  [
    'a place held, and one nobody claimed',
    pool({ h: hold }),
    pool({ t: hold }, last('serve', '')),
    undefined,
    [],
  ],
  [
    'another who shares',
    pool({ a: entry({ kind: 'shared', sharers: 1 }) }),
    pool({ a: entry({ kind: 'shared', sharers: 3 }) }, last('out', 'a')),
    undefined,
    [],
  ],
  [
    'a raised fence',
    pool({ a }, last('out', 'a')),
    { ...pool({ a }, last('out', 'a')), fence: 2 },
    undefined,
    [],
  ],
]

test.each(cases)('%s', (_, before, after, began, ended) => {
  const turns = leaseTurns(before, after, RECORDED)
  expect(turns.began?.ref).toBe(began)
  expect(turns.ended.map((one) => [one.ref, one.at])).toEqual(ended)
})
