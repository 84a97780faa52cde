import { endOfPlaces } from '../../shared/domain/activation-file.ts'
import { machineTerms } from '../../shared/domain/activation-terms.ts'
import type { Entry } from '../../shared/domain/lease-entry.ts'
import { isBorrow, isLapsed, unitsOf } from '../../shared/domain/pool.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import type { Exposure, Transfer } from '../../shared/domain/transfer.ts'
import { fromEpochMilliseconds, type Instant, latest } from '../../shared/platform/time.ts'
import { readMachines } from '../../shared/store/activation.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { readPools } from '../../shared/store/pool.ts'
import type { VerifyingServices } from '../verified.ts'

/**
 * What the giving side could go on using after an execution: whatever is out there and asks nobody. Counted over the
 * product, since places come from all its licenses together; where the giving side keeps others, some of it is theirs.
 */
export async function exposureOf(
  { giving: { tenantId }, product, licenses }: Pick<Transfer, 'giving' | 'product' | 'licenses'>,
  now: Instant,
  { table, verifier }: VerifyingServices,
): Promise<Exposure> {
  const metrics = new Set(licenses.flatMap(({ limits }) => Object.keys(limits)))
  const [pools, holdings] = await Promise.all([
    readPools(table, tenantId, product.id),
    readHoldings(table, tenantId, product.id),
  ])
  const entries = [...pools]
    .filter(([metric]) => metrics.has(metric))
    .flatMap(([, pool]) => [...pool.entries.values()])
    .filter((entry) => entry.kind !== 'hold' && !isLapsed(entry, seconds(now)))
  const machines = { online: 0, offline: 0 }
  if (licenses.some(({ allocation }) => allocation === 'node-locked')) {
    for await (const { offline } of readMachines(table, tenantId, product.id))
      machines[offline ? 'offline' : 'online'] += 1
  }
  const terms = machineTerms(holdings, undefined, now, verifier.isGenuine)
  const endOfMachines = isRefusal(terms) ? undefined : endOfPlaces(terms)
  const ends = licenses.map(({ graceEndsAt, expiresAt }) => graceEndsAt ?? expiresAt)
  return {
    filesVerifyUntil: ends.includes(undefined) ? null : (latest(ends) ?? null),
    leases: outstanding(entries.filter((entry) => !isBorrow(entry))),
    borrowed: outstanding(entries.filter(isBorrow)),
    machines: machines.online,
    offlineMachines: {
      count: machines.offline,
      ...(machines.offline > 0 && { until: endOfMachines ?? null }),
    },
  }
}

function outstanding(entries: readonly Entry[]): Exposure['leases'] {
  const ends = entries.map(({ until }) => fromEpochMilliseconds(until * 1000))
  const until = latest(ends)
  return { count: unitsOf(entries), ...(until && { until }) }
}
