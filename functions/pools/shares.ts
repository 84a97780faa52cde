import { isSame } from '../../shared/domain/canonical-json.ts'
import { liveIn } from '../../shared/domain/pool.ts'
import { limitOf, seconds, sizeAt } from '../../shared/domain/pool-terms.ts'
import { isRefusal, refuse } from '../../shared/domain/refusal.ts'
import { checkEdit } from '../../shared/domain/revision.ts'
import {
  checkCodes,
  checkShares,
  heldBy,
  type PoolShares,
  shareTerms,
  withCodes,
} from '../../shared/domain/shares.ts'
import type { Call } from '../../shared/platform/http/contract.ts'
import { raiseFence } from '../../shared/store/fence.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { readPoolShares, replacePoolShares } from '../../shared/store/pool-shares.ts'
import type { VerifyingServices } from '../verified.ts'
import { poolNamed } from './asked.ts'
import type { poolsRoutes } from './routes.ts'

export async function getShares(call: Call<(typeof poolsRoutes)['getShares']>, services: VerifyingServices) {
  const found = await load(call, services)
  return isRefusal(found) ? found : found.view(found.policy)
}

/** Shares a pool out. Its fence is raised by the same transaction, so that every grant is decided on these. */
export async function setShares(call: Call<(typeof poolsRoutes)['setShares']>, services: VerifyingServices) {
  const found = await load(call, services)
  if (isRefusal(found)) return found
  const { address, policy, capacity, view } = found
  const coded: PoolShares = { ...policy, ...withCodes(policy, call.body.shares) }
  const refused =
    checkEdit(policy, call.revision) ?? checkShares(call.body.shares, capacity) ?? checkCodes(coded)
  if (refused) return refused
  const isAsBefore = isSame(policy.shares, coded.shares)
  const next = isAsBefore ? policy : { ...coded, revision: policy.revision + 1 }
  const { tenantId, productId, metric } = address
  return services.commit(call, {
    writes: { shares: replacePoolShares(address, next, policy.revision), fence: raiseFence(address) },
    events: isAsBefore
      ? []
      : [
          {
            type: 'pool.shared-out',
            tenantId,
            subject: { type: 'pool', id: metric },
            before: { productId, shares: policy.shares },
            after: { productId, shares: coded.shares },
          },
        ],
    reply: view(next),
    refusals: { shares: refuse('REVISION_OUTDATED', 'The shares were changed at the same time.') },
  })
}

async function load(
  { params, query, now }: Pick<Call<(typeof poolsRoutes)['getShares']>, 'params' | 'query' | 'now'>,
  { table, verifier }: VerifyingServices,
) {
  const { tenantId } = params
  const named = await poolNamed(table, tenantId, params.product, query.metric)
  if (isRefusal(named)) return named
  const { product, pool, address } = named
  const { metric } = address
  const [policy, holdings] = await Promise.all([
    readPoolShares(table, address),
    readHoldings(table, tenantId, product.id),
  ])
  const { capacity } = sizeAt(holdings, metric, now, verifier.isGenuine)
  const held = heldBy(liveIn(pool, seconds(now)))
  return {
    address,
    policy,
    capacity,
    view(current: PoolShares) {
      const terms = shareTerms(current, capacity)
      const shares = current.shares.map(({ code, ...share }) => ({
        ...share,
        units: terms?.get(code)?.share ?? 0,
        most: limitOf(terms?.get(code)?.maximum ?? 0),
        held: held.get(code) ?? 0,
      }))
      return { product: product.code, metric, shares, revision: current.revision }
    },
  }
}
