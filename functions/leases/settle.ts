import type { EventDraft } from '../../shared/domain/event.ts'
import { sameEntry } from '../../shared/domain/lease-entry.ts'
import type { Last } from '../../shared/domain/lease-last.ts'
import type { Pool } from '../../shared/domain/pool.ts'
import { clearing, type PoolChange } from '../../shared/domain/pool-change.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import type { ProductId, TenantId } from '../../shared/platform/ids.ts'
import { changePool } from '../../shared/store/change-pool.ts'
import { pause } from '../../shared/store/pause.ts'
import { readPool } from '../../shared/store/pool.ts'
import type { Action } from '../../shared/store/transact.ts'
import { writeRow } from '../../shared/store/write.ts'
import type { PlacedRequest } from '../places.ts'
import type { CommitRequest } from '../services.ts'
import { contended, outdated } from '../until-fresh.ts'
import type { Grounds } from './grounds.ts'
import { placed, type Somewhere } from './placed.ts'
import { makeWay } from './serve-queue.ts'
import type { LeaseServices } from './services.ts'

/** What to write, and what to answer once it is written. */
export type Step<Reply> = {
  readonly changes: ReadonlyMap<string, PoolChange>
  /** Who asked, for the record of the pools; a heartbeat leaves none. */
  readonly last?: Last
  /** Writes beside the pools, each on a condition of its own. */
  readonly beside?: Readonly<Record<string, Action>>
  readonly events?: readonly EventDraft[]
} & (
  | { readonly reply: Reply }
  /** The write only makes way, for those who come first; then it is decided again. */
  | { readonly again: true }
)

export type Pools = ReadonlyMap<string, Pool>

export type Deciding<Reply> = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly metrics: readonly string[]
  /** Where it is for, of what is granted only where the licenses may be used. */
  readonly place?: Somewhere
  /** The normal case, decided without looking at the pools; undefined where it cannot be. */
  readonly blind: (grounds: Grounds) => Step<Reply> | Refusal | undefined
  /** Decided on the pools as they are. */
  readonly decide: (grounds: Grounds, pools: Pools) => Promise<Step<Reply> | Refusal> | Step<Reply> | Refusal
}

/** Each round at least one of those who contend gets through, and takes away for all what has lapsed. */
const ROUNDS = 40

/**
 * Changes pools: blindly at first, and when a condition failed on what is there, until the change is made or the answer
 * is no. One write in the normal case. A request with an Idempotency-Key, with several pools or with more to write is
 * one transaction. CONTENDED if it was not made in so many rounds: of a queue of a thousand that a great many places came
 * free for at once, each round serves some, and what is done stays done.
 *
 * A write whose answer was lost is repeated by the SDK and then fails on its own success: the pool says so, which has
 * the entries that it wanted.
 */
export async function settle<Reply>(
  call: PlacedRequest,
  services: LeaseServices,
  deciding: Deciding<Reply>,
): Promise<Reply | Refusal | Replayed> {
  const { table, remembered } = services
  const { tenantId, productId, metrics, place } = deciding
  const { blind, decide } = place === undefined ? deciding : await placed(call, place, services, deciding)
  let grounds = await remembered.get(tenantId, productId, call.now)
  const first = blind(grounds)
  // What is remembered may grant, since the fence is a condition, but not refuse: a license may count again.
  let step: Step<Reply> | Refusal | undefined = isRefusal(first) ? undefined : first
  for (let round = 1; round <= ROUNDS; round += 1) {
    if (step !== undefined) {
      if (isRefusal(step)) return step
      const written = await write(call, services, tenantId, productId, step)
      if (written !== 'failed' && written !== 'again') return written
      if (written === 'failed' && round > 2) await pause(Math.min(round, 5))
    }
    const pools = await readAll()
    if (step !== undefined && 'reply' in step && isWritten(step, pools, call)) return step.reply
    if ([...pools].some(([metric, { fence }]) => grounds.fences.get(metric) !== fence))
      grounds = await remembered.reload(tenantId, productId, call.now)
    grounds = remembered.look(grounds, tenantId, productId, pools)
    step = makingRoom(call, pools) ?? (await decide(grounds, fenced(pools, grounds)))
  }
  return contended

  async function readAll(): Promise<Pools> {
    const read = await Promise.all(
      metrics.map(
        async (metric) => [metric, await readPool(table, { tenantId, productId, metric })] as const,
      ),
    )
    return new Map(read.flatMap(([metric, pool]) => (pool === undefined ? [] : [[metric, pool]])))
  }
}

