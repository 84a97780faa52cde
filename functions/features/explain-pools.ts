import { judge } from '../../shared/domain/denial.ts'
import type { PoolSituation } from '../../shared/domain/explain-pool.ts'
import type { Sight } from '../../shared/domain/explanation.ts'
import type { Holdings, Standing } from '../../shared/domain/holdings.ts'
import { holdTerms, leaseTerms } from '../../shared/domain/lease-terms.ts'
import type { License } from '../../shared/domain/license.ts'
import { cleared } from '../../shared/domain/pool-change.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import type { Line } from '../../shared/domain/queue.ts'
import type { LicenseId } from '../../shared/platform/ids.ts'
import { DAY, type Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { readDenials } from '../../shared/store/lease-denial.ts'
import { readPool } from '../../shared/store/pool.ts'
import { readPoolShares } from '../../shared/store/pool-shares.ts'
import { readQueue } from '../../shared/store/ticket.ts'
import { holdersOf } from '../lease-holders.ts'
import { type AskedBy, type ExplainServices, licenseOf } from './explain-sight.ts'

/** Tickets that are read; who stands further back is told less of what comes before. */
const TICKETS = 500
/** Rows of denials that are read; where there are more, nothing is told of them. */
const DENIALS = 200

/** A floating pool as its operations find it now. */
export async function poolSituation(
  holdings: Holdings,
  metric: string,
  now: Instant,
  { others }: Sight,
  { table, verifier }: ExplainServices,
): Promise<PoolSituation> {
  const { tenantId, productId } = holdings
  const address = { tenantId, productId, metric }
  const [stored, shares] = await Promise.all([readPool(table, address), readPoolShares(table, address)])
  const pool = stored && cleared(stored, seconds(now))
  const tickets = pool !== undefined && pool.waiting > 0 ? await readQueue(table, address, TICKETS) : []
  const line = pool && { pool, tickets }
  const [holders, denials] =
    others && pool
      ? await Promise.all([
          holdersOf(table, address, pool, now),
          readDenials(table, address, plusMilliseconds(now, -DAY), plusMilliseconds(now, 1), DENIALS),
        ])
      : [[], []]
  return {
    metric,
    line,
    terms: leaseTerms(holdings, metric, now, verifier.isGenuine, shares),
    hold: holdTerms(holdings, metric, now, verifier.isGenuine, shares),
    holders,
    denials: line ? judge(denials ?? [], now, waitsIn(line)) : [],
  }
}

/** Does a ticket wait there, or hold a place? */
const waitsIn =
  ({ pool, tickets }: Line) =>
  (ref: string) =>
    tickets.some((ticket) => ticket.ref === ref) || pool.entries.get(ref)?.kind === 'hold'

/** The licenses of which one has to cover the place: that of the key that asks, else all behind the pool. */
export function licensesBehind(
  { caller }: AskedBy,
  all: ReadonlyMap<LicenseId, Standing>,
  { terms }: PoolSituation,
): readonly License[] {
  const licenseId = licenseOf(caller)
  if (licenseId === undefined) return terms.size.licenses
  const own = all.get(licenseId)
  return own?.counts ? [own.license] : []
}
