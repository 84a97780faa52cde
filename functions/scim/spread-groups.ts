import type { Refusal } from '../../shared/domain/refusal.ts'
import { readClock } from '../../shared/platform/time.ts'
import type { Item } from '../../shared/store/codec.ts'
import { groupEntity } from '../../shared/store/group.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { type Delivery, runJob } from '../job.ts'
import type { VerifyingServices } from '../verified.ts'
import { spread, takeAway } from './spread.ts'

/**
 * Goes on where a request had no time: gives people what their groups give now, and takes groups away for good. What it
 * finds done already it leaves; it may come twice, late or not at all.
 */
export function spreadGroups(delivery: Delivery, services: VerifyingServices): Promise<void> {
  return runJob('spreadGroups', delivery, services, async ({ job, requestId, remaining, count }) => {
    const broken: unknown[] = []
    for await (const { items } of readPages(services.table, { index: 'kind', pk: KIND.spreadingGroups }))
      for (const item of items) {
        const late = await goOn(item).catch((error: unknown) => {
          // The others have their turn all the same.
          services.log('error', 'group', { requestId, job, subject: String(item['kindSk']) }, error)
          broken.push(error)
          return null
        })
        // Delivered again, it finds what is left.
        if (late?.refused === 'UNFINISHED') throw new Error(`${job}: ${late.detail}`)
        count(1, late === undefined ? 1 : 0)
      }
    if (broken.length > 0) throw new AggregateError(broken, `${broken.length} groups failed`)

    async function goOn(item: Item): Promise<Refusal | undefined> {
      const group = groupEntity.decode(item)
      const { tenantId, id: subject } = group
      const caller = { kind: 'system', subject: 'directory' } as const
      const request = { caller, now: readClock(), requestId, remaining }
      const late =
        group.deletedAt === undefined
          ? await spread(request, services, tenantId, group.id)
          : await takeAway(request, services, group)
      if (late) services.log('warn', 'group', { requestId, tenantId, subject, code: late.refused })
      return late
    }
  })
}
