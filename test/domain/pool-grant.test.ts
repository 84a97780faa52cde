import { expect, test } from 'vitest'
import type { Entry } from '../../shared/domain/lease-entry.ts'
import type { Pool } from '../../shared/domain/pool.ts'
import { type Ask, grant } from '../../shared/domain/pool-grant.ts'
import { giveBack } from '../../shared/domain/pool-lease.ts'

const NOW = 1_800_000_000
const ask: Ask = { ref: 'ada', units: 1, kind: 'shared', generation: 7 }
const shared: Entry = {
  kind: 'shared',
  units: 1,
  overdraft: false,
  until: NOW + 100,
  beat: NOW - 500,
  generation: 7,
  sharers: 1,
}
const OFFERS = [
  { limit: 2, until: NOW + 600, overdraft: false },
  { limit: 5, until: NOW + 240, overdraft: false },
]

function poolOf(used: number, sharers: number): Pool {
  const entries = new Map([['ada', { ...shared, sharers }]])
  return { fence: 1, used, waiting: 0, borrowed: 0, inItem: 1, paged: 0, entries, last: undefined }
}

test.each([
  { used: 2, until: NOW + 600, limit: 2 },
  { used: 3, until: NOW + 240, limit: 5 },
  { used: 6, until: NOW + 100, limit: undefined },
])(
  'who shares a unit renews it for as long as $used units may be held, if they are no more by then',
  (one) => {
    const found = grant(poolOf(one.used, 1), ask, OFFERS, NOW)
    expect(found).toMatchObject({ outcome: 'granted', sharer: 2, entry: { until: one.until, sharers: 3 } })
    expect(found.outcome === 'granted' && found.change.limit).toBe(one.limit)
  },
)

test('who shares a unit is not kept from renewing it by what nobody renewed', () => {
  const dead: Entry = { ...shared, kind: 'lease', sharers: 0, units: 5, until: NOW - 100 }
  const own = poolOf(6, 1)
  const pool = { ...own, inItem: 2, entries: new Map([...own.entries, ['dead', dead] as const]) }
  expect(grant(pool, ask, OFFERS, NOW)).toMatchObject({
    entry: { until: NOW + 600 },
    change: { remove: ['dead'], limit: 2 },
  })
})

test('what was borrowed is borrowed anew from its end on: its token is over, whoever’s clock runs late', () => {
  const borrowed: Entry = { ...shared, kind: 'borrow', sharers: 0, until: NOW }
  const pool = { ...poolOf(2, 0), borrowed: 1, entries: new Map([['ada', borrowed]]) }
  const again = { ...ask, kind: 'borrow', borrowLimit: 1 } as const
  expect(grant(pool, again, OFFERS, NOW - 1)).toMatchObject({ outcome: 'held' })
  expect(grant(pool, again, OFFERS, NOW)).toMatchObject({
    outcome: 'granted',
    heldBefore: false,
    entry: { until: NOW + 600 },
    change: { seen: pool.entries, remove: [], limit: 2 },
  })
})

test('those who come once all bits are taken give the unit back to nobody: others may stand behind theirs', () => {
  const found = grant(poolOf(1, 0x7fff), ask, OFFERS, NOW)
  if (found.outcome !== 'granted') throw new Error('it is shared')
  const next = grant(poolOf(1, found.entry.sharers), ask, OFFERS, NOW)
  expect([found.sharer, next]).toMatchObject([0x8000, { sharer: 0x8000 }])
  expect(giveBack('ada', found.entry, 0x8000).put.get('ada')).toEqual(found.entry)
  expect(giveBack('ada', found.entry, 1).put.get('ada')?.sharers).toBe(0xfffe)
})
