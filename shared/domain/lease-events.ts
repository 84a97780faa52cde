import type { ProductId, TenantId } from '../platform/ids.ts'
import { fromEpochMilliseconds, type Instant } from '../platform/time.ts'
import type { Event, EventDraft } from './event.ts'
import type { EventType } from './event-types.ts'
import type { Entry } from './lease-entry.ts'
import { actorOf, type Last } from './lease-last.ts'
import { isAnew, newsOf } from './lease-turns.ts'
import type { Pool } from './pool.ts'

/** An event of a pool, complete but for its id. */
type LeaseEvent = EventDraft & Pick<Event, 'at' | 'actor' | 'requestId'>

type Address = { readonly tenantId: TenantId; readonly productId: ProductId; readonly metric: string }

/**
 * The events of one change of a pool, or of a page of one, from its item before and after: what came, what went and, by
 * `last`, on whose behalf. The change and its record are one write, so there is none without the other. A heartbeat
 * renews and is no event; what it found lapsed and took away is. A release by the tenant has its event in its own
 * transaction.
 */
export function leaseEvents(
  address: Address,
  before: Pool | undefined,
  after: Pool,
  recordedAt: Instant,
): LeaseEvent[] {
  const { last, asked, event } = telling(address, before, after, recordedAt)
  const view = (entry: Entry) => ({
    productId: address.productId,
    metric: address.metric,
    units: entry.units,
    overdraft: entry.overdraft,
    expiresAt: fromEpochMilliseconds(entry.until * 1000),
  })
  const events: LeaseEvent[] = []
  const gone = (ref: string, entry: Entry) => {
    const own = last?.ref === ref ? WENT[last.op] : undefined
    if (own === null) return
    const lapse = entry.kind === 'hold' ? 'ticket.lapsed' : 'lease.lapsed'
    // Of an early return nobody has proven, a copy may go on.
    const isOpen = own === 'lease.returned' && last?.pr !== true
    const after = isOpen ? { mayBeUsedOfflineUntil: view(entry).expiresAt } : undefined
    // What had lapsed ended by itself, whoever came upon it.
    const images = { before: view(entry), ...(after && { after }) }
    events.push(event(own ?? lapse, ref, images, own === undefined))
  }
  for (const [ref, entry] of inOrder(before)) if (!after.entries.has(ref)) gone(ref, entry)
  for (const [ref, entry] of inOrder(after)) {
    const was = before?.entries.get(ref)
    const isOwn = last?.ref === ref
    const isNext = was !== undefined && isAnew(last, ref, was)
    if (isNext) gone(ref, was)
    if (was === undefined || isNext || was.kind !== entry.kind) {
      const images = { after: { ...view(entry), ...(isOwn && asked) } }
      events.push(event(CAME[entry.kind], ref, images, !isOwn))
    } else if (entry.sharers > was.sharers) events.push(event('lease.shared', ref, { after: { ...asked } }))
    else if (entry.sharers < was.sharers) events.push(event('lease.unshared', ref, { after: { ...asked } }))
  }
  return events
}

/** An image has its attributes in no order, and each event is to have the same place whenever the record comes. */
const inOrder = (pool: Pool | undefined) =>
  [...(pool?.entries ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1))

/**
 * The events of a pool's queue, from its item before and after: a ticket joins or leaves by its own request; the others
 * that went became holds, which lie in the item, or nobody waited for them.
 */
export function queueEvents(
  address: Address,
  before: Pool | undefined,
  after: Pool,
  recordedAt: Instant,
): LeaseEvent[] {
  const { productId, metric } = address
  const { last, asked, event } = telling(address, before, after, recordedAt)
  const found: LeaseEvent[] = []
  const joins = last?.op === 'join' ? 1 : 0
  const leaves = last?.op === 'leave' && before?.entries.has(last.ref) === false ? 1 : 0
  if (last && joins) found.push(event('ticket.joined', last.ref, { after: { productId, metric, ...asked } }))
  if (last && leaves) found.push(event('ticket.canceled', last.ref, { before: { productId, metric } }))
  const holds = [...after.entries].filter(([ref, { kind }]) => kind === 'hold' && !before?.entries.has(ref))
  const expired = (before?.waiting ?? 0) + joins - leaves - holds.length - after.waiting
  if (expired > 0)
    found.push(event('ticket.expired', metric, { before: { productId, metric, tickets: expired } }, true))
  return found
}

/** What a change says of itself, and its events as they are told. */
function telling({ tenantId }: Address, before: Pool | undefined, after: Pool, recordedAt: Instant) {
  const last = newsOf(before, after)
  const common = {
    tenantId,
    at: last === undefined ? recordedAt : fromEpochMilliseconds(last.at),
    requestId: last?.rq ?? 'heartbeat',
  }
  return {
    last,
    /** For whom it was. */
    asked: last && {
      ...(last.u !== undefined && { userId: last.u }),
      ...(last.m !== undefined && { machine: last.m }),
      ...(last.p !== undefined && { process: last.p }),
      ...(last.d !== undefined && { department: last.d }),
    },
    /** `byItself`: nobody asked for that. */
    event: (
      type: EventType,
      ref: string,
      images: Pick<EventDraft, 'before' | 'after'>,
      byItself = false,
    ): LeaseEvent => ({
      ...common,
      actor: last === undefined || byItself ? SERVICE : actorOf(last),
      type,
      subject: { type: type.startsWith('ticket') ? 'ticket' : 'lease', id: ref },
      ...images,
    }),
  }
}

const SERVICE: Event['actor'] = { kind: 'system', subject: 'pool' }

const CAME: Readonly<Record<Entry['kind'], EventType>> = {
  lease: 'lease.checked-out',
  shared: 'lease.checked-out',
  hold: 'ticket.held',
  borrow: 'lease.borrowed',
}

/**
 * What the entry that a request was about went by; null where that is told otherwise (a place that was claimed comes on a
 * page as a lease), undefined where it lapsed.
 */
const WENT: Readonly<Partial<Record<Last['op'], EventType | null>>> = {
  in: 'lease.checked-in',
  return: 'lease.returned',
  shed: 'lease.withdrawn',
  leave: 'ticket.canceled',
  release: null,
  claim: null,
}
