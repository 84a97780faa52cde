import { applied, type Pool, type PoolChange, together } from '../../shared/domain/pool.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { LOOKED_AT, serving } from '../../shared/domain/queue.ts'
import type { Instant } from '../../shared/platform/time.ts'
import type { PoolAddress } from '../../shared/store/pool.ts'
import { keepHeld, leaveQueue, readQueue, setOvertaken } from '../../shared/store/ticket.ts'
import type { Action } from '../../shared/store/transact.ts'
import { holdOffersOf } from './plan.ts'
import type { LeaseServices } from './services.ts'
import type { Sight } from './sight.ts'

/** A change of a pool, with what it does to the queue. */
export type Served = { readonly change: PoolChange; readonly beside: Readonly<Record<string, Action>> }

const NOTHING: PoolChange = { put: new Map(), seen: new Map(), remove: [] }

/**
 * Gives what is free to those who wait, as holds, and takes away the tickets nobody waits for: beside another change of
 * the pool, or on its own. Undefined if there is nothing to do. What frees a place gives it on by the same transaction,
 * so that no newcomer can take it in between.
 */
export async function serveQueue(
  address: PoolAddress,
  pool: Pool,
  sight: Sight,
  now: Instant,
  services: LeaseServices,
  first: PoolChange = NOTHING,
): Promise<Served | undefined> {
  const then = applied(pool, first)
  if (then.waiting <= 0) return undefined
  const serve = serving(
    then,
    await readQueue(services.table, address, LOOKED_AT),
    holdOffersOf(sight, address.metric, now, services),
    seconds(now),
  )
  if (serve === undefined) return undefined
  const { change, holds, dead, overtaken } = serve
  const beside: Record<string, Action> = {}
  for (const ticket of dead) beside[`dead ${ticket.ref}`] = leaveQueue(address, ticket)
  for (const { ticket, offer } of holds) {
    beside[`waited ${ticket.ref}`] = leaveQueue(address, ticket)
    beside[`held ${ticket.ref}`] = keepHeld(address, ticket, offer.until)
  }
  for (const ticket of overtaken) beside[`overtaken ${ticket.ref}`] = setOvertaken(address, ticket)
  return { change: together(first, change), beside }
}
