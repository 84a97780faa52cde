import type { ProductId, TenantId } from '../../platform/ids.ts'
import type { Instant } from '../../platform/time.ts'
import { key } from './key.ts'

/** A counter with an allowance has a row for each period, named by its beginning. */
export const usageKey = (tenant: TenantId, product: ProductId, metric: string, from?: Instant) =>
  key(['T', tenant], ['H', product, 'USAGE', metric, ...(from ? [from] : [])])
export const usageRecordKey = (tenant: TenantId, id: string) =>
  key(['T', tenant, 'USAGE-RECORDS'], [encodeURIComponent(id)])
/** A shard of a counter of high rate has partitions of its own: for what it has in hand, and for its series. */
export const usageBlockKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  shard: number,
  from: Instant | undefined,
) => key(['T', tenant, 'USAGE-BLOCKS', product, metric, String(shard)], [from ?? 'ALL'])
export const usageDayKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  shard: number,
  day: Instant,
) => key(['T', tenant, 'USAGE-DAYS', product, metric, String(shard)], [day])
export const usageCorrectionKey = (tenant: TenantId, product: ProductId, id: string) =>
  key(['T', tenant, 'USAGE-CORRECTIONS', product], [encodeURIComponent(id)])
