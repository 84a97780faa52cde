import { bulkEntity } from '../../shared/store/bulk.ts'
import type { Item } from '../../shared/store/codec.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { type Delivery, RESERVE, runJob } from '../job.ts'
import type { VerifyingServices } from '../verified.ts'
import { driveBulk } from './bulk-run.ts'

/**
 * Goes on with every bulk change that is under way, a step each in turn, so that a large one does not keep small ones
 * waiting, nor one that fails any other. What was done is in the table: a run that comes twice, late or not at all changes
 * nothing about the outcome, and what time does not suffice for the next run does.
 */
export function runBulks(delivery: Delivery, services: VerifyingServices): Promise<void> {
  return runJob('runBulkChanges', delivery, services, async ({ job, remaining, requestId, count }) => {
    const broken = new Map<string, unknown>()
    for (let isBusy = true; isBusy && remaining() > RESERVE; ) {
      isBusy = false
      for await (const { items } of readPages(services.table, { index: 'kind', pk: KIND.bulks }))
        for (const item of items) {
          const subject = String(item['pk'])
          if (remaining() < RESERVE || broken.has(subject)) continue
          try {
            isBusy = (await step(item)) || isBusy
            count(1, 1)
          } catch (error) {
            broken.set(subject, error)
            services.log('error', 'bulk change', { requestId, job, subject }, error)
          }
        }
    }
    if (broken.size > 0) throw new AggregateError(broken.values(), `${broken.size} bulk changes failed`)

    /** @returns whether there is more to do. One that does not get on, as others are quicker, is left for the next run. */
    async function step(item: Item): Promise<boolean> {
      const listed = bulkEntity.decode(item)
      let steps = 0
      const goes = () => steps++ === 0
      const bulk = await driveBulk(services, listed, { remaining, requestId }, goes)
      return bulk !== undefined && bulk.version > listed.version && bulk.endedAt === undefined
    }
  })
}
