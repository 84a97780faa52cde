import { type Base, decideIssue } from '../../shared/domain/issue.ts'
import type { License } from '../../shared/domain/license.ts'
import { isRefusal, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { newLicenseId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { addressById, addressByKey, addressByReference } from '../../shared/store/address.ts'
import { readPlan, readProduct } from '../../shared/store/catalog.ts'
import { fencesOf, raiseTenantFence } from '../../shared/store/fence.ts'
import { licenseItem, replaceLicense } from '../../shared/store/holdings.ts'
import { licenseKey, planKey, productKey, tenantKey } from '../../shared/store/keys.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { type Action, checkLive, putOnce } from '../../shared/store/transact.ts'
import { fileOf, loadLicense, viewOf } from '../known-license.ts'
import { commitAndServe } from '../seating/serve-seats.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { licensesRoutes } from './routes.ts'
import { type LicenseServices, sealed } from './services.ts'

export const issueHandlers: Pick<Handlers<typeof licensesRoutes, LicenseServices>, 'issueLicense'> = {
  async issueLicense(call, services) {
    const { table } = services
    const { tenantId, planId, extends: baseId, ...order } = call.body
    return untilFresh(async () => {
      const [tenant, plan, base] = await Promise.all([
        readTenant(table, tenantId),
        readPlan(table, planId),
        baseId === undefined ? undefined : loadLicense(services, baseId),
      ])
      const product = plan && (await readProduct(table, plan.productId))
      if (tenant === undefined) return unknown('tenantId', tenantId)
      if (plan === undefined || product === undefined) return unknown('planId', planId)
      if (isRefusal(base)) return unknown('extends', String(baseId))

      const decision = decideIssue(
        newLicenseId(call.now),
        order,
        { plan, product, tenant, base: base && (await withItsEnd(base, services, call.now)) },
        call.now,
      )
      if (isRefusal(decision)) return decision
      const { license, key } = await sealed(decision, services)
      const file = fileOf(license, services)
      if (isRefusal(file)) return file
      const view = await viewOf(license, services, call.now)
      const { writes: fences, waiting } = await fencesOf(table, license)
      return commitAndServe(
        call,
        services,
        { tenantId, waiting },
        {
          writes: {
            tenant: checkLive(tenantKey(tenantId)),
            tenantFence: raiseTenantFence(tenantId),
            plan: checkLive(planKey(planId)),
            product: checkLive(productKey(product.id)),
            ...(base && { base: baseOf(license, base) }),
            ...newLicense(license),
            ...fences,
          },
          events: [
            { type: 'license.issued', tenantId, subject: { type: 'license', id: license.id }, after: view },
            {
              type: 'license-key.generated',
              tenantId,
              subject: { type: 'license', id: license.id },
              after: { key: view.key },
            },
          ],
          reply: { license: view, key, file },
          refusals: {
            tenant: refuse('ARCHIVED', 'The tenant was archived.'),
            plan: refuse('ARCHIVED', 'The plan was archived.'),
            product: refuse('ARCHIVED', 'The product was archived.'),
            base: outdated,
            reference: refuse('CODE_TAKEN', `Another license has the reference ${license.reference}.`),
          },
        },
      )
    })
  },
}

/** The items of a new license: its row, and its addresses by id, key and reference. */
export function newLicense(
  license: License,
): Record<'license' | 'byId' | 'byKey', Action> & { reference?: Action } {
  const address = { tenantId: license.tenantId, productId: license.productId, licenseId: license.id }
  return {
    license: putOnce(licenseItem(license)),
    byId: putOnce(addressById(address)),
    byKey: putOnce(addressByKey(license.keyHash, address)),
    ...(license.reference && { reference: putOnce(addressByReference(license.reference, address)) }),
  }
}

/** A base with the end that its extensions give it. */
async function withItsEnd(base: License, services: LicenseServices, now: Instant): Promise<Base> {
  const { effectiveExpiresAt } = await viewOf(base, services, now)
  return { ...base, extendedTo: effectiveExpiresAt ?? undefined }
}

/** The base must still be there to extend; it remembers which licenses extend its time. */
export function baseOf(license: License, base: License): Action {
  if (license.type === 'VALIDITY') return replaceLicense(extendedBy(base, license))
  const { tenantId, productId, id } = base
  return {
    kind: 'check',
    key: licenseKey(tenantId, productId, id),
    condition: 'attribute_exists(pk) AND attribute_not_exists(revokedAt)',
  }
}

function extendedBy(base: License, license: License): License {
  return { ...base, extendedBy: [...(base.extendedBy ?? []), license.id] }
}

function unknown(field: string, id: string) {
  return refuse('INVALID_REQUEST', `There is no ${id}.`, {
    errors: [{ field: `/body/${field}`, message: 'does not exist' }],
  })
}
