import type { Instant } from '../platform/time.ts'
import type { Metric, Product } from './catalog.ts'
import { entitlement, type Pool, room, sum } from './entitlement.ts'
import type { Holdings, Standing } from './holdings.ts'
import { maskedKey } from './license-key.ts'
import type { OperatingMode, Overview } from './overview.ts'
import { effectiveTerm } from './status.ts'
import { own } from './terms.ts'

/** One product of a tenant: what it is, what the tenant holds of it, and where its licenses stand. */
export type HeldProduct = {
  product: Product
  holdings: Holdings
  standings: readonly Standing[]
  /** By metric, see store/given-out.ts. */
  givenOut: ReadonlyMap<string, number>
}

/** The metric whose use and capacity, over all products, is the first card. */
const USERS = 'users'

/** Puts together the cards of a tenant's first page; every number comes from the same entitlements that enforce. */
export function tenantOverview(held: readonly HeldProduct[], now: Instant): Overview {
  const products = held.map((one) => ({
    product: one.product,
    standings: one.standings,
    pools: poolsOf(one),
  }))
  const userPools = products.flatMap(({ pools }) => pools.filter((pool) => pool.metric === USERS))
  const active = userPools.reduce((total, pool) => total + pool.used, 0)
  const capacity = sum(userPools.map((pool) => pool.capacity))
  return {
    mode: operatingMode(products.flatMap(({ standings }) => standings)),
    users: { active, capacity, ...room(capacity, active) },
    products: products.map(({ product, standings, pools }) => ({
      id: product.id,
      code: product.code,
      name: product.name,
      mode: operatingMode(standings),
      metrics: product.metrics.map((metric) => card(metric, pools)),
      modules: product.modules.map((module) => {
        const metrics = product.metrics
          .filter((metric) => module.metrics.includes(metric.code))
          .map((metric) => card(metric, pools))
        return { code: module.code, name: module.name, included: isIncluded(module, standings), metrics }
      }),
    })),
    licenses: activeList(products.flatMap(({ standings }) => standings)),
    checkedAt: now,
  }
}

/** The mode over some licenses; the best of what counts decides. */
function operatingMode(standings: readonly Standing[]): OperatingMode {
  const counting = standings.filter((standing) => standing.counts)
  const bases = counting.filter(({ license }) => license.type === 'NORMAL')
  if (bases.some(({ status }) => status === 'ACTIVE')) return 'licensed'
  if (bases.length > 0) return 'grace'
  return counting.some(({ license }) => license.type === 'TRIAL') ? 'trial' : 'limited'
}

/** A product's pools with what is in use of each. */
export const poolsOf = ({ holdings, standings, givenOut }: HeldProduct): Pool[] =>
  entitlement(holdings, standings, givenOut).pools

function card(metric: Metric, pools: readonly Pool[]) {
  const pool = pools.find((one) => one.metric === metric.code)
  const [active, capacity] = [pool?.used ?? 0, pool?.capacity ?? 0]
  return { metric: metric.code, kind: metric.kind, active, capacity, ...room(capacity, active) }
}

/** A module is included if a license that counts gives one of its metrics or switches on one of its features. */
function isIncluded(module: Product['modules'][number], standings: readonly Standing[]): boolean {
  return standings.some(
    ({ counts, license }) =>
      counts &&
      (module.metrics.some((code) => (own(license.limits, code) ?? 0) !== 0) ||
        module.features.some((code) => (own(license.features, code) ?? false) !== false)),
  )
}

function activeList(standings: readonly Standing[]): Overview['licenses'] {
  return standings
    .filter((standing) => standing.counts)
    .map(({ license, extensions, status }) => {
      const { expiresAt } = effectiveTerm(license, extensions)
      return {
        id: license.id,
        product: license.productCode,
        key: maskedKey(license.keyHint),
        type: license.type,
        capacity: license.limits,
        ...(expiresAt && { expiresAt }),
        status,
      }
    })
    .toSorted((a, b) => order(a.expiresAt, b.expiresAt))
}

const NEVER = '~'
const order = (a: string = NEVER, b: string = NEVER) => (a < b ? -1 : a > b ? 1 : 0)
