import { readClock } from '../../shared/platform/time.ts'
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
  return runJob('spreadGroups', delivery, services, async ({ requestId, remaining, count }) => {
    for await (const { items } of readPages(services.table, { index: 'kind', pk: KIND.spreadingGroups }))
      for (const group of items.map(groupEntity.decode)) {
        const request = {
          caller: { kind: 'system', subject: 'directory' },
          now: readClock(),
          requestId,
          remaining,
        } as const
        const late =
          group.deletedAt === undefined
            ? await spread(request, services, group.tenantId, group.id)
            : await takeAway(request, services, group)
        // Delivered again, it finds what is left.
        if (late?.refused === 'UNFINISHED') throw new Error(`spreadGroups: ${late.detail}`)
        if (late) {
          const { tenantId, id: subject } = group
          services.log('warn', 'group', { requestId, tenantId, subject, code: late.refused })
        }
        count(1, late ? 0 : 1)
      }
  })
}
