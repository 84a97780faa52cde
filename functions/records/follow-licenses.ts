import * as z from 'zod'
import type { Event } from '../../shared/domain/event.ts'
import type { EventType } from '../../shared/domain/event-types.ts'
import { type LicenseRecord, recorded } from '../../shared/domain/integrity.ts'
import { LicenseId, ProductId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'
import { noteLicenseRecord, readLicenseRecord } from '../../shared/store/license-record.ts'
import { fileEarlier, transitionTimer, watchTenant } from '../../shared/store/license-timers.ts'
import type { Table } from '../../shared/store/transact.ts'
import { writeRow } from '../../shared/store/write.ts'
import { tellCorrupt } from '../tell-corrupt.ts'
import type { EventStep } from './event-steps.ts'

/** By which a tenant has a license that it had not. */
const ARRIVALS: ReadonlySet<string> = new Set<EventType>([
  'license.issued',
  'license.imported',
  'license.received',
])

/**
 * What follows from a change of a license: it is noted what was recorded of it, for the integrity scan to hold its row
 * against; its tenant is validated and scanned from now on; and there is a timer for the next instant at which time
 * changes its status. Here and not in the transactions that change licenses, so that those stay as small as they are.
 */
export const followLicenses: EventStep = async (events, { table, log }) => {
  const known = new Map<LicenseId, LicenseRecord>()
  for (const event of events) {
    const { data: licenseId } = LicenseId.safeParse(event.subject.id)
    const { tenantId, requestId } = event
    if (licenseId === undefined || tenantId === undefined) continue
    const before =
      known.get(licenseId) ??
      (await readLicenseRecord(table, tenantId, licenseId, tellCorrupt(log, requestId, tenantId)))
    const record = recorded(before, event)
    if (record === undefined) continue
    known.set(licenseId, record)
    await writeRow(table, noteLicenseRecord(tenantId, record))
    await fileTransition(table, event)
    if (ARRIVALS.has(event.type)) await watchTenant(table, tenantId, event.at)
  }
}

const Dates = z.looseObject({
  productId: ProductId,
  validFrom: Instant.optional(),
  expiresAt: Instant.optional(),
  graceEndsAt: Instant.optional(),
})

/** The timer of the product covers its other licenses already: it only ever has to come earlier. */
async function fileTransition(table: Table, { tenantId, after, at }: Event): Promise<void> {
  const dates = Dates.safeParse(after)
  if (tenantId === undefined || !dates.success) return
  const { productId, validFrom, expiresAt, graceEndsAt } = dates.data
  const [next] = [validFrom, expiresAt, graceEndsAt]
    .filter((instant) => instant !== undefined)
    .filter((instant) => instant > at)
    .toSorted()
  if (next !== undefined) await fileEarlier(table, transitionTimer(tenantId, productId, next))
}
