import { describe, expect, test } from 'vitest'
import type { Usage } from '../../shared/domain/usage.ts'
import { DAY, epochSeconds, Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { addCount } from '../../shared/store/count.ts'
import { countKey, usageBlockKey, usageKey, usageRecordKey } from '../../shared/store/keys.ts'
import { readItem } from '../../shared/store/read.ts'
import { transact } from '../../shared/store/transact.ts'
import { addToCounter, readRecords, readUsage, rememberRecord, setGauge } from '../../shared/store/usage.ts'
import { fillBlock, readBlocks } from '../../shared/store/usage-blocks.ts'
import { PRODUCT, TENANT } from '../support/licenses.ts'
import { times } from '../support/parallel.ts'
import { localTable } from './local-table.ts'

const table = await localTable()
const NOW = Instant.parse('2026-03-01T12:00:00.000Z')
const later = (seconds: number) => plusMilliseconds(NOW, seconds * 1000)

const counter = (metric: string) => ({ tenantId: TENANT, productId: PRODUCT, metric })

async function used(metric: string): Promise<Usage | undefined> {
  const found = await readUsage(table, TENANT, [{ productId: PRODUCT, metric }])
  return [...found.values()][0]
}

describe('a counter', () => {
  test('adds up what 40 callers add at once', async () => {
    const outcomes = await times(40, (index) =>
      transact(table, { add: addToCounter(counter('signatures'), index + 1, later(index)) }),
    )
    expect(outcomes.every(({ ok }) => ok)).toBe(true)
    expect((await used('signatures'))?.value).toBe(820)
  })

  test('begins with the first addition, as a row like any other', async () => {
    await transact(table, { add: addToCounter(counter('certificates'), 3, NOW) })
    expect(await used('certificates')).toEqual({ kind: 'counter', metric: 'certificates', value: 3, at: NOW })
    const item = await readItem(table, usageKey(TENANT, PRODUCT, 'certificates'))
    expect(item).toMatchObject({ entity: 'usage', schema: 1 })
  })

  test('counts a record once, however often it comes at the same time', async () => {
    const outcomes = await times(10, () =>
      transact(table, {
        add: addToCounter(counter('once'), 5, NOW),
        record: rememberRecord(TENANT, 'record-1', 'once +5', NOW),
      }),
    )
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
    expect(outcomes.filter(({ ok }) => !ok)).toEqual(Array(9).fill({ ok: false, failed: ['record'] }))
    expect((await used('once'))?.value).toBe(5)
  })
})

test('what a shard has in hand of a period goes with the row of that period', async () => {
  const period = { from: NOW, until: later(60) }
  const address = { ...counter('hits'), period }
  await transact(table, { block: fillBlock(address, 3, 64), counter: addToCounter(address, 64, NOW) })
  const [block, row] = await Promise.all([
    readItem(table, usageBlockKey(TENANT, PRODUCT, 'hits', 3, period.from)),
    readItem(table, usageKey(TENANT, PRODUCT, 'hits', period.from)),
  ])
  expect(block?.['ttl']).toBe(epochSeconds(plusMilliseconds(period.until, 37 * DAY)))
  expect(row?.['ttl']).toBe(block?.['ttl'])
  expect((await readBlocks(table, address, [3])).get(3)).toBe(64)
})

describe('a gauge', () => {
  const set = (value: number, at: Instant) =>
    transact(table, { gauge: setGauge(TENANT, PRODUCT, { kind: 'gauge', metric: 'users', value, at }) })

  test('is what was said for the latest time, whichever came first', async () => {
    expect(await set(10, later(5))).toEqual({ ok: true })
    expect(await set(7, later(4))).toEqual({ ok: false, failed: ['gauge'] })
    expect(await used('users')).toMatchObject({ value: 10, at: later(5) })
    expect(await set(8, later(5))).toEqual({ ok: true })
    expect(await set(9, later(6))).toEqual({ ok: true })
    expect(await used('users')).toMatchObject({ value: 9, at: later(6) })
  })

  test('that many set at once is the latest of them', async () => {
    await times(20, (index) => set(index, later(100 + ((index * 7) % 20))))
    expect((await used('users'))?.at).toBe(later(119))
  })
})

describe('the id of a record', () => {
  test('is remembered with what it said, for 90 days', async () => {
    await transact(table, { record: rememberRecord(TENANT, 'a#b/ü', 'users=3', NOW) })
    expect(await readRecords(table, TENANT, ['a#b/ü', 'unheard-of'])).toEqual(new Map([['a#b/ü', 'users=3']]))
    const item = await readItem(table, usageRecordKey(TENANT, 'a#b/ü'))
    expect(item?.['ttl']).toBe(epochSeconds(plusMilliseconds(NOW, 90 * DAY)))
  })

  test('is asked for many at once, more than fit in one batch', async () => {
    const ids = Array.from({ length: 130 }, (_, index) => `many-${index}`)
    for (const id of ids.filter((_, index) => index % 2 === 0))
      await transact(table, { record: rememberRecord(TENANT, id, 'yes', NOW) })
    expect((await readRecords(table, TENANT, ids)).size).toBe(65)
    expect((await readRecords(table, TENANT, [])).size).toBe(0)
  })
})

test('a count of a window adds up what many add at once, and tells each the total', async () => {
  const ttl = epochSeconds(NOW)
  const totals = await times(20, () => addCount(table, 'requests address ::1#x', NOW, 5, ttl))
  expect(totals.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 5))
  expect(await addCount(table, 'requests address ::1#x', later(60), 5, ttl)).toBe(5)
  expect(await readItem(table, countKey('requests address ::1#x', NOW))).toMatchObject({
    ttl,
    entity: 'count',
  })
})
