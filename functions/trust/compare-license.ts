import type { Event } from '../../shared/domain/event.ts'
import { type Found, judgeLicense, type LicenseRecord, recorded } from '../../shared/domain/integrity.ts'
import type { License } from '../../shared/domain/license.ts'
import { maskedKey } from '../../shared/domain/license-key.ts'
import { licenseView } from '../../shared/domain/license-view.ts'
import { EventId } from '../../shared/platform/ids.ts'
import { type Instant, MINUTE, plusMilliseconds } from '../../shared/platform/time.ts'
import { CorruptItemError, type Item, readable } from '../../shared/store/codec.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { readLicense } from '../../shared/store/holdings.ts'
import { eventKey, eventLog } from '../../shared/store/keys.ts'
import { readItem, readPages } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { VerifyingServices } from '../verified.ts'

type Services = Pick<VerifyingServices, 'table' | 'verifier'>
type View = Readonly<Record<string, unknown>>

/** How often somebody else may write the license while it is looked at. */
const ATTEMPTS = 3
/** Events are named by when their request came, and written some time after. */
const OVERLAP = 5 * MINUTE
/** Pages of 1 MB of a tenant's log that are looked through for a license. */
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
 * What is wrong with a row for certain. What was recorded of licenses follows their events by seconds, so the log itself
 * is asked for later ones; and as long as the row is the same before and after that, the log was complete for it.
 */
export async function compareLicense(
  found: License,
  known: LicenseRecord | undefined,
  services: Services,
): Promise<Found[]> {
  const { table } = services
  let license = found
  for (let tries = 0; tries < ATTEMPTS; tries += 1) {
    const { record, view } = await latestRecord(license, known, table)
    const again = await readAgain(license, table)
    if (again === undefined) return []
    if (again.version === license.version) return suspicions(license, record, view, services)
    license = again
  }
  // It is being written: the next look will see.
  return []
}

/** What the log says of a license, beginning with what was noted of it. */
async function latestRecord(license: License, known: LicenseRecord | undefined, table: Table) {
  const noted = known && (await readEvent(table, license.tenantId, known))
  const from = noted ? noted.at : license.signedAt
  let record = known
  let view = noted?.after
  for (const event of await eventsSince(license, plusMilliseconds(from, -OVERLAP), table)) {
    const next = recorded(record, event)
    if (next === undefined) continue
    // What was noted stands for all up to it.
    if (known && event.id <= known.eventId && next.revision <= known.revision) continue
    record = next
    if (event.id === next.eventId) view = event.after
  }
  return { record, view }
}

async function eventsSince({ id, tenantId }: License, from: Instant, table: Table): Promise<Event[]> {
  const events: Event[] = []
  let pages = 0
  for await (const { items } of readPages(table, { pk: eventLog(tenantId), newestFirst: true })) {
    const read = items.flatMap((item) => eventIn(item) ?? [])
    events.push(...read.filter(({ subject }) => subject.id === id))
    pages += 1
    if (pages === MOST_PAGES || read.some(({ at }) => at < from)) break
  }
  return events.filter(({ at }) => at >= from).toReversed()
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
