import { chunks } from '../../shared/domain/chunks.ts'
import { readClock } from '../../shared/platform/time.ts'
import { readableOf } from '../../shared/store/codec.ts'
import { KIND, ownedByTenant } from '../../shared/store/keys.ts'
import { watchTenant } from '../../shared/store/license-timers.ts'
import { readFirst, readPages } from '../../shared/store/read.ts'
import { tenantEntity } from '../../shared/store/tenant.ts'
import { type Delivery, runJob } from '../job.ts'
import type { TrustServices } from './handlers.ts'

/** Tenants looked at at once. */
const TOGETHER = 8
/** Tenants of a page; where the run stopped is noted after each. */
const PAGE = 200

/**
 * Gives back the timers of tenants with licenses that lost them: what the consumer of the stream gave up, or somebody
 * deleted. What they cover finds the timers of licenses in turn.
 */
export function watchTenants(delivery: Delivery, services: TrustServices): Promise<void> {
  const { table } = services
  return runJob('watchTenants', delivery, services, async (run) => {
    for await (const page of readPages(table, { index: 'kind', pk: KIND.tenants }, await run.begin(), PAGE)) {
      const known = readableOf(page.items, tenantEntity, (error) =>
        services.log('error', 'tenant', { requestId: run.requestId, job: run.job }, error),
      )
      const tenants = known.filter(({ archivedAt }) => archivedAt === undefined)
      for (const batch of chunks(tenants, TOGETHER)) {
        const filed = await Promise.all(batch.map(({ id }) => watch(id)))
        run.count(
          batch.length,
          filed.reduce((sum, one) => sum + one, 0),
        )
      }
      await run.note(page.next)
    }
  })

  async function watch(id: Parameters<typeof watchTenant>[1]): Promise<number> {
    const range = { index: 'owned', pk: ownedByTenant(id, 'LICENSES') } as const
    const [license] = await readFirst(table, range, 1)
    return license === undefined ? 0 : watchTenant(table, id, readClock())
  }
}
