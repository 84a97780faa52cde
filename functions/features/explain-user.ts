import { isNodeLocked } from '../../shared/domain/activation-terms.ts'
import type { PoolSituation } from '../../shared/domain/explain-pool.ts'
import { explainUser } from '../../shared/domain/explain-user.ts'
import type { Person } from '../../shared/domain/explain-ways.ts'
import type { Explanation } from '../../shared/domain/explanation.ts'
import { standings } from '../../shared/domain/holdings.ts'
import { refuseOwn } from '../../shared/domain/own-license.ts'
import { isFloating } from '../../shared/domain/pool-terms.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import type { VerifyingServices } from '../verified.ts'
import { machinesOf } from './explain-machine.ts'
import { poolSituation } from './explain-pools.ts'
import { type AskedBy, licenseOf, type Place, sightOf } from './explain-sight.ts'

/** A person: can they use the product, and what do they hold of it? */
export async function aboutUser(
  asked: AskedBy,
  place: Place,
  person: Person,
  services: VerifyingServices,
): Promise<Explanation> {
  const { table, verifier } = services
  const { caller, now } = asked
  const sight = await sightOf(asked, place, table)
  const holdings = await readHoldings(table, place.tenantId, place.productId)
  const all = standings(holdings, now, verifier.isGenuine)
  const list = [...all.values()]
  const licenseId = licenseOf(caller)
  const metrics = new Set(list.filter(isFloating).flatMap(({ license }) => Object.keys(license.limits)))
  const pools: PoolSituation[] = []
  for (const metric of metrics) pools.push(await poolSituation(holdings, metric, now, sight, services))
  const isAsked = sight.others && person.userId !== undefined && list.some(isNodeLocked)
  const machines = isAsked ? await machinesOf(table, holdings) : []
  return explainUser(
    {
      person,
      own: licenseId && all.get(licenseId),
      standings: list,
      refused: refuseOwn(all, licenseId),
      pools,
      machines: machines.filter(({ userId }) => userId === person.userId),
    },
    sight,
    now,
  )
}
