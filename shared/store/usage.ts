import * as z from 'zod'
import { GRACE, type Period } from '../domain/period.ts'
import type { CounterUsage, Usage } from '../domain/usage.ts'
import { usageName } from '../domain/usage-reports.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import { DAY, type EpochSeconds, epochSeconds, type Instant, plusMilliseconds } from '../platform/time.ts'
import { entity } from './codec.ts'
import { usageEntity, usageItem } from './holdings.ts'
import { usageKey, usageRecordKey } from './keys.ts'
import { readItem, readItems } from './read.ts'
import { type Action, putOnce, type Table } from './transact.ts'

/** How long the id of a usage record is remembered. */
const REMEMBERED_FOR = 90 * DAY

/** That a usage record was taken, and what it said. */
export const usageRecordEntity = entity(
  'usage-record',
  1,
  z.strictObject({ id: z.string(), says: z.string() }),
)

/** Sets a gauge, unless a newer value is known. */
export const setGauge = (tenantId: TenantId, productId: ProductId, usage: Usage): Action => ({
  kind: 'put',
  item: usageItem(tenantId, productId, usage),
  condition: 'attribute_not_exists(pk) OR #at <= :at',
  names: { '#at': 'at' },
  values: { ':at': usage.at },
})

/** How long the rows of a period stay behind the last instant at which something could be booked in it. */
const KEPT_FOR = 30 * DAY
export const ttlOf = ({ until }: Period): EpochSeconds =>
  epochSeconds(plusMilliseconds(until, GRACE + KEPT_FOR))

/** Which counter, in which period; for good where it has none. */
export type CounterAddress = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly metric: string
  readonly period?: Period | undefined
}

/** What an addition is besides its amount. */
type AdditionTerms = {
  /** How much of it came too late for its own period. */
  readonly late?: number
  /** How much of it is a correction, with its sign. */
  readonly corrected?: number
  /** What the counter may reach; the condition fails above it. */
  readonly limit?: number
  /** What it must not fall below. */
  readonly least?: number
}

/** Adds to a counter, in one update: parallel additions all count, up to the limit and not beyond. */
export function addToCounter(
  { tenantId, productId, metric, period }: CounterAddress,
  add: number,
  at: Instant,
  { late = 0, corrected = 0, limit, least }: AdditionTerms = {},
): Action {
  const sets = ['kind = :kind', 'metric = :metric', '#at = :at', 'entity = :entity', '#schema = :schema']
  const adds = ['#value :add']
  const conditions: string[] = []
  const names: Record<string, string> = { '#at': 'at', '#value': 'value', '#schema': 'schema' }
  const values: Record<string, unknown> = {
    ':kind': 'counter',
    ':metric': metric,
    ':at': at,
    ':entity': usageEntity.name,
    ':schema': usageEntity.version,
    ':add': add,
  }
  if (period !== undefined) {
    sets.push('#from = :from', '#until = :until', '#ttl = :ttl')
    Object.assign(names, { '#from': 'from', '#until': 'until', '#ttl': 'ttl' })
    Object.assign(values, { ':from': period.from, ':until': period.until, ':ttl': ttlOf(period) })
  }
  if (late > 0) {
    adds.push('late :late')
    values[':late'] = late
  }
  if (corrected !== 0) {
    adds.push('corrected :corrected')
    values[':corrected'] = corrected
  }
  if (limit !== undefined) {
    conditions.push(`(${add <= limit ? 'attribute_not_exists(#value) OR ' : ''}#value <= :room)`)
    values[':room'] = Math.min(Number.MAX_SAFE_INTEGER, limit - add)
  }
  if (least !== undefined) {
    conditions.push(`(${add >= least ? 'attribute_not_exists(#value) OR ' : ''}#value >= :least)`)
    values[':least'] = least - add
  }
  return {
    kind: 'update',
    key: usageKey(tenantId, productId, metric, period?.from),
    update: `SET ${sets.join(', ')} ADD ${adds.join(', ')}`,
    ...(conditions.length > 0 && { condition: conditions.join(' AND ') }),
    names,
    values,
  }
}

export const rememberRecord = (tenantId: TenantId, id: string, says: string, now: Instant): Action =>
  putOnce(
    usageRecordEntity.encode(
      usageRecordKey(tenantId, id),
      { id, says },
      { ttl: epochSeconds(plusMilliseconds(now, REMEMBERED_FOR)) },
    ),
  )

/** What the records with these ids said, as far as they were taken. */
export async function readRecords(
  table: Table,
  tenantId: TenantId,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const items = await readItems(
    table,
    ids.map((id) => usageRecordKey(tenantId, id)),
  )
  return new Map(items.map((item) => usageRecordEntity.decode(item)).map(({ id, says }) => [id, says]))
}

/** The use known of some metrics that count for good, by `usageName`. */
export async function readUsage(
  table: Table,
  tenantId: TenantId,
  metrics: readonly { productId: ProductId; metric: string }[],
): Promise<Map<string, Usage>> {
  const keys = new Map(
    metrics.map(({ productId, metric }) => [
      usageName(productId, metric),
      usageKey(tenantId, productId, metric),
    ]),
  )
  const names = new Map([...keys].map(([name, { sk }]) => [sk, name]))
  const items = await readItems(table, [...keys.values()])
  return new Map(items.map((item) => [names.get(String(item['sk'])) ?? '', usageEntity.decode(item)]))
}

/** The row of a counter in a period, strongly consistent. */
export async function readCounter(
  table: Table,
  { tenantId, productId, metric, period }: CounterAddress,
): Promise<CounterUsage | undefined> {
  const item = await readItem(table, usageKey(tenantId, productId, metric, period?.from))
  const usage = item && usageEntity.decode(item)
  return usage?.kind === 'counter' ? usage : undefined
}
