import { byPrecedence, entitlement, standpoint } from '../../shared/domain/entitlement.ts'
import { type EvaluatedFlag, evaluateFlag } from '../../shared/domain/flags.ts'
import { type Holdings, type Standing, standings } from '../../shared/domain/holdings.ts'
import { changeAhead } from '../../shared/domain/next-change.ts'
import { refuseOwn } from '../../shared/domain/own-license.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Call, Handlers } from '../../shared/platform/http/contract.ts'
import { readGivenOut } from '../../shared/store/given-out.ts'
import { readAllHoldings, readHoldings } from '../../shared/store/holdings.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { VerifyingServices } from '../verified.ts'
import { explain } from './explain.ts'
import { type ExplainServices, licenseOf } from './explain-sight.ts'
import { findHeldProduct } from './product.ts'
import type { featuresRoutes } from './routes.ts'

type EvaluateCall = Pick<Call<(typeof featuresRoutes)['evaluateFlags']>, 'caller' | 'body' | 'now'>

export const featuresHandlers: Handlers<typeof featuresRoutes, ExplainServices> = {
  async getEntitlements({ params, query, now }, { table, verifier }) {
    const at = query.at ?? now
    const { tenantId } = params
    const [tenant, held] = await Promise.all([
      readTenant(table, tenantId),
      query.productId
        ? readHoldings(table, tenantId, query.productId).then((one) => [one])
        : readAllHoldings(table, tenantId),
    ])
    if (tenant === undefined) return notFound
    const products = await Promise.all(
      held
        .filter(({ licenses }) => licenses.length > 0)
        .map(async (holdings) => {
          const givenOut = await readGivenOut(table, tenantId, holdings.productId, now)
          return seen(holdings, [...standings(holdings, at, verifier.isGenuine).values()], givenOut)
        }),
    )
    return { at, products }
  },

  explain,

  async evaluateFlags(call, services) {
    const flags = await evaluate(call, services)
    return isRefusal(flags) ? flags : { flags }
  },

  async evaluateFlag(call, services) {
    const { key } = call.params
    const flags = await evaluate(call, services)
    if (isRefusal(flags)) return { ...flags, members: { key, errorCode: 'INVALID_CONTEXT' } }
    const flag = flags.find((one) => one.key === key)
    if (flag !== undefined) return flag
    return refuse('FLAG_NOT_FOUND', `There is no feature ${key}.`, {
      members: { key, errorCode: 'FLAG_NOT_FOUND' },
    })
  },
}

/** A product's entitlement with where each of its licenses stands. */
function seen(holdings: Holdings, all: readonly Standing[], givenOut: ReadonlyMap<string, number>) {
  const next = changeAhead(all, holdings.usage)
  return {
    ...entitlement(holdings, all, givenOut),
    code: all[0]?.license.productCode ?? '',
    licenses: all.toSorted(byPrecedence).map(standpoint),
    ...(next && { nextChangeAt: next }),
  }
}

async function evaluate(
  call: EvaluateCall,
  { table, verifier }: VerifyingServices,
): Promise<EvaluatedFlag[] | Refusal> {
  const { caller, body, now } = call
  if (!('tenantId' in caller)) return refuse('FORBIDDEN', 'Flags are evaluated for a tenant.')
  const own = caller.kind === 'license' ? caller.productId : undefined
  const name = own ?? body.context?.product
  const product = await findHeldProduct(table, caller.tenantId, name, '/body/context/product')
  if (isRefusal(product)) return product
  const holdings = await readHoldings(table, caller.tenantId, product.id)
  const all = standings(holdings, now, verifier.isGenuine)
  // Whatever the tenant's other licenses give: to a license that does not count nothing is on.
  const giving = refuseOwn(all, licenseOf(caller)) === undefined ? [...all.values()] : []
  const granted = entitlement(holdings, giving).features
  return product.features.map((feature) => evaluateFlag(feature, product.code, granted, giving))
}
