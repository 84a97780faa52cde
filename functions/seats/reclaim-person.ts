import type { EventDraft } from '../../shared/domain/event.ts'
import {
  type CancelReason,
  commonOf,
  type OpenCase,
  type ReclaimCase,
} from '../../shared/domain/reclaim-case.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import { neededModules } from '../../shared/domain/seat-decision.ts'
import { type ByHand, checkRoom, type User } from '../../shared/domain/user.ts'
import type { TenantId, UserId } from '../../shared/platform/ids.ts'
import { DAY, type Instant, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { bySystem } from '../../shared/store/commit.ts'
import {
  countReclaimed,
  type PersonWithCases,
  readPersonWithCases,
  writeCase,
} from '../../shared/store/reclaim.ts'
import { endTimer, moveTimer, readTimer, type Timer } from '../../shared/store/timer.ts'
import type { Action } from '../../shared/store/transact.ts'
import { unchangedUser } from '../../shared/store/user.ts'
import { writeRow } from '../../shared/store/write.ts'
import { adjustSeats } from '../seating/adjust-seats.ts'
import { lookAtOf, type ProductStep, stepsFor } from '../seating/reclaim-outlook.ts'
import type { TenantSeating } from '../seating/seating.ts'
import { serveWaiting } from '../seating/serve-seats.ts'
import { outdated } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'

/** Who does it, as events name it; also who withheld the modules that it took. */
export const RECLAIMER = 'reclaimSeats'
/** Steps that one person can need at once, and others that come between. */
const MOST_STEPS = 30

/**
 * Waits until nobody else of the tenant is being taken seats from in this run, and says how to let the next go on. All
 * draw on the same pools and queues: at once they would be in each other's way.
 */
type Alone = () => Promise<() => void>

/** What decides over everybody of a tenant, read once for many. */
export type TenantView = { readonly seating: TenantSeating; readonly lastDay: string | undefined }

/**
 * Does what is due about one person's seats, a step and a transaction at a time, until nothing is; then files its timer
 * for when there may be something again. Each transaction is on the condition that the person, its seats and the case
 * are as they were judged: whoever was seen meanwhile is judged anew.
 *
 * @param viewOf the tenant as it is; `fresh` where what is known of it may have been outdated
 * @returns how many steps were done
 */
export async function reclaimPerson(
  found: Timer,
  tenantId: TenantId,
  userId: UserId,
  viewOf: (person: PersonWithCases, fresh: boolean) => Promise<TenantView | undefined>,
  requestId: string,
  services: VerifyingServices,
  alone: Alone = async () => () => undefined,
): Promise<number> {
  const { table } = services
  let done = 0
  let release: (() => void) | undefined
  try {
    return await steps()
  } finally {
    release?.()
  }

  async function steps(): Promise<number> {
    let fresh = false
    let timer: Timer | undefined = found
    for (let tries = 0; tries < MOST_STEPS; tries += 1) {
      const now = readClock()
      const person = await readPersonWithCases(table, tenantId, userId)
      const view = person && (await viewOf(person, fresh))
      if (person === undefined || view === undefined) {
        await writeRow(table, endTimer(timer))
        return done
      }
      const all = stepsFor(person, view.seating, view.lastDay, now)
      const due = all.find(({ step }) => step.does !== 'wait')
      if (due === undefined) {
        const lookAt = lookAtOf(all, person.seats.length, now)
        if (await writeRow(table, lookAt === undefined ? endTimer(timer) : moveTimer(timer, lookAt)))
          return done
        // Somebody else moved it: another delivery of this run, or a change of the person, which is to be seen.
        timer = await readTimer(table, timer)
        if (timer === undefined || timer.dueAt > now) return done
        continue
      }
      fresh = due.step.does === 'reclaim' && !fresh
      // What the seats are freed from must be as it is, not as it was when the run began; and one at a time takes it.
      if (fresh) release ??= await alone()
      if (fresh) continue
      const isDone = await perform(due, person, view.seating, now, requestId, services)
      fresh = !isDone
      if (isDone) done += 1
    }
    return done
  }
}

async function perform(
  { step, last }: ProductStep,
  person: PersonWithCases,
  seating: TenantSeating,
  now: Instant,
  requestId: string,
  services: VerifyingServices,
): Promise<boolean> {
  const { user } = person
  const { tenantId } = user
  const asJudged = unchangedUser(user)
  switch (step.does) {
    case 'wait':
      return true
    case 'open':
      return commit({ user: asJudged, case: writeCase(tenantId, last, step.to) }, [
        caseEvent('reclamation.opened', tenantId, step.to),
      ])
    case 'notify': {
      const told = { days: step.days, reclaimAt: step.reclaimAt }
      return commit({ user: asJudged, case: writeCase(tenantId, last, step.to) }, [
        caseEvent('reclamation.notified', tenantId, step.to, told),
      ])
    }
    case 'cancel':
      return commit({ user: asJudged, case: writeCase(tenantId, last, step.to) }, [
        caseEvent('reclamation.canceled', tenantId, step.to, {
          because: step.because satisfies CancelReason,
        }),
      ])
    case 'reclaim': {
      const { facts, taken } = withoutSeats(user, step.of, person, seating, now)
      const full = checkRoom(facts)
      if (full) throw new Error(`the seats of ${user.id} cannot be taken: ${full.detail}`)
      const adjustment = adjustSeats(person, facts, seating, now)
      const next: ReclaimCase = {
        ...commonOf(step.of),
        state: 'reclaimed',
        endedAt: now,
        undoUntil: plusMilliseconds(now, step.terms.undoDays * DAY),
        cooldownDays: step.terms.cooldownDays,
        taken,
      }
      const { productId, metrics } = next
      const counts = metrics.map((metric): [string, Action] => [
        `reclaimed ${metric}`,
        countReclaimed(tenantId, now.slice(0, 7), productId, metric, 'reclaimed'),
      ])
      const isDone = await commit(
        { ...adjustment.writes, case: writeCase(tenantId, last, next), ...Object.fromEntries(counts) },
        [
          caseEvent('reclamation.reclaimed', tenantId, next, { metrics, reason: next.reason }),
          ...adjustment.events,
        ],
      )
      if (isDone) await serveWaiting({ now, requestId }, services, tenantId, adjustment.serve)
      return isDone
    }
  }

  async function commit(writes: Record<string, Action>, events: readonly EventDraft[]): Promise<boolean> {
    const result = await services.commit(bySystem(RECLAIMER, { now, requestId }), {
      writes,
      events,
      reply: undefined,
      refusals: Object.fromEntries(Object.keys(writes).map((label) => [label, outdated])),
    })
    return !isRefusal(result)
  }
}

/** The person as it is to be without the seats of a case, and what has to be given back to undo it. */
function withoutSeats(
  user: User,
  { productId, metrics }: OpenCase,
  { seats }: PersonWithCases,
  { products }: TenantSeating,
  at: Instant,
) {
  const modules = new Set(
    seats
      .filter((seat) => seat.productId === productId && metrics.includes(seat.metric))
      .flatMap((seat) => seat.modules),
  )
  const isTaken = (one: ByHand) => one.productId === productId && modules.has(one.module)
  const byRoles: User = { ...user, direct: user.direct.filter((one) => !isTaken(one)) }
  const product = products.get(productId)
  const stillNeeded = product ? neededModules(byRoles, product) : new Map<string, string[]>()
  const withheld = [...modules].filter((module) => stillNeeded.has(module))
  const facts: User = {
    ...byRoles,
    withheld: [
      ...user.withheld,
      ...withheld.map((module) => ({ productId, module, at, by: RECLAIMER, reason: 'reclaimed' })),
    ],
    revision: user.revision + 1,
  }
  return { facts, taken: { direct: user.direct.filter(isTaken), withheld } }
}

/** What happened to a case, told of the person. */
export function caseEvent(
  type: EventDraft['type'],
  tenantId: TenantId,
  { userId, productId, metrics, reason, since, openedAt }: ReclaimCase,
  also: Record<string, unknown> = {},
): EventDraft {
  const after = { productId, metrics, reason, since, openedAt, ...also }
  return { type, tenantId, subject: { type: 'user', id: userId }, after }
}
