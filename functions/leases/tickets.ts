import type { Seconds } from '../../shared/domain/lease-entry.ts'
import { type Holder, lastOf } from '../../shared/domain/lease-last.ts'
import { milliseconds } from '../../shared/domain/lease-terms.ts'
import { isLapsed, type Pool } from '../../shared/domain/pool.ts'
import { applied, type PoolChange } from '../../shared/domain/pool-change.ts'
import { giveBack } from '../../shared/domain/pool-lease.ts'
import { instantOf, ruleOf, seconds } from '../../shared/domain/pool-terms.ts'
import { COUNTED, standingOf } from '../../shared/domain/queue.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { codeOf, mostFor } from '../../shared/domain/shares.ts'
import { isDead, orderOf, PING_WITHIN, type Ticket } from '../../shared/domain/ticket.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import type { Duration, Instant } from '../../shared/platform/time.ts'
import { leaveQueue, readQueue, readTicket, setPing } from '../../shared/store/ticket.ts'
import type { AskedProduct } from '../asked-product.ts'
import type { PlacedRequest } from '../places.ts'
import { sealTicketId, type TicketAddress } from '../sealed-id.ts'
import type { CommitRequest } from '../services.ts'
import { notInForce, refuseCaller, type Wanted } from './asking.ts'
import { denied, unlicensed } from './denied.ts'
import { newRef, offersOf } from './plan.ts'
import { forgetDead, giveOn, joinServed, lookAtQueue, makeWay, serveQueue } from './serve-queue.ts'
import type { LeaseServices } from './services.ts'
import { type Step, settle } from './settle.ts'
import type { TicketView } from './shapes.ts'
import { shortage } from './shortage.ts'

export type Join = {
  readonly wanted: Wanted
  readonly holder?: Holder | undefined
  readonly department?: string | undefined
  readonly priority: number
  readonly maxWait?: Duration | undefined
  readonly maxPosition?: number | undefined
  readonly country?: string | undefined
}

/** A queue that is longer helps nobody. */
const LONGEST_QUEUE = 100_000

/** Takes a place in the queue of a pool; if a place is free and nobody waits, it is held at once. */
export async function joinTicket(
  call: PlacedRequest,
  asked: AskedProduct,
  body: Join,
  services: LeaseServices,
): Promise<TicketView | Refusal | Replayed> {
  const { now } = call
  const { metric, units } = body.wanted
  const at = seconds(now)
  const ticket: Ticket = {
    ref: newRef(),
    order: orderOf(now, body.priority),
    units,
    holder: body.holder ?? {},
    ...(body.department !== undefined && { department: body.department }),
    createdAt: now,
    pingBy: at + PING_WITHIN,
    ...(body.maxWait && { waitUntil: at + Math.floor(milliseconds(now, body.maxWait) / 1000) }),
    overtaken: 0,
  }
  const address: TicketAddress = { ...asked, metric, order: ticket.order, ref: ticket.ref }

  const joined = await settle<TicketView>(call, services, {
    ...asked,
    metrics: [metric],
    place: body,
    blind: () => undefined,
    async decide(grounds, pools): Promise<Step<TicketView> | Refusal> {
      const refused = refuseCaller(call.caller, grounds, now, services)
      if (refused) return refused
      const pool = pools.get(metric)
      const { size, offers, shares } = offersOf(grounds, metric, now, services)
      if (pool === undefined || size.limit === 0) return notInForce
      const department = codeOf(shares, body.department)
      const ask = { ref: ticket.ref, units, kind: 'lease', generation: 0, department } as const
      const part = { wanted: body.wanted, size, offers, shares, ask }
      const most = mostFor(shares, size.limit, department)
      if (units > most) {
        const because = units > size.limit ? 'capacity' : 'quota'
        return shortage(call, asked, part, pool, because, body, true, services)
      }
      const longest = Math.min(
        body.maxPosition ?? LONGEST_QUEUE,
        ruleOf(size, 'queue')?.maxPosition ?? LONGEST_QUEUE,
      )
      if (pool.waiting >= longest) {
        const looked = await lookAtQueue({ ...asked, metric }, pool, grounds, now, services)
        if (looked.served || looked.isOutdated) return makeWay(call, metric, looked.served)
        const forgotten = await forgetDead({ ...asked, metric }, now, services)
        if (forgotten) return makeWay(call, metric, forgotten)
        await denied(call, asked, body.wanted, body, undefined, { because: 'capacity' }, services)
        return refuse(
          'QUEUE_TOO_LONG',
          `${pool.waiting} wait already; at most ${longest - 1} were to be before.`,
        )
      }
      const found = await joinServed(address, pool, ticket, grounds, now, services)
      if (found === undefined) return makeWay(call, metric, undefined)
      const { change, beside } = found.served
      const view =
        'held' in found
          ? heldView(found.held.until)
          : waitingView(found.waits, found.before, applied(pool, change), now)
      return {
        changes: new Map([[metric, { ...change, waitingBelow: longest }]]),
        beside,
        last: lastOf('join', ticket.ref, call, body),
        reply: { ticketId: sealTicketId(address, services.secrets.leaseKey), ...view },
      }
    },
  })
  return unlicensed(joined, call, asked, [body.wanted], body, services)
}

