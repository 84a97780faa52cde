import type { EventDraft } from '../../shared/domain/event.ts'
import { type Found, type IntegrityEvent, isStanding } from '../../shared/domain/integrity.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import type { Log } from '../../shared/platform/log.ts'
import { record } from '../../shared/store/commit.ts'
import { eventItem } from '../../shared/store/event.ts'
import {
  findingId,
  newIntegrityEvent,
  readIntegrityEvents,
  replaceIntegrityEvent,
} from '../../shared/store/integrity.ts'
import { type Action, putOnce, type Table, transact } from '../../shared/store/transact.ts'
import type { CommitRequest } from '../services.ts'
import { tellCorrupt } from '../tell-corrupt.ts'

type Request = Pick<CommitRequest, 'caller' | 'now' | 'requestId'>

/**
 * Notes what was found of a tenant: what is new becomes a critical event, once; what was known and stays as it was told,
 * with what somebody noted of it; what was looked at and is well again is mended. What differs in another way than
 * before is new, whoever took note of the former: that is superseded.
 *
 * @param isLookedAt was this looked at, so that its absence says that it is well?
 */
export async function noteFound(
  tenantId: TenantId,
  all: readonly Found[],
  isLookedAt: (known: IntegrityEvent) => boolean,
  request: Request,
  { table, log }: { readonly table: Table; readonly log: Log },
): Promise<{ found: number; mended: number }> {
  const { events: known, garbled } = await readIntegrityEvents(
    table,
    tenantId,
    tellCorrupt(log, request.requestId, tenantId),
  )
  const byId = new Map(known.map((event) => [event.id, event]))
  const ids = new Set(all.map((one) => findingId(tenantId, one)))
  let [found, mended] = [0, 0]
  const ended = new Set<IntegrityEvent['id']>()
  for (const one of all) {
    const read = byId.get(findingId(tenantId, one))
    if (read !== undefined && isStanding(read)) continue
    const next = newIntegrityEvent(tenantId, one, request.now)
    const former = known.filter((event) => isStanding(event) && isOfSame(event, one) && !ids.has(event.id))
    const superseded = former.map((event): [string, Action] => [
      event.id,
      replaceIntegrityEvent({ ...event, state: 'superseded', endedAt: request.now }, event),
    ])
    for (const { id } of former) ended.add(id)
    const told = telling('integrity.found', next, {
      differs: next.differs,
      since: next.since,
      ...(former.length > 0 && { supersedes: former.map(({ id }) => id) }),
    })
    const before = garbled.has(next.id) ? 'garbled' : read
    if (await write({ event: replaceIntegrityEvent(next, before), ...Object.fromEntries(superseded) }, told))
      found += 1
  }
  for (const event of known) {
    if (!isStanding(event) || ids.has(event.id) || ended.has(event.id) || !isLookedAt(event)) continue
    const next: IntegrityEvent = { ...event, state: 'mended', endedAt: request.now }
    if (
      await write(
        { event: replaceIntegrityEvent(next, event) },
        telling('integrity.mended', next, { since: next.since }),
      )
    )
      mended += 1
  }
  return { found, mended }

  /** False if somebody else was faster: two scans at once, or who took note of it meanwhile. The next scan sees. */
  async function write(writes: Record<string, Action>, draft: EventDraft): Promise<boolean> {
    const outcome = await transact(table, { ...writes, told: putOnce(eventItem(record(draft, request))) })
    return outcome.ok
  }
}

const isOfSame = (event: IntegrityEvent, { check, subject }: Found) =>
  event.check === check && event.subject.type === subject.type && event.subject.id === subject.id

/** The event is about what was found to differ; which of them it is, it says beside. */
export const telling = (
  type: EventDraft['type'],
  { id, tenantId, check, subject, detail }: IntegrityEvent,
  more: Readonly<Record<string, unknown>>,
): EventDraft => ({ type, tenantId, subject, after: { findingId: id, check, detail, ...more } })
