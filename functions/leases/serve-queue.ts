import type { Entry } from '../../shared/domain/lease-entry.ts'
import { applied, lapsedIn, type Pool, type PoolChange, together } from '../../shared/domain/pool.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { allot } from '../../shared/domain/ticket.ts'
import type { Instant } from '../../shared/platform/time.ts'
import type { PoolAddress } from '../../shared/store/pool.ts'
import { keepHeld, leaveQueue, readQueue, setOvertaken } from '../../shared/store/ticket.ts'
import type { Action } from '../../shared/store/transact.ts'
import { holdOffersOf } from './plan.ts'
import type { LeaseServices } from './services.ts'
import type { Sight } from './sight.ts'

/** Tickets looked at in one go: each can be two writes of the 100 of a transaction. */
const LOOKED_AT = 25

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
  const at = seconds(now)
  const lapsed = lapsedIn(then, at)
  const used = then.used - lapsed.units
  const { size, offers } = holdOffersOf(sight, address.metric, now, services)
  const { holds, dead, overtaken } = allot(
    await readQueue(services.table, address, LOOKED_AT),
    at,
    (units, given) => offers.find(({ limit }) => used + given + units <= limit),
    (units) => units <= size.limit,
  )
  if (holds.length + dead.length === 0) return undefined
  const put = holds.map(({ ticket, offer }): [string, Entry] => [
    ticket.ref,
    {
      kind: 'hold',
      units: ticket.units,
      overdraft: offer.overdraft,
      until: offer.until,
      beat: at,
      generation: 0,
      sharers: 0,
    },
  ])
  const change: PoolChange = {
    put: new Map(put),
    seen: lapsed.entries,
    remove: [...lapsed.entries.keys()],
    ...(holds.length > 0 && { limit: Math.max(...holds.map(({ offer }) => offer.limit)) }),
    fence: pool.fence,
    tickets: -(holds.length + dead.length),
  }
  const beside: Record<string, Action> = {}
  for (const ticket of dead) beside[`dead ${ticket.ref}`] = leaveQueue(address, ticket)
  for (const { ticket, offer } of holds) {
    beside[`waited ${ticket.ref}`] = leaveQueue(address, ticket)
    beside[`held ${ticket.ref}`] = keepHeld(address, ticket, offer.until)
  }
  for (const ticket of overtaken) beside[`overtaken ${ticket.ref}`] = setOvertaken(address, ticket)
  return { change: together(first, change), beside }
}
