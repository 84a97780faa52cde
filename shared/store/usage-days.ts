import * as z from 'zod'
import { SHARDS } from '../domain/meter-block.ts'
import { type Hour, hourOfDay, hourStart, type Kept } from '../domain/meter-series.ts'
import { dayStart } from '../domain/period.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import { DAY, Instant, plusMilliseconds, type TimeZone } from '../platform/time.ts'
import { entity, type Item } from './codec.ts'
import { usageDayKey } from './keys.ts'
import { readPages } from './read.ts'
import type { Action, Table } from './transact.ts'

/** Which metric's series. */
type SeriesAddress = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly metric: string
}

/**
 * A day of a metric, from its first instant in the tenant's zone: an attribute for each hour and what is kept of it,
 * such as `added13`. Attributes of the item rather than of a map in it, so that the first addition of a day needs no
 * item to be made before it; a day of them is below 1 KB, one write unit.
 */
export const usageDayEntity = entity(
  'usage-day',
  1,
  z.object({}).catchall(z.int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)),
)

/** What becomes of an hour. Counters add, a gauge's last value stays. */
export type HourChange = { readonly at: Instant; readonly kept: Kept; readonly amount: number }

/** One write for each day that the changes fall on. */
export function changeDays(
  { tenantId, productId, metric }: SeriesAddress,
  shard: number,
  changes: readonly HourChange[],
  timeZone: TimeZone,
): Action[] {
  const days = Map.groupBy(changes, ({ at }) => dayStart(at, timeZone))
  return [...days].map(([day, own]) => {
    const sums = new Map<string, number>()
    const lasts = new Map<string, number>()
    for (const { at, kept, amount } of own) {
      const field = `${kept}${hourOfDay(day, at)}`
      if (kept === 'value') lasts.set(field, amount)
      else sums.set(field, (sums.get(field) ?? 0) + amount)
    }
    const sets = ['entity = :entity', '#schema = :schema']
    const values: Record<string, unknown> = {
      ':entity': usageDayEntity.name,
      ':schema': usageDayEntity.version,
    }
    for (const [field, amount] of [...lasts, ...sums]) values[`:${field}`] = amount
    sets.push(...[...lasts.keys()].map((field) => `${field} = :${field}`))
    const adds = [...sums.keys()].map((field) => `${field} :${field}`)
    return {
      kind: 'update',
      key: usageDayKey(tenantId, productId, metric, shard, day),
      update: `SET ${sets.join(', ')}${adds.length > 0 ? ` ADD ${adds.join(', ')}` : ''}`,
      names: { '#schema': 'schema' },
      values,
    }
  })
}

/** A day may begin this long before an hour of it. */
const LONGEST_DAY = 26 * (DAY / 24)

/** The hours of a metric that begin from an instant up to, not including, another; of all shards if it has them. */
export async function readHours(
  table: Table,
  { tenantId, productId, metric }: SeriesAddress,
  from: Instant,
  until: Instant,
  sharded: boolean,
): Promise<Hour[]> {
  const earliest = plusMilliseconds(from, -LONGEST_DAY)
  const shards = Array.from({ length: sharded ? SHARDS : 1 }, (_, shard) => shard)
  const hours = await Promise.all(
    shards.map(async (shard) => {
      const { pk } = usageDayKey(tenantId, productId, metric, shard, from)
      const found: Hour[] = []
      for await (const { items } of readPages(table, { pk, below: until, newestFirst: true })) {
        const wanted = items.filter((item) => String(item['sk']) >= earliest)
        found.push(...wanted.flatMap(hoursOf))
        if (wanted.length < items.length) break
      }
      return found
    }),
  )
  return hours.flat().filter(({ at }) => at >= from && at < until)
}

function hoursOf(item: Item): Hour[] {
  const day = Instant.parse(item['sk'])
  return Object.entries(usageDayEntity.decode(item)).flatMap(([field, amount]) => {
    const [, kept, hour] = FIELD.exec(field) ?? []
    const known = KeptField.safeParse(kept)
    return known.success ? [{ at: hourStart(day, Number(hour)), kept: known.data, amount }] : []
  })
}

const FIELD = /^([a-z]+)(\d+)$/
const KeptField = z.enum(['added', 'late', 'corrected', 'value'])
