import { MACHINES } from '../../shared/domain/activation.ts'
import { isNodeLocked, machineTerms } from '../../shared/domain/activation-terms.ts'
import { type Drawn, explainCapacity, explainPool } from '../../shared/domain/explain.ts'
import type { Explanation } from '../../shared/domain/explanation.ts'
import { isDead } from '../../shared/domain/heartbeat.ts'
import type { Holdings, Standing } from '../../shared/domain/holdings.ts'
import { meterOf } from '../../shared/domain/meter.ts'
import { periodOf } from '../../shared/domain/period.ts'
import { isFloating, seconds } from '../../shared/domain/pool-terms.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import { EMPTY_POOL } from '../../shared/domain/seat-decision.ts'
import { seatTerms } from '../../shared/domain/seat-terms.ts'
import { rowOf } from '../../shared/domain/usage.ts'
import { metricOf } from '../../shared/domain/usage-reports.ts'
import { readMachinePool } from '../../shared/store/activation-pool.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readSeatPools } from '../../shared/store/seat-pool.ts'
import { readSharded } from '../../shared/store/usage-blocks.ts'
import { refusedHere } from '../places.ts'
import { machinesOf } from './explain-machine.ts'
import { licensesBehind, poolSituation } from './explain-pools.ts'
import { type AskedBy, type ExplainServices, licenseOf, sightOf } from './explain-sight.ts'

/** A metric: is there room for more, by what its own operation counts? */
export async function aboutMetric(
  asked: AskedBy,
  holdings: Holdings,
  standings: readonly Standing[],
  metric: string,
  units: number,
  services: ExplainServices,
): Promise<Explanation> {
  const { now } = asked
  const granting = standings.filter(({ license }) => Object.hasOwn(license.limits, metric))
  if (granting.some(isFloating)) {
    const sight = await sightOf(asked, holdings, services.table)
    const situation = await poolSituation(holdings, metric, now, sight, services)
    const all = new Map(standings.map((one) => [one.license.id, one]))
    const licenses = licensesBehind(asked, all, situation)
    const elsewhere = await refusedHere(asked, licenses, asked.country, {}, services)
    return explainPool({ ...situation, elsewhere }, standings, units, asked.department, sight, seconds(now))
  }
  const drawn =
    metric === MACHINES && granting.some(isNodeLocked)
      ? await machinesDrawn(asked, holdings, services)
      : ((await seatsDrawn(holdings, standings, metric, services)) ??
        (await metered(asked, holdings, standings, metric, services)))
  return explainCapacity(holdings, standings, metric, units, drawn)
}

/** Machines that died count until somebody takes their place, which an activation does. */
async function machinesDrawn(
  { caller, now }: AskedBy,
  holdings: Holdings,
  { table, verifier }: ExplainServices,
): Promise<Drawn> {
  const { tenantId, productId } = holdings
  const [pool, machines] = await Promise.all([
    readMachinePool(table, tenantId, productId),
    machinesOf(table, holdings),
  ])
  const terms = machineTerms(holdings, licenseOf(caller), now, verifier.isGenuine)
  const dead = machines.filter(({ pulse }) => isDead(pulse, now)).length
  const [limit, refusal] = isRefusal(terms) ? [0, terms.refused] : [terms.size.limit, 'ACTIVATIONS_EXHAUSTED']
  return { used: pool.used - dead, limit, predicted: { operation: 'POST /v1/activations', refusal } }
}

/**
 * Where seats are managed here these are the use, as on the tenant's first page, and not what was reported. Whether
 * somebody gets one is a question about that person: reservations, the queue and places count as well.
 */
async function seatsDrawn(
  { tenantId, productId, managedSeats = [] }: Holdings,
  standings: readonly Standing[],
  metric: string,
  { table }: ExplainServices,
): Promise<Drawn | undefined> {
  if (!managedSeats.includes(metric)) return undefined
  const [pool = EMPTY_POOL] = (await readSeatPools(table, tenantId, [{ productId, metric }])).values()
  return { used: pool.assigned, limit: seatTerms(standings, metric).limit }
}

/**
 * A counter with an allowance; others are taken whatever their number. To the unit: what shards have in hand is given
 * back before anything is refused.
 */
async function metered(
  { now }: AskedBy,
  { tenantId, productId, usage }: Holdings,
  standings: readonly Standing[],
  metric: string,
  { table }: ExplainServices,
): Promise<Drawn | undefined> {
  const { terms, limit } = meterOf(standings, metric)
  if (terms === undefined) return undefined
  const period = periodOf(terms, now)
  const seen = rowOf(usage, metric, period)
  const product = await readProduct(table, productId)
  const isSharded = product && metricOf(product, metric)?.rate === 'high'
  const address = { tenantId, productId, metric, period }
  const { row, inHand } = isSharded
    ? await readSharded(table, address, seen?.kind === 'counter' ? seen : undefined)
    : { row: seen, inHand: 0 }
  return {
    used: (row?.value ?? 0) - inHand,
    limit,
    predicted: { operation: 'POST /v1/usage', refusal: 'ALLOWANCE_EXHAUSTED' },
    renewsAt: period.until,
  }
}
