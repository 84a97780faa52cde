import type { License } from '../../shared/domain/license.ts'
import { DAY, type Instant, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { readableOf } from '../../shared/store/codec.ts'
import { licenseEntity } from '../../shared/store/holdings.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { remindOf } from '../../shared/store/reminder.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Delivery, runJob } from '../job.ts'
import type { NotificationServices } from './services.ts'

/** Before an end; longer than people are told before it, unless they chose so. */
const AHEAD = 100 * DAY
/** After it: longer than it is news. */
const BEHIND = 8 * DAY
/** Licenses of a page, whose timers are filed at once. */
const TOGETHER = 50

/**
 * Files the timers of reminders that should be there and are not. Each follows from an event of its license; one that
 * was lost on the way, or a license that was there before there were reminders, is found here.
 */
export function reviewReminders(delivery: Delivery, services: NotificationServices): Promise<void> {
  const { table, log } = services
  return runJob('reviewReminders', delivery, services, async (run) => {
    const range = { index: 'kind', pk: KIND.licenses } as const
    for await (const { items, next } of readPages(table, range, await run.begin(), TOGETHER)) {
      const now = readClock()
      const licenses = readableOf(items, licenseEntity, (error) =>
        log('error', 'license', { requestId: run.requestId, job: run.job }, error),
      )
      const near = licenses.filter((license) => endsNear(license, now))
      const filed = await Promise.all(
        near.map(({ tenantId, productId }) =>
          writeRow(table, {
            ...remindOf(tenantId, productId, now),
            condition: 'attribute_not_exists(pk)',
          }),
        ),
      )
      run.count(items.length, filed.filter(Boolean).length)
      if (next !== undefined) await run.note(next)
    }
  })
}

function endsNear({ expiresAt, graceEndsAt, maintenanceEndsAt }: License, now: Instant): boolean {
  const [from, to] = [plusMilliseconds(now, -BEHIND), plusMilliseconds(now, AHEAD)]
  return [expiresAt, graceEndsAt, maintenanceEndsAt].some(
    (end) => end !== undefined && end >= from && end < to,
  )
}
