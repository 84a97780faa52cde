import { createHash } from 'node:crypto'
import type { Meter } from '../../shared/domain/meter.ts'
import { planDraw, SHARDS } from '../../shared/domain/meter-block.ts'
import type { Refusal } from '../../shared/domain/refusal.ts'
import { type Addition, exhausted, metricOf } from '../../shared/domain/usage-reports.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import type { Action, Table } from '../../shared/store/transact.ts'
import { addToCounter, type CounterAddress, readCounter } from '../../shared/store/usage.ts'
import { fillBlock, readBlocks, settleBlocks, useBlock } from '../../shared/store/usage-blocks.ts'
import { outdated } from '../until-fresh.ts'

/** Is the counter kept in shards? */
export const isSharded = ({ product, metric }: Pick<Addition, 'product' | 'metric'>): boolean =>
  metricOf(product, metric)?.rate === 'high'

/** Spreads requests over the shards, the same request always to the same one. */
export function shardOf(requestId: string): number {
  return createHash('sha256').update(requestId).digest().readUInt16BE() % SHARDS
}

/** An addition about to be written: how it is measured, and what the counter was when the licenses were read. */
type Measured = {
  readonly tenantId: TenantId
  readonly addition: Addition
  readonly meter: Meter
  readonly counted: number
  readonly shard: number
  readonly now: Instant
}

type Drawn = {
  readonly writes: Readonly<Record<string, Action>>
  /** Does it take from the counter, and so from the allowance? What a shard has in hand was taken before. */
  readonly takes: boolean
}

/** The writes that count an addition, or the refusal of it. */
export async function draw(table: Table, measured: Measured): Promise<Drawn | Refusal> {
  return isSharded(measured.addition) ? fromShard(table, measured) : fromCounter(measured)
}

function fromCounter(measured: Measured): Drawn | Refusal {
  const { addition, meter, counted } = measured
  if (counted + addition.add > meter.limit) return exhausted(addition, counted, meter.limit)
  return { writes: { counter: take(measured, addition.add) }, takes: true }
}

async function fromShard(table: Table, measured: Measured): Promise<Drawn | Refusal> {
  const { addition, meter, counted, shard, now } = measured
  const { add, late } = addition
  const address = addressOf(measured)
  // What came late is noted in the counter's row, so it is added there.
  const inHand = late > 0 ? 0 : ((await readBlocks(table, address, [shard])).get(shard) ?? 0)
  const plan = planDraw(add, inHand, counted, meter)
  if (plan.kind === 'hand') return { writes: { shard: useBlock(address, shard, add) }, takes: false }
  if (plan.kind === 'take') {
    const extra = plan.units - add
    return {
      writes: {
        counter: take(measured, plan.units),
        ...(extra > 0 && { shard: fillBlock(address, shard, extra) }),
      },
      takes: true,
    }
  }
  const returned = await settleBlocks(table, address, now)
  // Only if nothing was in hand, and nothing was given back since it was read, the counter is what was used.
  if (returned !== 0 || ((await readCounter(table, address))?.value ?? 0) !== counted) return outdated
  return fromCounter(measured)
}

const take = (measured: Measured, units: number): Action => {
  const { at, late } = measured.addition
  return addToCounter(addressOf(measured), units, at, { late, limit: measured.meter.limit })
}

const addressOf = ({ tenantId, addition }: Measured): CounterAddress => ({
  tenantId,
  productId: addition.product.id,
  metric: addition.metric,
  period: addition.period,
})
