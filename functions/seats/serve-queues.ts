import { newRunId, TenantId } from '../../shared/platform/ids.ts'
import { type Instant, readClock } from '../../shared/platform/time.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { resumeRun, saveRun } from '../../shared/store/run.ts'
import { decodeSeatPool, pendingSeatEntity, QueuedPool, unmarkPool } from '../../shared/store/seat-pool.ts'
import { rejudgeSeats } from '../rejudge-seats.ts'
import { serveQueue } from '../serve-seats.ts'
import type { VerifyingServices } from '../verified.ts'

const JOB = 'serveSeatQueues'
/** Milliseconds to keep for noting how far the run came. */
const RESERVE = 5_000
/** People served in one go, between looks at the time that is left. */
const AT_ONCE = 25

/**
 * Gives seats that became free without a request that freed them, above all by a license: every pool that somebody
 * waits for is looked at, and those who have waited longest are decided on anew (rejudge-seats.ts). What it finds done already it leaves; it may come twice, late or not at all.
 */
export async function serveQueues(
  scheduledAt: Instant,
  remaining: () => number,
  services: VerifyingServices,
): Promise<void> {
  const { table, log } = services
  const run = await resumeRun(table, JOB, scheduledAt)
  if (run.finishedAt !== undefined) return
  const requestId = newRunId(scheduledAt)
  let { checked, changed, from } = run
  let before: unknown
  for await (const page of readPages(table, { index: 'kind', pk: KIND.seatQueues }, from)) {
    for (const item of page.items) {
      const [tenant, productId, metric] = QueuedPool.parse(item['kindSk'])
      const tenantId = TenantId.parse(tenant)
      checked += 1
      const isPool = item['entity'] !== pendingSeatEntity.name
      if (isPool && decodeSeatPool(item).queued === 0)
        await unmarkPool(table, tenantId, { productId, metric })
      // A pool is listed once for itself, and once for each who waits for something else than its turn.
      if (item['kindSk'] === before) continue
      before = item['kindSk']
      const outOfTime = () => new Error(`${JOB} ran out of time after ${changed} people`)
      if (remaining() < RESERVE) throw outOfTime()
      const place = { productId, metric }
      const judged = await rejudgeSeats({ now: readClock(), requestId }, services, tenantId, place)
      changed += judged.changed
      const places = [place, ...judged.serve]
      for (let served = AT_ONCE; served >= AT_ONCE; ) {
        if (remaining() < RESERVE) throw outOfTime()
        const request = { now: readClock(), requestId }
        served = await serveQueue(request, services, tenantId, places, AT_ONCE)
        changed += served
      }
    }
    from = page.next
    await saveRun(table, JOB, scheduledAt, { checked, changed, ...(from && { from }) })
  }
  await saveRun(table, JOB, scheduledAt, { checked, changed, finishedAt: readClock() })
  log('info', 'job', { requestId, job: JOB, counts: { checked, changed } })
}
