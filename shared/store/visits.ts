import type { Countries } from '../domain/country.ts'
import { forgottenOn, Visits } from '../domain/visits.ts'
import type { LicenseId, TenantId } from '../platform/ids.ts'
import { DAY, epochSeconds, Instant, plusMilliseconds } from '../platform/time.ts'
import { entity } from './codec.ts'
import { visitsKey, visitsOfTenant } from './keys.ts'
import { type Range, readItem } from './read.ts'
import { type Action, putVersion, type Table } from './transact.ts'

export const visitsEntity = entity('visits', 1, Visits)

/** TTL knows no calendar: a day more than the farthest time zones are apart. */
const MARGIN = 3 * DAY

type Whose = Pick<Visits, 'licenseId' | 'visitor'>

/** What was noted of one visitor of a license, strongly consistent. */
export async function readVisits(
  table: Table,
  tenantId: TenantId,
  { licenseId, visitor }: Whose,
): Promise<Visits | undefined> {
  const item = await readItem(table, visitsKey(tenantId, licenseId, visitor))
  return item && visitsEntity.decode(item)
}

/**
 * Replaces the row as it was read: fails if another request noted something since, so that no two of them take the last
 * day of an allowance.
 */
export function putVisits(tenantId: TenantId, visits: Visits, rule: Pick<Countries, 'travel'>): Action {
  const last = visits.visits.at(-1)
  if (last === undefined) throw new RangeError('a row of visits has one')
  const forgotten = Instant.parse(`${forgottenOn(rule, last.day)}T00:00:00Z`)
  const item = visitsEntity.encode(visitsKey(tenantId, visits.licenseId, visits.visitor), visits, {
    ttl: epochSeconds(plusMilliseconds(forgotten, MARGIN)),
  })
  return putVersion(item, visits.version === 1 ? undefined : visits.version - 1)
}

/** All that was noted of a tenant's licenses, or of one. */
export const visitsRange = (tenantId: TenantId, licenseId: LicenseId | undefined): Range => ({
  pk: visitsOfTenant(tenantId),
  ...(licenseId && { prefix: `${licenseId}#` }),
})
