import type { Event } from '../../shared/domain/event.ts'
import { type Found, judgeLicense, type LicenseRecord, recorded } from '../../shared/domain/integrity.ts'
import type { License } from '../../shared/domain/license.ts'
import { maskedKey } from '../../shared/domain/license-key.ts'
import { licenseView } from '../../shared/domain/license-view.ts'
import { EventId } from '../../shared/platform/ids.ts'
import { earliest, type Instant, MINUTE, plusMilliseconds } from '../../shared/platform/time.ts'
import { CorruptItemError, type Item, readable } from '../../shared/store/codec.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { readLicense } from '../../shared/store/holdings.ts'
import { eventKey, eventLog } from '../../shared/store/keys.ts'
import { readItem, readPages } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { VerifyingServices } from '../verified.ts'

type Services = Pick<VerifyingServices, 'table' | 'verifier'>
type View = Readonly<Record<string, unknown>>

/** How often somebody else may write a license while it is looked at. */
const ATTEMPTS = 3
/** Events are named by when their request came, and written some time after. */
const OVERLAP = 5 * MINUTE
/** Pages of 1 MB of a tenant's log that are looked through. */
const MOST_PAGES = 50

/** What a license would be shown as; what depends on other licenses or on time is not compared. */
const comparedView = (license: License): View => licenseView(license, 'ACTIVE', [], false)

/** What is wrong with a row, by what is known to be recorded. It may be that a record is only late. */
export const suspicions = (
  license: License,
  record: LicenseRecord | undefined,
  recordedView: View | undefined,
  { verifier }: Pick<Services, 'verifier'>,
): Found[] =>
  judgeLicense({
    licenseId: license.id,
    view: comparedView(license),
    revision: license.revision,
    key: maskedKey(license.keyHint),
    isGenuine: verifier.isGenuine(license),
    record,
    recordedView,
  })

/**
 * What is wrong with rows of a tenant for certain. What was recorded of licenses follows their events by seconds, so the log
 * itself is asked for later ones, once for all of them; and as long as a row is the same before and after that, the log was
 * complete for it.
 */
export async function compareLicenses(
  suspects: readonly License[],
  known: ReadonlyMap<string, LicenseRecord>,
  services: Services,
): Promise<Found[]> {
  const { table } = services
  const found: Found[] = []
  let left = suspects
  for (let tries = 0; tries < ATTEMPTS && left.length > 0; tries += 1) {
    const looked = await Promise.all(left.map((license) => lookedAt(license, known.get(license.id), table)))
    const events = await eventsSince(looked, table)
    const written: License[] = []
    for (const one of looked) {
      const { license } = one
      const { record, view } = latestRecord(one, events.get(license.id) ?? [])
      const again = await readAgain(license, table)
      if (again === undefined) continue
      if (again.version === license.version) found.push(...suspicions(license, record, view, services))
      else written.push(again)
    }
    left = written
  }
  // What is left is being written: the next look will see.
  return found
}

/** A license with what was noted of it, and since when the log may say more. */
type LookedAt = {
  readonly license: License
  readonly known: LicenseRecord | undefined
  readonly noted: Event | undefined
  readonly from: Instant
}

async function lookedAt(license: License, known: LicenseRecord | undefined, table: Table): Promise<LookedAt> {
  const noted = known && (await readEvent(table, license.tenantId, known))
  return { license, known, noted, from: plusMilliseconds(noted?.at ?? license.signedAt, -OVERLAP) }
}

/** What the log says of a license, beginning with what was noted of it. */
function latestRecord({ known, noted, from }: LookedAt, events: readonly Event[]) {
  let record = known
  let view = noted?.after
  for (const event of events) {
    const next = event.at >= from ? recorded(record, event) : undefined
    if (next === undefined) continue
    // What was noted stands for all up to it.
    if (known && event.id <= known.eventId && next.revision <= known.revision) continue
    record = next
    if (event.id === next.eventId) view = event.after
  }
  return { record, view }
}

/** The events of these licenses of one tenant, oldest first, as far back as one of them needs. */
async function eventsSince(
  looked: readonly LookedAt[],
  table: Table,
): Promise<ReadonlyMap<string, readonly Event[]>> {
  const [first] = looked
  if (first === undefined) return new Map()
  const ids = new Set<string>(looked.map(({ license }) => license.id))
  const since = earliest(first.from, ...looked.map(({ from }) => from))
  const events: Event[] = []
  let pages = 0
  const log = { pk: eventLog(first.license.tenantId), newestFirst: true }
  for await (const { items } of readPages(table, log)) {
    const read = items.flatMap((item) => eventIn(item) ?? [])
    events.push(...read.filter(({ subject }) => ids.has(subject.id)))
    pages += 1
    if (pages === MOST_PAGES || read.some(({ at }) => at < since)) break
  }
  return Map.groupBy(events.toReversed(), ({ subject }) => subject.id)
}

async function readEvent(
  table: Table,
  tenantId: License['tenantId'],
  { eventId }: LicenseRecord,
): Promise<Event | undefined> {
  const id = EventId.safeParse(eventId)
  const item = id.success ? await readItem(table, eventKey(tenantId, id.data)) : undefined
  return item && eventIn(item)
}

/** An event whose row cannot be read says nothing; that it is so, the check of the log tells. */
export const eventIn = (item: Item): Event | undefined => readable(() => eventEntity.decode(item))

async function readAgain({ tenantId, productId, id }: License, table: Table): Promise<License | undefined> {
  try {
    return await readLicense(table, { tenantId, productId, licenseId: id })
  } catch (error) {
    if (error instanceof CorruptItemError) return undefined
    throw error
  }
}
