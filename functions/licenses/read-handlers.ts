import type { LicenseView } from '../../shared/domain/license-view.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { licenseEntity } from '../../shared/store/holdings.ts'
import { KIND, ownedByTenant } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import type { Range } from '../../shared/store/read.ts'
import { loadLicense, viewOf, viewsOf } from '../known-license.ts'
import type { licensesRoutes } from './routes.ts'
import type { LicenseServices } from './services.ts'

type ReadHandlers = Pick<Handlers<typeof licensesRoutes, LicenseServices>, 'getLicense' | 'listLicenses'>

export const readHandlers: ReadHandlers = {
  async getLicense(call, services) {
    const license = await loadLicense(services, call.params.licenseId)
    return isRefusal(license) ? license : viewOf(license, services, call.now)
  },

  async listLicenses({ query, now }, services) {
    const { tenantId, productId, type, status, expiresBefore } = query
    const wanted = (view: LicenseView) =>
      (productId === undefined || view.productId === productId) &&
      (type === undefined || view.type === type) &&
      (status === undefined || view.status === status) &&
      (expiresBefore === undefined || endOf(view) < expiresBefore)
    const range: Range =
      tenantId === undefined
        ? { index: 'kind', pk: KIND.licenses, ...(expiresBefore && { below: expiresBefore }) }
        : { index: 'owned', pk: ownedByTenant(tenantId, 'LICENSES') }
    return readPage(services.table, services.secrets.cursorKey, range, query, async (items) => {
      const views = await viewsOf(items.map(licenseEntity.decode), services, now)
      return views.map((view) => (wanted(view) ? view : undefined))
    })
  },
}

/** Never expiring sorts behind every instant. */
const endOf = ({ effectiveExpiresAt, expiresAt }: LicenseView) =>
  (effectiveExpiresAt === undefined ? expiresAt : effectiveExpiresAt) ?? '~'
