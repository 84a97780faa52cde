import type { Event } from './event.ts'
import { nameOf } from './explain-pool.ts'
import { Holder } from './lease-last.ts'

/** Who a check-out was for, of all that its event says. */
const Told = Holder.strip()

/** Events by which a lease, a ticket or an activation ends. */
const ENDS: ReadonlySet<string> = new Set([
  'lease.checked-in',
  'lease.lapsed',
  'lease.released',
  'lease.returned',
  'lease.withdrawn',
  'ticket.canceled',
  'ticket.lapsed',
  'activation.deactivated',
  'activation.moved',
  'activation.reclaimed',
])

/** Events by which somebody gets the place that another one lost in the same request. */
const BEGINS: ReadonlySet<string> = new Set(['lease.checked-out', 'lease.borrowed', 'ticket.held'])

/** The last event by which something ended. */
export function endOf(events: readonly Event[], subjectId: string): Event | undefined {
  return events
    .filter(({ type, subject }) => subject.id === subjectId && ENDS.has(type))
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
    .at(0)
}

/**
 * What became of something that is gone, by the record of it: when, and for who may know of others also by whom, why,
 * and who got its place.
 */
export function becameOf(events: readonly Event[], subjectId: string, others: boolean): string | undefined {
  const end = endOf(events, subjectId)
  if (end === undefined) return undefined
  const { type, at, actor, reason, requestId, after } = end
  if (!others) return `${type} on ${at}`
  const who = actor.kind === 'system' ? '' : ` by ${actor.kind} ${actor.subject}`
  const next = events.find(
    (one) => one.requestId === requestId && BEGINS.has(one.type) && one.subject.id !== subjectId,
  )
  const taken = next ? `; its place went to ${goneTo(next)}` : ''
  const by = typeof after?.['by'] === 'string' ? `; its place went to ${after['by']}` : ''
  return `${type} on ${at}${who}${reason ? `: ${reason}` : ''}${taken}${by}`
}

/** Who has it now, where the record says so: a place kept for a ticket says it once it is claimed. */
function goneTo({ subject, after }: Event): string {
  const told = Told.parse(after ?? {})
  return Object.keys(told).length === 0 ? subject.id : `${subject.id} (${nameOf(told)})`
}