/** Says that somebody still waits, and where the ticket stands; what has become free since is given out on the way. */
export async function pingTicket(
  call: CommitRequest,
  address: TicketAddress,
  services: LeaseServices,
): Promise<TicketView | Refusal | Replayed> {
  const { now } = call
  const { table } = services
  const at = seconds(now)
  const { tenantId, productId, metric } = address
  const ticketId = sealTicketId(address, services.secrets.leaseKey)
  return settle<TicketView>(call, services, {
    tenantId,
    productId,
    metrics: [metric],
    blind: () => undefined,
    async decide(grounds, pools) {
      const pool = pools.get(metric)
      if (pool === undefined) return { changes: new Map(), reply: { ticketId, ...ENDED } }
      const served = await serveQueue(address, pool, grounds, now, services)
      if (served !== undefined) return makeWay(call, metric, served)
      const hold = pool.entries.get(address.ref)
      if (hold?.kind === 'hold' && !isLapsed(hold, at)) {
        return { changes: new Map(), reply: { ticketId, ...heldView(hold.until) } }
      }
      const ticket = await readTicket(table, address, address)
      if (ticket === undefined || isDead(ticket, at)) {
        return { changes: new Map(), reply: { ticketId, ...ENDED } }
      }
      const pinged = { ...ticket, pingBy: at + PING_WITHIN }
      const before = await readQueue(table, address, COUNTED, ticket)
      const reply: TicketView = { ticketId, ...waitingView(pinged, before, pool, now) }
      return { changes: new Map(), beside: { ping: setPing(address, ticket, pinged.pingBy) }, reply }
    },
  })
}

/** What becomes of a ticket, whichever it is. */
type State = Omit<TicketView, 'ticketId'>

const ENDED: State = { state: 'ended' }
const heldView = (until: Seconds): State => ({ state: 'held', claimBefore: instantOf(until) })

/** One that waits, `before` it the first of those before it. */
function waitingView(ticket: Ticket, before: readonly Ticket[], pool: Pool, now: Instant): State {
  const counted = before.slice(0, COUNTED)
  const { position, estimate } = standingOf(ticket, counted, pool, seconds(now))
  return {
    state: 'waiting',
    pingBefore: instantOf(ticket.pingBy),
    position,
    ...(counted.length === COUNTED && { positionIsAtLeast: true }),
    ...(estimate !== undefined && {
      estimate: { at: instantOf(estimate), basis: 'ends-of-leases' as const },
    }),
  }
}

/** Leaves the queue, or gives up the place that is held. A second time changes nothing. */
export async function cancelTicket(
  call: CommitRequest,
  address: TicketAddress,
  services: LeaseServices,
): Promise<{ canceled: boolean } | Refusal | Replayed> {
  const { now } = call
  const { tenantId, productId, metric, ref } = address
  return settle<{ canceled: boolean }>(call, services, {
    tenantId,
    productId,
    metrics: [metric],
    blind: () => undefined,
    async decide(grounds, pools) {
      const pool = pools.get(metric)
      if (pool === undefined) return { changes: new Map(), reply: { canceled: false } }
      const ticket = await readTicket(services.table, address, address)
      if (ticket !== undefined) {
        const change: PoolChange = { put: new Map(), seen: new Map(), remove: [], tickets: -1 }
        return {
          changes: new Map([[metric, change]]),
          beside: { ticket: leaveQueue(address, ticket) },
          last: lastOf('leave', ref, call),
          reply: { canceled: true },
        }
      }
      const hold = pool.entries.get(ref)
      if (hold?.kind !== 'hold' || isLapsed(hold, seconds(now)))
        return { changes: new Map(), reply: { canceled: false } }
      const change = giveBack(ref, hold, 0)
      const served = await giveOn(address, pool, grounds, now, services, change)
      return {
        changes: new Map([[metric, served.change]]),
        beside: served.beside,
        last: lastOf('leave', ref, call),
        reply: { canceled: true },
      }
    },
  })
}
