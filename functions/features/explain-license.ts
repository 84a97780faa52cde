import { explainLicense } from '../../shared/domain/explain-license.ts'
import { withPlaces } from '../../shared/domain/explain-place.ts'
import type { Explanation } from '../../shared/domain/explanation.ts'
import type { Standing } from '../../shared/domain/holdings.ts'
import type { Visits } from '../../shared/domain/visits.ts'
import type { Call } from '../../shared/platform/http/contract.ts'
import { dayOf } from '../../shared/platform/time.ts'
import { readPages } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import { visitsEntity, visitsRange } from '../../shared/store/visits.ts'
import type { VerifyingServices } from '../verified.ts'
import type { featuresRoutes } from './routes.ts'

/** Does a license count, and where may it be used, where was it? */
export async function aboutLicense(
  { caller, body, now }: Call<(typeof featuresRoutes)['explain']>,
  standing: Standing,
  { table }: VerifyingServices,
): Promise<Explanation> {
  const { license } = standing
  const explained = explainLicense(standing)
  if (license.rules.countries === undefined) return explained
  return withPlaces(explained, license, await someVisits(license, table), {
    country: body.country,
    today: dayOf(now, license.timeZone),
    others: caller.kind !== 'license',
  })
}

/** What was noted of a license; of very many visitors only some, which the tenant's list has all of. */
async function someVisits({ id, tenantId }: Standing['license'], table: Table): Promise<Visits[]> {
  for await (const { items } of readPages(table, visitsRange(tenantId, id)))
    return items.map(visitsEntity.decode)
  return []
}
