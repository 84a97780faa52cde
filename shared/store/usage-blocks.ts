import * as z from 'zod'
import { SHARDS } from '../domain/meter-block.ts'
import type { CounterUsage } from '../domain/usage.ts'
import type { Instant } from '../platform/time.ts'
import { entity } from './codec.ts'
import { type Key, usageBlockKey } from './keys.ts'
import { readItems } from './read.ts'
import { type Action, type Table, transact } from './transact.ts'
import { addToCounter, type CounterAddress, readCounter, ttlOf } from './usage.ts'

/** What a shard of a counter has taken from it and not used yet. */
export const usageBlockEntity = entity(
  'usage-block',
  1,
  z.strictObject({ inHand: z.int().min(0).max(Number.MAX_SAFE_INTEGER) }),
)

const keyOf = ({ tenantId, productId, metric, period }: CounterAddress, shard: number): Key =>
  usageBlockKey(tenantId, productId, metric, shard, period?.from)

/** What some shards of a counter have in hand; all of them unless named. */
export async function readBlocks(
  table: Table,
  address: CounterAddress,
  shards: readonly number[] = ALL,
): Promise<Map<number, number>> {
  const keys = shards.map((shard) => keyOf(address, shard))
  const items = await readItems(table, keys)
  const inHand = new Map(items.map((item) => [String(item['pk']), usageBlockEntity.decode(item).inHand]))
  return new Map(shards.map((shard, index) => [shard, inHand.get(keys[index]?.pk ?? '') ?? 0]))
}

const ALL = Array.from({ length: SHARDS }, (_, shard) => shard)

/** Uses what a shard has in hand; fails if that is less. */
export const useBlock = (address: CounterAddress, shard: number, units: number): Action => ({
  kind: 'update',
  key: keyOf(address, shard),
  update: 'ADD inHand :used',
  condition: 'inHand >= :units',
  values: { ':used': -units, ':units': units },
})

/** Puts what was taken from the counter into a shard's hand. */
export const fillBlock = (address: CounterAddress, shard: number, units: number): Action => ({
  kind: 'update',
  key: keyOf(address, shard),
  update: `SET entity = :entity, #schema = :schema${address.period ? ', #ttl = :ttl' : ''} ADD inHand :units`,
  names: { '#schema': 'schema', ...(address.period && { '#ttl': 'ttl' }) },
  values: {
    ':entity': usageBlockEntity.name,
    ':schema': usageBlockEntity.version,
    ':units': units,
    ...(address.period && { ':ttl': ttlOf(address.period) }),
  },
})

/** Empties the shards as they were seen; fails if one of them changed since, those that had nothing included. */
export function emptyBlocks(
  address: CounterAddress,
  seen: ReadonlyMap<number, number>,
): Record<string, Action> {
  const actions = [...seen].map(([shard, units]): [string, Action] => {
    const key = keyOf(address, shard)
    const values = { ':seen': units }
    if (units > 0) {
      const empty = { ':seen': units, ':none': 0 }
      return [
        `shard ${shard}`,
        { kind: 'update', key, update: 'SET inHand = :none', condition: 'inHand = :seen', values: empty },
      ]
    }
    const condition = 'attribute_not_exists(inHand) OR inHand = :seen'
    return [`shard ${shard}`, { kind: 'check', key, condition, values }]
  })
  return Object.fromEntries(actions)
}

/**
 * Gives what all shards have in hand back to their counter, which is then what was used. Changes no use, so it makes no
 * event.
 * @returns how much it was; undefined if a shard was used in between
 */
export async function settleBlocks(
  table: Table,
  address: CounterAddress,
  now: Instant,
): Promise<number | undefined> {
  const seen = await readBlocks(table, address)
  const units = sumOf(seen)
  if (units === 0) return 0
  const outcome = await transact(table, {
    ...emptyBlocks(address, new Map([...seen].filter(([, inHand]) => inHand > 0))),
    counter: addToCounter(address, -units, now),
  })
  return outcome.ok ? units : undefined
}

export const sumOf = (inHand: ReadonlyMap<number, number>): number =>
  [...inHand.values()].reduce((sum, one) => sum + one, 0)

/** Times that a counter in shards is read until no shard took from it meanwhile, or gave back. */
const ATTEMPTS = 5

/** A counter in shards, and what these have in hand of it: of one moment, if the counter is the same behind the shards. */
export async function readSharded(table: Table, address: CounterAddress, seen: CounterUsage | undefined) {
  let row = seen
  for (let attempt = 1; ; attempt += 1) {
    const before = row
    const inHand = sumOf(await readBlocks(table, address))
    row = await readCounter(table, address)
    if (row?.value === before?.value || attempt === ATTEMPTS) return { row, inHand }
  }
}
