import { isNodeLocked } from '../../shared/domain/activation-terms.ts'
import type { PoolSituation } from '../../shared/domain/explain-pool.ts'
import { explainUser } from '../../shared/domain/explain-user.ts'
import type { Person } from '../../shared/domain/explain-ways.ts'
import type { Explanation } from '../../shared/domain/explanation.ts'
import { type Standing, standings } from '../../shared/domain/holdings.ts'
import { refuseOwn } from '../../shared/domain/own-license.ts'
import type { Place } from '../../shared/domain/place.ts'
import { isFloating } from '../../shared/domain/pool-terms.ts'
import type { LicenseId } from '../../shared/platform/ids.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import type { AskedProduct } from '../asked-product.ts'
import { type Named, refusedHere, seePlace, sightingsIn, visitorOf } from '../places.ts'
import { machinesOf } from './explain-machine.ts'
import { licensesBehind, poolSituation } from './explain-pools.ts'
import { aboutSeats } from './explain-seat.ts'
import { type AskedBy, type ExplainServices, licenseOf, sightOf } from './explain-sight.ts'

/** A person: can they use the product, and what do they hold of it? */
export async function aboutUser(
  asked: AskedBy,
  place: AskedProduct,
  person: Person,
  services: ExplainServices,
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
  const { userId } = person
  for (const metric of metrics) {
    const one = await poolSituation(holdings, metric, now, sight, services)
    const licenses = licensesBehind(asked, all, one)
    const elsewhere = await refusedHere(asked, licenses, asked.country, { userId }, services)
    pools.push({ ...one, elsewhere })
  }
  const places = await placesOf(asked, list, { userId }, services)
  const isAsked = sight.others && person.userId !== undefined && list.some(isNodeLocked)
  const machines = isAsked ? await machinesOf(table, holdings) : []
  // A license key is told of nobody.
  const isNamed = userId !== undefined || person.question.email !== undefined
  const seats = sight.others && isNamed ? await aboutSeats(asked, place, person, services) : undefined
  return explainUser(
    {
      person,
      places,
      own: licenseId && all.get(licenseId),
      standings: list,
      refused: refuseOwn(all, licenseId),
      pools,
      machines: machines.filter(({ userId }) => userId === person.userId),
    },
    sight,
    now,
    seats,
  )
}

/** Where each license that is limited to countries sees the person. */
async function placesOf(
  asked: AskedBy,
  all: readonly Standing[],
  named: Named,
  services: ExplainServices,
): Promise<ReadonlyMap<LicenseId, Place>> {
  const places = new Map<LicenseId, Place>()
  if (all.every(({ license }) => license.rules.countries === undefined)) return places
  const sightings = await sightingsIn(asked, asked.country, services)
  for (const { license } of all) {
    const visitor = () => visitorOf(named, license, services.secrets)
    const seen = await seePlace(license, sightings, visitor, asked.now, services.table)
    if (seen !== undefined) places.set(license.id, seen.place)
  }
  return places
}
