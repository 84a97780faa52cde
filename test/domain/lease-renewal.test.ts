import { expect, test } from 'vitest'
import type { Entry } from '../../shared/domain/lease-entry.ts'
import { renewal } from '../../shared/domain/lease-renewal.ts'
import type { Pool } from '../../shared/domain/pool.ts'

const NOW = 1_800_000_000
const lease = (generation: number): Entry => ({
  kind: 'lease',
  units: 1,
  overdraft: false,
  until: NOW + 300,
  beat: NOW - 10,
  generation,
  sharers: 0,
})
const poolOf = (entry: Entry): Pool => ({
  fence: 1,
  used: 1,
  waiting: 0,
  borrowed: 0,
  inItem: 1,
  paged: 0,
  entries: new Map([['ada', entry]]),
  last: undefined,
})

test.each([
  ['cad', 'render'],
  ['render', 'cad'],
])('an id of which another has renewed a part is answered with what there is, %s first', (...metrics) => {
  // Checked out by itself before, and renewed by the id of then.
  const pools = new Map([
    ['cad', poolOf(lease(8))],
    ['render', poolOf(lease(3))],
  ])
  const held = new Map([
    ['cad', lease(7)],
    ['render', lease(3)],
  ])
  const entries = metrics.map((metric): [string, Entry] => [metric, held.get(metric) ?? lease(0)])
  const offers = metrics.map(() => [{ limit: 5, until: NOW + 600, overdraft: false }])
  expect(renewal({ ref: 'ada', sharer: 0, entries }, pools, offers, NOW)).toEqual({
    is: 'again',
    entries: metrics.map((metric) => [metric, pools.get(metric)?.entries.get('ada')]),
  })
})
