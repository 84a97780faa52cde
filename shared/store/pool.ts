import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { decodeEntry, type Entry, encodeEntry } from '../domain/lease-entry.ts'
import type { Last } from '../domain/lease-last.ts'
import { balance, isBorrow, type Pool, type PoolChange } from '../domain/pool.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import { CorruptItemError, type Item } from './codec.ts'
import { type Key, poolKey, poolsKey } from './keys.ts'
import { pause } from './pause.ts'
import { readItem, readRange } from './read.ts'
import type { Action, Table } from './transact.ts'

/** Which pool of a tenant. */
export type PoolAddress = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly metric: string
}

/**
 * A pool's item: its counts, and an attribute of bytes for each lease, named by its reference. Attributes of the item
 * rather than of a map in it, so that the first lease needs no map to be made before it.
 */
const StoredPool = z.object({
  fence: z.int().default(0),
  used: z.int().default(0),
  waiting: z.int().default(0),
  borrowed: z.int().default(0),
})

/** The pool of a stored item, or image of one in a stream. */
export function decodePool(item: Item): Pool {
  const parsed = StoredPool.safeParse(item)
  if (!parsed.success)
    throw new CorruptItemError(`item ${String(item['pk'])} / ${String(item['sk'])}: no pool`)
  return { ...parsed.data, entries: entriesOf(item), last: item['last'] }
}

function entriesOf(item: Item): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const [name, value] of Object.entries(item))
    if (value instanceof Uint8Array) entries.set(name, decodeEntry(value))
  return entries
}

/** One pool, strongly consistent; undefined where no license ever had the metric. */
export async function readPool(
  table: Table,
  { tenantId, productId, metric }: PoolAddress,
): Promise<Pool | undefined> {
  const item = await readItem(table, poolKey(tenantId, productId, metric))
  return item && decodePool(item)
}

/** All pools of a tenant's product, by metric, strongly consistent. */
export async function readPools(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
): Promise<Map<string, Pool>> {
  const items = await readRange(table, { pk: poolsKey(tenantId, productId) })
  return new Map(items.map((item) => [String(item['sk']), decodePool(item)]))
}

/** The write of a change. `last` says who asked for it; a heartbeat has none. */
export function changePool(
  { tenantId, productId, metric }: PoolAddress,
  change: PoolChange,
  last: Last | undefined,
): Action & { kind: 'update' } {
  const names: Record<string, string> = {}
  const values: Record<string, unknown> = {}
  const conditions: string[] = []
  const sets: string[] = []
  const removes: string[] = []
  const adds: string[] = []

  const refs = [...new Set([...change.put.keys(), ...change.seen.keys()])]
  for (const [index, ref] of refs.entries()) {
    names[`#e${index}`] = ref
    const [seen, put] = [change.seen.get(ref), change.put.get(ref)]
    if (seen === undefined) conditions.push(`attribute_not_exists(#e${index})`)
    else {
      conditions.push(`#e${index} = :s${index}`)
      values[`:s${index}`] = encodeEntry(seen)
    }
    if (put === undefined) removes.push(`#e${index}`)
    else {
      sets.push(`#e${index} = :p${index}`)
      values[`:p${index}`] = encodeEntry(put)
    }
  }

  const units = balance(change)
  if (change.limit !== undefined) {
    conditions.push('(attribute_not_exists(used) OR used <= :room)')
    values[':room'] = change.limit - units
  }
  if (units !== 0) {
    adds.push('used :units')
    values[':units'] = units
  }
  const borrowed = balance(change, isBorrow)
  if (change.borrowLimit !== undefined) {
    conditions.push('(attribute_not_exists(borrowed) OR borrowed <= :shelf)')
    values[':shelf'] = change.borrowLimit - borrowed
  }
  if (borrowed !== 0) {
    adds.push('borrowed :borrowed')
    values[':borrowed'] = borrowed
  }
  for (const [code, department] of departmentsOf(change)) {
    const [name, count] = [`#d${code}`, `:d${code}`]
    names[name] = `d${code}`
    const { atLeast, atMost } = change.held?.get(code) ?? {}
    if (atLeast !== undefined) {
      conditions.push(`${name} >= ${count}l`)
      values[`${count}l`] = atLeast
    }
    if (atMost !== undefined) {
      conditions.push(`(attribute_not_exists(${name}) OR ${name} <= ${count}m)`)
      values[`${count}m`] = atMost
    }
    if (department !== 0) {
      adds.push(`${name} ${count}`)
      values[count] = department
    }
  }
  if (change.fence !== undefined) {
    conditions.push('fence = :fence')
    values[':fence'] = change.fence
  }
  if (change.waiting !== undefined) {
    conditions.push(
      change.waiting === 0 ? '(attribute_not_exists(waiting) OR waiting = :waiting)' : 'waiting = :waiting',
    )
    values[':waiting'] = change.waiting
  }
  if (change.usedBefore !== undefined) {
    conditions.push('used = :usedBefore')
    values[':usedBefore'] = change.usedBefore
  }
  if (change.waitingBelow !== undefined) {
    conditions.push('(attribute_not_exists(waiting) OR waiting < :most)')
    values[':most'] = change.waitingBelow
  }
  if (change.tickets) {
    adds.push('waiting :tickets')
    values[':tickets'] = change.tickets
  }
  if (last !== undefined) {
    sets.push('#last = :last')
    names['#last'] = 'last'
    values[':last'] = last
  }
  return {
    kind: 'update',
    key: poolKey(tenantId, productId, metric),
    update: [clause('SET', sets), clause('REMOVE', removes), clause('ADD', adds)].filter(Boolean).join(' '),
    condition: conditions.join(' AND '),
    names,
    values,
  }
}

/**
 * The departments that a change is about, by code, and the units that each comes to hold more or less: what their
 * entries add up to is counted in an attribute for each, `d1`, so that it can be a condition.
 */
function departmentsOf(change: PoolChange): Map<number, number> {
  const found = new Map([...(change.held?.keys() ?? [])].map((code) => [code, 0]))
  for (const { department } of [...change.put.values(), ...change.seen.values()])
    if (department !== undefined)
      found.set(
        department,
        balance(change, (entry) => entry.department === department),
      )
  // A condition on nothing would be of no use, and a name without use is refused.
  return new Map([...found].filter(([code, units]) => units !== 0 || change.held?.has(code)))
}

const clause = (word: string, parts: readonly string[]) =>
  parts.length === 0 ? '' : `${word} ${parts.join(', ')}`

const ATTEMPTS = 8

/**
 * One conditional write by itself; false if its condition failed. A transaction on the same item at the same time (a
 * license changes) says nothing about the condition, so it is waited for.
 */
export async function updateOnce(
  { client, name }: Table,
  { key, update, condition, names, values }: Action & { kind: 'update' },
): Promise<boolean> {
  const command: { TableName: string; Key: Key } & Record<string, unknown> = {
    TableName: name,
    Key: key,
    UpdateExpression: update,
    ...(condition && { ConditionExpression: condition }),
    ...(names && Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
    ...(values && { ExpressionAttributeValues: values }),
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.send(new UpdateCommand(command))
      return true
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
      await pause(attempt)
    }
  }
}

const isConflict = (error: unknown) => error instanceof Error && error.name === 'TransactionConflictException'
