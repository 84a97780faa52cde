import { TenantId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import type { Item } from '../../shared/store/codec.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { decodeSeatPool, pendingSeatEntity, QueuedPool, unmarkPool } from '../../shared/store/seat-pool.ts'
import { type Delivery, runJob } from '../job.ts'
import { rejudgeSeats } from '../seating/rejudge-seats.ts'
import { serveQueue } from '../seating/serve-seats.ts'
import type { VerifyingServices } from '../verified.ts'

/** People served in one go, between looks at the time that is left. */
const AT_ONCE = 25

/**
 * Gives seats that became free without a request that freed them, above all by a license that began: every pool that
 * somebody waits for is looked at, and where licenses or products are others, those who wait are decided on anew
 * (rejudge-seats.ts). What it finds done already it leaves; it may come twice, late or not at all.
 */
export function serveQueues(delivery: Delivery, services: VerifyingServices): Promise<void> {
  const { table } = services
  return runJob('serveSeatQueues', delivery, services, async (run) => {
    const { requestId, job } = run
    const broken: unknown[] = []
    let before: unknown
    for await (const page of readPages(table, { index: 'kind', pk: KIND.seatQueues }, await run.begin())) {
      for (const item of page.items) {
        run.count(1, 0)
        try {
          await serve(item)
        } catch (error) {
          await run.checkTime()
          // The others have their turn all the same.
          services.log('error', 'seat queue', { requestId, job, subject: String(item['kindSk']) }, error)
          broken.push(error)
        }
      }
      await run.note(page.next)
    }
    if (broken.length > 0) throw new AggregateError(broken, `${broken.length} seat queues were not served`)

    async function serve(item: Item): Promise<void> {
      const [tenant, productId, metric] = QueuedPool.parse(item['kindSk'])
      const tenantId = TenantId.parse(tenant)
      const isPool = item['entity'] !== pendingSeatEntity.name
      if (isPool && decodeSeatPool(item).queued === 0)
        await unmarkPool(table, tenantId, { productId, metric })
      // A pool is listed once for itself, and once for each who waits for something else than its turn.
      if (item['kindSk'] === before) return
      before = item['kindSk']
      const place = { productId, metric }
      const judging = { now: readClock(), requestId, tenantId, place }
      const judged = await rejudgeSeats(judging, services, run.checkTime)
      run.count(0, judged.changed)
      const places = [place, ...judged.serve]
      for (let served = AT_ONCE; served >= AT_ONCE; ) {
        served = await serveQueue({ now: readClock(), requestId }, services, tenantId, places, AT_ONCE)
        run.count(0, served)
        await run.checkTime()
      }
    }
  })
}
