import { newRunId } from '../../shared/platform/ids.ts'
import { type Instant, readClock } from '../../shared/platform/time.ts'
import { groupEntity } from '../../shared/store/group.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { resumeRun, saveRun } from '../../shared/store/run.ts'
import type { VerifyingServices } from '../verified.ts'
import { spread, takeAway } from './spread.ts'

const JOB = 'spreadGroups'

/**
 * Goes on where a request had no time: gives people what their groups give now, and takes groups away for good. What it
 * finds done already it leaves; it may come twice, late or not at all.
 */
export async function spreadGroups(
  scheduledAt: Instant,
  remaining: () => number,
  services: VerifyingServices,
): Promise<void> {
  const { table, log } = services
  const run = await resumeRun(table, JOB, scheduledAt)
  if (run.finishedAt !== undefined) return
  const requestId = newRunId(scheduledAt)
  let { checked, changed } = run
  for await (const { items } of readPages(table, { index: 'kind', pk: KIND.spreadingGroups })) {
    for (const group of items.map(groupEntity.decode)) {
      checked += 1
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
      if (late?.refused === 'UNFINISHED') throw new Error(`${JOB}: ${late.detail}`)
      changed += 1
    }
  }
  await saveRun(table, JOB, scheduledAt, { checked, changed, finishedAt: readClock() })
  log('info', 'job', { requestId, job: JOB, counts: { checked, changed } })
}
