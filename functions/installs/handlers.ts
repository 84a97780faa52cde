import { seesTenant } from '../../shared/domain/access.ts'
import { attribute } from '../../shared/domain/entitlement.ts'
import { type Holdings, standings } from '../../shared/domain/holdings.ts'
import type { License } from '../../shared/domain/license.ts'
import { usedOf } from '../../shared/domain/meter-rule.ts'
import { isRefusal, notFound } from '../../shared/domain/refusal.ts'
import { own } from '../../shared/domain/terms.ts'
import { checkUpload } from '../../shared/domain/upload.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { findLicense } from '../../shared/store/address.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { fencesOf, raiseFences } from '../../shared/store/fence.ts'
import { readGivenOut } from '../../shared/store/given-out.ts'
import { licenseEntity, readAllHoldings, readHoldings, replaceLicense } from '../../shared/store/holdings.ts'
import { holdingsPrefix, tenantKey } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import { fileOf, loadLicense, standingView } from '../known-license.ts'
import { isKnownTenant } from '../known-tenant.ts'
import { observe } from '../observe.ts'
import { commitAndServe, serveWaiting } from '../seating/serve-seats.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import type { installsRoutes } from './routes.ts'
import type { transferRoutes } from './transfer-routes.ts'

type InstallHandlers = Omit<Handlers<typeof installsRoutes, VerifyingServices>, keyof typeof transferRoutes>

export const installsHandlers: InstallHandlers = {
  async listInstalls({ params, query, caller, now }, services) {
    const { table, secrets } = services
    if (!(await isKnownTenant(table, caller, params.tenantId))) return notFound
    const held = await readAllHoldings(table, params.tenantId)
    const standings = new Map(held.flatMap((holdings) => [...standingsOf(holdings, now, services)]))
    const range = { pk: tenantKey(params.tenantId).pk, prefix: holdingsPrefix() }
    return readPage(table, secrets.cursorKey, range, query, async (items) =>
      items.map((item) => {
        const standing = item['entity'] === licenseEntity.name && standings.get(licenseEntity.decode(item).id)
        if (!standing || (query.status && standing.status !== query.status)) return undefined
        return standingView(standing)
      }),
    )
  },

  async uploadLicense(call, services) {
    const { table, verifier, commit } = services
    const { tenantId } = call.params
    const opened = await verifier.open(call.body.file)
    return untilFresh(async () => {
      const address = 'claims' in opened ? await findLicense(table, opened.claims.license.id) : undefined
      const holdings = address && (await readHoldings(table, address.tenantId, address.productId))
      const standing = holdings && address && standingsOf(holdings, call.now, services).get(address.licenseId)
      const checked = checkUpload(opened, standing, tenantId, call.now)
      if (isRefusal(checked)) return checked
      if (checked.license.appliedAt !== undefined) {
        return commit(call, {
          writes: {},
          events: [],
          reply: { license: standingView(checked), changed: false },
          refusals: {},
        })
      }
      const { deletedAt: _, ...rest } = checked.license
      const license: License = { ...rest, appliedAt: call.now }
      const view = standingView({ ...checked, license })
      const { writes: fences, waiting } = await fencesOf(table, license)
      return commitAndServe(
        call,
        services,
        { tenantId, waiting },
        {
          writes: { license: replaceLicense(license), ...fences },
          events: [
            { type: 'license.applied', tenantId, subject: { type: 'license', id: license.id }, after: view },
          ],
          reply: { license: view, changed: true },
          refusals: { license: outdated },
        },
      )
    })
  },

  async getLicenseFile({ params, caller }, services) {
    const license = await loadLicense(services, params.licenseId)
    if (isRefusal(license)) return license
    return seesTenant(caller, license.tenantId) ? fileOf(license, services) : notFound
  },

  async deleteInstall(call, services) {
    const { tenantId, licenseId } = call.params
    return untilFresh(async () => {
      const address = await findLicense(services.table, licenseId)
      if (address === undefined || address.tenantId !== tenantId) return notFound
      const holdings = await readHoldings(services.table, tenantId, address.productId)
      const standing = standingsOf(holdings, call.now, services).get(licenseId)
      if (standing === undefined) return notFound
      const { appliedAt, ...rest } = standing.license
      if (appliedAt === undefined) {
        const reply = standingView(standing)
        return services.commit(call, { writes: {}, events: [], reply, refusals: {} })
      }
      const deleted: License = { ...rest, deletedAt: call.now }
      const view = standingView({ ...standing, license: deleted })
      return services.commit(call, {
        writes: { license: replaceLicense(deleted), ...(await raiseFences(services.table, deleted)) },
        events: [
          {
            type: 'license.deleted',
            tenantId,
            subject: { type: 'license', id: licenseId },
            before: standingView(standing),
            after: view,
            ...(call.query.reason && { reason: call.query.reason }),
          },
        ],
        reply: view,
        refusals: { license: outdated },
      })
    })
  },

  async refreshInstalls(call, services) {
    if (!(await isKnownTenant(services.table, call.caller, call.params.tenantId))) return notFound
    const held = await readAllHoldings(services.table, call.params.tenantId)
    const standings = held.flatMap((holdings) => [...standingsOf(holdings, call.now, services).values()])
    const changes = await observe(standings, call, services)
    const changed = new Set(changes.map(({ licenseId }) => licenseId))
    // One that began counts from now on, for those who wait as well.
    for (const holdings of held)
      if (holdings.licenses.some(({ id }) => changed.has(id))) {
        const { waiting } = await fencesOf(services.table, { ...holdings, limits: {} })
        await serveWaiting(call, services, holdings.tenantId, waiting)
      }
    const reply = { checked: standings.length, changes, checkedAt: call.now }
    return services.commit(call, { writes: {}, events: [], reply, refusals: {} })
  },

  async getInstallUsage({ params, now }, services) {
    const { table } = services
    const address = await findLicense(table, params.licenseId)
    if (address === undefined || address.tenantId !== params.tenantId) return notFound
    const [holdings, product, givenOut] = await Promise.all([
      readHoldings(table, params.tenantId, address.productId),
      readProduct(table, address.productId),
      readGivenOut(table, params.tenantId, address.productId, now),
    ])
    const standings = standingsOf(holdings, now, services)
    const license = standings.get(params.licenseId)?.license
    if (license === undefined) return notFound
    return {
      licenseId: params.licenseId,
      metrics: (product?.metrics ?? []).map(({ code, kind }) => {
        const { shares, excess } = attribute(
          code,
          givenOut.get(code) ?? usedOf(holdings.usage, code, [...standings.values()]),
          standings.values(),
        )
        const share = shares.find((one) => one.licenseId === params.licenseId)
        return { metric: code, kind, used: share?.used ?? 0, limit: own(license.limits, code) ?? 0, excess }
      }),
    }
  },
}

function standingsOf(holdings: Holdings, now: Instant, { verifier }: VerifyingServices) {
  return standings(holdings, now, verifier.isGenuine)
}
