import { chunks } from '../../shared/domain/chunks.ts'
import { TenantId, UserId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { readableOf } from '../../shared/store/codec.ts'
import { ownedByTenant } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import {
  lookAtSeats,
  type PersonWithCases,
  RECLAIM_TIMER,
  REVIEW_TIMER,
  readLastActiveDay,
} from '../../shared/store/reclaim.ts'
import { endTimer, moveTimer, type Timer } from '../../shared/store/timer.ts'
import { userEntity } from '../../shared/store/user.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Delivery, type JobRun, RESERVE, runJob } from '../job.ts'
import { productsOf, readSeating } from '../seating/seating.ts'
import { sweep } from '../sweep.ts'
import type { VerifyingServices } from '../verified.ts'
import { RECLAIMER, reclaimPerson, type TenantView } from './reclaim-person.ts'

/** Timers filed at once, and people between two notes of how far it is: these take a second or so. */
const FILED_AT_ONCE = 25
const PAGE = 250

/**
 * Looks at the seats of those whose timer is due, and does what is due about them. What is done is not due any more, so a
 * run that was cut off goes on where it stopped, one that comes twice finds nothing, and one that comes late does all
 * that the others would have done. Its cost grows with what is due.
 */
export function reclaimSeats(delivery: Delivery, services: VerifyingServices): Promise<void> {
  return runJob(RECLAIMER, delivery, services, async (run) => {
    const views: Views = new Map()
    const turns: Turns = new Map()
    await sweep(REVIEW_TIMER, run, services, (timer) => review(timer, run, services))
    await sweep(RECLAIM_TIMER, run, services, (timer) => look(timer, run, services, views, turns))
  })
}
/** What is read once for all people of a tenant. */
type Views = Map<TenantId, Promise<TenantView | undefined>>

/** Of each tenant, what has to be over before the next. */
type Turns = Map<TenantId, Promise<void>>

function look(timer: Timer, { requestId }: JobRun, services: VerifyingServices, views: Views, turns: Turns) {
  const [tenant, user] = timer.subject
  const tenantId = TenantId.parse(tenant)
  return reclaimPerson(timer, tenantId, UserId.parse(user), viewOf, requestId, services, alone)

  async function alone(): Promise<() => void> {
    const before = turns.get(tenantId)
    const { promise, resolve } = Promise.withResolvers<void>()
    turns.set(tenantId, promise)
    await before
    return resolve
  }

  async function viewOf(person: PersonWithCases, fresh: boolean): Promise<TenantView | undefined> {
    const products = productsOf(person)
    // One that could not be read is read anew.
    const known = fresh ? undefined : await views.get(tenantId)?.catch(() => undefined)
    if (known && products.every((id) => known.seating.products.has(id))) return known
    const view = readView(services, tenantId, products)
    views.set(tenantId, view)
    return view
  }
}

async function readView(
  services: VerifyingServices,
  tenantId: TenantId,
  products: Parameters<typeof readSeating>[3],
): Promise<TenantView | undefined> {
  const [seating, lastDay] = await Promise.all([
    readSeating(services, tenantId, readClock(), products),
    readLastActiveDay(services.table, tenantId),
  ])
  return seating && { seating, lastDay }
}

/** The rules are others: everybody of the tenant who has a seat is to be looked at. */
async function review(
  found: Timer,
  run: JobRun,
  { table, log }: Pick<VerifyingServices, 'table' | 'log'>,
): Promise<number> {
  const tenantId = TenantId.parse(found.subject[0])
  let timer = found
  const range = { index: 'owned', pk: ownedByTenant(tenantId, 'USERS') } as const
  for await (const { items, next } of readPages(table, range, found.place, PAGE)) {
    const people = readableOf(items, userEntity, (error) =>
      log('error', 'person', { requestId: run.requestId, tenantId }, error),
    )
    const holders = people.filter(({ holds }) => holds.length > 0)
    for (const batch of chunks(holders, FILED_AT_ONCE))
      await Promise.all(batch.map(({ id }) => writeRow(table, lookAtSeats(tenantId, id, readClock()))))
    const now = readClock()
    // The rules were changed again: it begins anew with the next run.
    if (!(await writeRow(table, next ? moveTimer(timer, now, next) : endTimer(timer)))) return 0
    timer = { ...timer, dueAt: now, ...(next && { place: next }) }
    // It is due again: the next run goes on from there.
    if (next && run.remaining() < RESERVE) return 0
  }
  return 0
}
