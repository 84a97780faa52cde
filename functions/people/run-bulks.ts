import { bulkEntity } from '../../shared/store/bulk.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { type Delivery, RESERVE, runJob } from '../job.ts'
import type { VerifyingServices } from '../verified.ts'
import { driveBulk } from './bulk-run.ts'

/**
 * Goes on with every bulk change that is under way, a step each in turn, so that a large one does not keep small ones
 * waiting. What was done is in the table: a run that comes twice, late or not at all changes nothing about the outcome,
 * and what time does not suffice for the next run does.
 */
export function runBulks(delivery: Delivery, services: VerifyingServices): Promise<void> {
  return runJob('runBulkChanges', delivery, services, async ({ remaining, requestId, count }) => {
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
          count(1, 1)
          // One that does not get on, because others are quicker each time, is left for the next run.
          isBusy ||= bulk !== undefined && bulk.version > listed.version && bulk.endedAt === undefined
        }
    }
  })
}
