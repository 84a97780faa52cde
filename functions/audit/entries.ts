import type { Caller } from '../../shared/domain/access.ts'
import { eventEntry } from '../../shared/domain/audit-entry.ts'
import { logOf } from '../../shared/domain/checkpoint.ts'
import type { Event } from '../../shared/domain/event.ts'
import type { Refusal } from '../../shared/domain/refusal.ts'
import { eventIdsFrom, type TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { type AuditLeaf, readLeavesAt, readPlaces, readPlacesBetween } from '../../shared/store/audit-log.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { eventLog } from '../../shared/store/keys.ts'
import { type Page, readPage } from '../../shared/store/page.ts'
import { base64 } from './read-log.ts'
import type { AuditServices } from './services.ts'
import type { EntriesQuery } from './shapes.ts'

type Filter = Partial<Pick<EntriesQuery, 'type' | 'actor' | 'subject' | 'requestId' | 'since' | 'until'>>
/** Who did it, as events of tenants name a credential of the vendor's staff; asks nothing of who may not know that. */
type AliasOf = (actor: string) => string

export const aliasFor = (caller: Caller, { secrets }: Pick<AuditServices, 'secrets'>): AliasOf =>
  caller.kind === 'vendor' ? secrets.staffAlias : (actor) => actor

/** An event as the log has it. */
type LoggedEvent = { index: number; event: Event; salt: string; entry: string }

/** Events looked at for one page: what a filter leaves out costs time, too. */
const MOST_LOOKED_AT = 2_000

/** A page of a tenant's events, or of the vendor's own, that pass a filter, as far as they are in their log. */
export async function listEntries(
  tenantId: TenantId | undefined,
  query: EntriesQuery,
  aliasOf: AliasOf,
  { table, secrets }: AuditServices,
): Promise<Page<LoggedEvent> | Refusal> {
  const log = logOf(tenantId)
  const between = [madeSince(query.since), madeUntil(query.until)] as const
  // DynamoDB refuses a range whose end is before its beginning.
  if (between[0] > between[1]) return { items: [] }
  const range = {
    pk: eventLog(tenantId),
    between,
    newestFirst: query.order === 'newest',
  }
  return readPage(table, secrets.cursorKey, range, { ...query, most: MOST_LOOKED_AT }, async (items) => {
    const events = items.map((item) => eventEntity.decode(item))
    const wanted = events.filter((event) => passes(event, query, aliasOf))
    const ids = wanted.map(({ id }) => id).toSorted()
    const [first, last] = [ids[0], ids.at(-1)]
    if (first === undefined || last === undefined) return events.map(() => undefined)
    const places =
      wanted.length === events.length
        ? await readPlacesBetween(table, log, first, last)
        : await readPlaces(table, log, ids)
    const leaves = await readLeavesAt(table, log, [...places.values()])
    return events.map((event) => {
      const index = places.get(event.id)
      return index === undefined ? undefined : logged(event, leaves.get(index))
    })
  })
}

function logged(event: Event, leaf: AuditLeaf | undefined): LoggedEvent | undefined {
  if (leaf?.salt === undefined) return undefined
  return { index: leaf.index, event, salt: base64(leaf.salt), entry: base64(eventEntry(event, leaf.salt)) }
}

export function passes(event: Event, filter: Filter, aliasOf: AliasOf): boolean {
  const { type, actor, subject, requestId } = filter
  return (
    (type === undefined || isOfType(event.type, type)) &&
    (actor === undefined || [actor, aliasOf(actor)].includes(event.actor.subject)) &&
    (subject === undefined || event.subject.id === subject) &&
    (requestId === undefined || event.requestId === requestId) &&
    (filter.since === undefined || event.id >= madeSince(filter.since)) &&
    (filter.until === undefined || event.id < madeUntil(filter.until))
  )
}

const isOfType = (type: string, wanted: string) =>
  wanted.endsWith('.*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted

const madeSince = (since: Instant | undefined) => (since === undefined ? 'evt_' : eventIdsFrom(since))
/** Of an instant itself none is below this. */
const madeUntil = (until: Instant | undefined) => (until === undefined ? 'evt_~' : eventIdsFrom(until))
