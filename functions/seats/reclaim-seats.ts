import { newRunId, TenantId, UserId } from '../../shared/platform/ids.ts'
import { type Instant, readClock } from '../../shared/platform/time.ts'
import { ownedByTenant } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import {
  lookAtSeats,
  type PersonWithCases,
  RECLAIM_TIMER,
  REVIEW_TIMER,
  readLastActiveDay,
} from '../../shared/store/reclaim.ts'
import { resumeRun, saveRun } from '../../shared/store/run.ts'
import { dueTimers, endTimer, moveTimer, type Timer } from '../../shared/store/timer.ts'
import { userEntity } from '../../shared/store/user.ts'
import { writeRow } from '../../shared/store/write.ts'
import { readSeating } from '../seating.ts'
import type { VerifyingServices } from '../verified.ts'
import { RECLAIMER, reclaimPerson, type TenantView } from './reclaim-person.ts'

/** Milliseconds to keep for noting how far the run came. */
const RESERVE = 5_000
/** People looked at at once. */
const TOGETHER = 8
/** Timers filed at once. */
const FILED_AT_ONCE = 25

/**
 * Looks at the seats of those whose timer is due, and does what is due about them. What is done is not due any more, so a
 * run that was cut off goes on where it stopped, one that comes twice finds nothing, and one that comes late does all
 * that the others would have done. Its cost grows with what is due.
 */
export async function reclaimSeats(
  scheduledAt: Instant,
  remaining: () => number,
  services: VerifyingServices,
): Promise<void> {
  const { table, log } = services
  const run = await resumeRun(table, RECLAIMER, scheduledAt)
  if (run.finishedAt !== undefined) return
  const requestId = newRunId(scheduledAt)
  const views = new Map<TenantId, Promise<TenantView | undefined>>()
  let { checked, changed } = run
  for await (const page of dueTimers(table, REVIEW_TIMER, readClock()))
    for (const timer of page) await review(timer)
  for await (const page of dueTimers(table, RECLAIM_TIMER, readClock()))
    for (let start = 0; start < page.length; start += TOGETHER) {
      const batch = page.slice(start, start + TOGETHER)
      const done = await Promise.all(batch.map(look))
      checked += batch.length
      changed += done.reduce((sum, steps) => sum + steps, 0)
      await pauseIfLate()
    }
  await saveRun(table, RECLAIMER, scheduledAt, { checked, changed, finishedAt: readClock() })
  log('info', 'job', { requestId, job: RECLAIMER, counts: { checked, changed } })

  function look(timer: Timer): Promise<number> {
    const [tenant, user] = timer.subject
    const tenantId = TenantId.parse(tenant)
    return reclaimPerson(
      timer,
      tenantId,
      UserId.parse(user),
      (person, fresh) => viewOf(tenantId, person, fresh),
      requestId,
      services,
    )
  }

  async function viewOf(
    tenantId: TenantId,
    { seats }: PersonWithCases,
    fresh: boolean,
  ): Promise<TenantView | undefined> {
    const known = fresh ? undefined : await views.get(tenantId)
    if (known && seats.every(({ productId }) => known.seating.products.has(productId))) return known
    const view = readView(
      tenantId,
      seats.map(({ productId }) => productId),
    )
    views.set(tenantId, view)
    return view
  }

  async function readView(tenantId: TenantId, products: Parameters<typeof readSeating>[3]) {
    const [seating, lastDay] = await Promise.all([
      readSeating(services, tenantId, readClock(), products),
      readLastActiveDay(table, tenantId),
    ])
    return seating && { seating, lastDay }
  }

  /** The rules are others: everybody of the tenant who has a seat is to be looked at. */
  async function review(found: Timer): Promise<void> {
    const tenantId = TenantId.parse(found.subject[0])
    let timer = found
    const range = { index: 'owned', pk: ownedByTenant(tenantId, 'USERS') } as const
    for await (const { items, next } of readPages(table, range, found.place)) {
      const holders = items.map(userEntity.decode).filter(({ holds }) => holds.length > 0)
      for (let start = 0; start < holders.length; start += FILED_AT_ONCE) {
        const batch = holders.slice(start, start + FILED_AT_ONCE)
        await Promise.all(batch.map(({ id }) => writeRow(table, lookAtSeats(tenantId, id, readClock()))))
      }
      const now = readClock()
      // The rules were changed again: it begins anew with the next run.
      if (!(await writeRow(table, next ? moveTimer(timer, now, next) : endTimer(timer)))) return
      timer = { ...timer, dueAt: now, ...(next && { place: next }) }
      if (next) await pauseIfLate()
    }
  }

  async function pauseIfLate(): Promise<void> {
    await saveRun(table, RECLAIMER, scheduledAt, { checked, changed })
    // The scheduler delivers an invocation that failed again, and that one goes on with what is still due.
    if (remaining() < RESERVE) throw new Error(`${RECLAIMER} ran out of time after ${checked} people`)
  }
}