/** The pools are cleared of what one write cannot take away, one write after another. */
function makingRoom(call: CommitRequest, pools: Pools): Step<never> | undefined {
  for (const [metric, pool] of pools) {
    const change = clearing(pool, seconds(call.now), pools.size)
    if (change) return makeWay(call, metric, { change, beside: {} })
  }
  return undefined
}

/** The pools under the fences that the decision is made on; see RememberedGrounds. */
function fenced(pools: Pools, { fences }: Grounds): Pools {
  return new Map([...pools].map(([metric, pool]) => [metric, { ...pool, fence: fences.get(metric) ?? 0 }]))
}

/** The answer, or that a condition failed, or that it is to be decided again. */
async function write<Reply>(
  call: CommitRequest,
  { table, commit }: LeaseServices,
  tenantId: TenantId,
  productId: ProductId,
  step: Step<Reply>,
): Promise<Reply | Refusal | Replayed | 'failed' | 'again'> {
  const { changes, last, beside = {}, events = [] } = step
  const isFinal = 'reply' in step
  const actions = [...changes].flatMap(([metric, change]) =>
    changePool({ tenantId, productId, metric }, change, last),
  )
  const [only] = actions
  const isAlone = actions.length === 1 && Object.keys(beside).length === 0 && events.length === 0
  if (only?.kind === 'update' && isAlone && (call.idempotencyKey === undefined || !isFinal)) {
    if (!(await writeRow(table, only))) return 'failed'
    return isFinal ? step.reply : 'again'
  }
  const writes: Record<string, Action> = {
    ...Object.fromEntries(actions.map((action, index) => [`pool ${index}`, action])),
    ...beside,
  }
  const refusals = Object.fromEntries(Object.keys(writes).map((label) => [label, outdated]))
  // The reply to the request belongs to its last write alone.
  const request = isFinal ? call : { ...call, idempotencyKey: undefined }
  const done = await commit(request, { writes, events, reply: isFinal ? step.reply : undefined, refusals })
  if (done === undefined) return 'again'
  return isRefusal(done) && done.refused === 'REVISION_OUTDATED' ? 'failed' : done
}

/**
 * Did this very request write this before, without hearing so? Others may have changed the pool since; but what makes a
 * new lease, its name or its generation, is random, so nobody else can have written the same.
 */
function isWritten<Reply>(
  { changes, last }: Step<Reply>,
  pools: Pools,
  { requestId }: CommitRequest,
): boolean {
  if (changes.size === 0) return false
  return [...changes].every(([metric, { put, seen, remove }]) => {
    const pool = pools.get(metric)
    if (pool === undefined) return false
    const isThere = [...put].every(([ref, entry]) => {
      const found = pool.entries.get(ref)
      return found !== undefined && sameEntry(found, entry)
    })
    const lasts = [pool.last, ...(pool.lastOfPages ?? [])]
    const isLast = last === undefined ? put.size > 0 : lasts.some((one) => requestOf(one) === requestId)
    const isNew = [...put].some(([ref, { kind }]) => kind === 'lease' && !seen.has(ref))
    return (isLast || isNew) && isThere && remove.every((ref) => !pool.entries.has(ref))
  })
}

function requestOf(last: unknown): unknown {
  return typeof last === 'object' && last !== null && 'rq' in last ? last.rq : undefined
}
