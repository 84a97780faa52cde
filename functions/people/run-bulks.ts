import { newRunId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { bulkEntity } from '../../shared/store/bulk.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import type { VerifyingServices } from '../verified.ts'
import { driveBulk } from './bulk-run.ts'

const JOB = 'runBulkChanges'
/** Milliseconds that the last chunk of people may take. */
const RESERVE = 6_000

/**
 * Goes on with every bulk change that is under way, a step each in turn, so that a large one does not keep small ones
 * waiting. What was done is in the table: a run that comes twice, late or not at all changes nothing about the outcome,
 * and what time does not suffice for the next run does.
 */
export async function runBulks(
  scheduledAt: Instant,
  remaining: () => number,
  services: VerifyingServices,
): Promise<void> {
  const requestId = newRunId(scheduledAt)
  let steps = 0
  for (let isBusy = true; isBusy && remaining() > RESERVE; ) {
    isBusy = false
    for await (const { items } of readPages(services.table, { index: 'kind', pk: KIND.bulks }))
      for (const listed of items.map(bulkEntity.decode)) {
        if (remaining() < RESERVE) break
        let isFirst = true
        const goes = () => {
          const wasFirst = isFirst
          isFirst = false
          return wasFirst
        }
        const bulk = await driveBulk(services, listed, { remaining, requestId }, goes)
        steps += 1
        // One that does not get on, because others are quicker each time, is left for the next run.
        isBusy ||= bulk !== undefined && bulk.version > listed.version && bulk.endedAt === undefined
      }
  }
  services.log('info', 'job', { requestId, job: JOB, counts: { checked: steps, changed: steps } })
}
