import * as z from 'zod'
import type { Usage } from '../domain/usage.ts'
import { usageName } from '../domain/usage-reports.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import { DAY, epochSeconds, type Instant, plusMilliseconds } from '../platform/time.ts'
import { entity } from './codec.ts'
import { usageEntity, usageItem } from './holdings.ts'
import { usageKey, usageRecordKey } from './keys.ts'
import { readItems } from './read.ts'
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

/** Adds to a counter, in one conditional-free update: parallel additions all count. */
export const addToCounter = (
  tenantId: TenantId,
  productId: ProductId,
  metric: string,
  add: number,
  at: Instant,
): Action => ({
  kind: 'update',
  key: usageKey(tenantId, productId, metric),
  update:
    'SET kind = :kind, metric = :metric, #at = :at, entity = :entity, #schema = :schema ADD #value :add',
  names: { '#at': 'at', '#value': 'value', '#schema': 'schema' },
  values: {
    ':kind': 'counter',
    ':metric': metric,
    ':at': at,
    ':entity': usageEntity.name,
    ':schema': usageEntity.version,
    ':add': add,
  },
})

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

/** The use known of some metrics, by `usageName`. */
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
