import { WebhookOwner } from '../../shared/domain/webhook.ts'
import type { WaitingDelivery } from '../../shared/domain/webhook-delivery.ts'
import { WebhookId } from '../../shared/platform/ids.ts'
import {
  earliest,
  epochMilliseconds,
  type Instant,
  MINUTE,
  plusMilliseconds,
  readClock,
} from '../../shared/platform/time.ts'
import { claimTimer, endTimer, moveTimer, type Timer } from '../../shared/store/timer.ts'
import { type KnownWebhook, LANE, readWebhook } from '../../shared/store/webhook.ts'
import { readWaiting } from '../../shared/store/webhook-delivery.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Delivery, runJob } from '../job.ts'
import { sweep } from '../sweep.ts'
import type { WebhookServices } from './services.ts'
import { isOpen, type Several, sendSeveral } from './several.ts'

/** Milliseconds for an answer, and for all that waits for an endpoint, in one run. */
const WELL = { milliseconds: 5_000, budget: 5_000 } as const
/** Of one that failed or was slow lately. */
const UNWELL = { milliseconds: 10_000, budget: 6_000 } as const
/** For finding where the last message goes, and writing down what came of it, in milliseconds. */
const AFTERWARDS = 5_000
/** So many of those at the same time; the others of them wait for the next run, and those that are well for none. */
const MOST_ASIDE = 40
/** Deliveries that are looked at of one endpoint at a time. */
const PAGE = 200
/** An endpoint is a run's for this long: longer than an invocation, and than events wait for the job. */
const CLAIMED_FOR = MINUTE
/** The index lags; after this long it does not, and what it does not show is not there. */
const SECOND_LOOK = 10 * MINUTE

/** Sends what waits for endpoints: what failed before, and what nobody sent at once. */
export async function deliverWebhooks(delivery: Delivery, services: WebhookServices): Promise<void> {
  await runJob('deliverWebhooks', delivery, services, async (run) => {
    const { table, log } = services
    const aside = new Set<Promise<void>>()
    let changed = 0
    try {
      await sweep(LANE, run, services, serve)
    } finally {
      // Also where time runs out: what is under way is written down.
      await Promise.all(aside)
    }
    run.count(0, changed)

    async function serve(timer: Timer): Promise<number> {
      const lane = await openLane(timer)
      if (lane === undefined) return 0
      if (isUnwell(lane.known)) {
        putAside(lane)
        return 0
      }
      const served = await servePage(lane, WELL)
      if (served.isMore && isOpen(served.known) && aside.size < MOST_ASIDE && isInTime(UNWELL))
        putAside({ ...lane, known: served.known })
      else await close(lane.timer, served)
      return served.sent
    }

    /** What is not ended before this invocation is, would be sent again. */
    function isInTime({ milliseconds, budget }: Limits): boolean {
      return run.remaining() > milliseconds + budget + AFTERWARDS
    }

    /** The endpoint, if there is something to be done about it and nobody else does it. */
    async function openLane(found: Timer): Promise<Lane | undefined> {
      if (!isInTime(WELL)) return undefined
      const [owner, id] = found.subject
      const known = await readWebhook(table, WebhookOwner.parse(owner), WebhookId.parse(id))
      if (known === undefined || known.webhook.disabled !== undefined) {
        await writeRow(table, endTimer(found))
        return undefined
      }
      if (!isOpen(known)) {
        await writeRow(table, moveTimer(found, known.health?.pausedUntil ?? readClock()))
        return undefined
      }
      if (isUnwell(known) && (aside.size >= MOST_ASIDE || !isInTime(UNWELL))) return undefined
      const timer = await claimTimer(table, found, plusMilliseconds(readClock(), CLAIMED_FOR))
      return timer && { timer, known }
    }

    /** Serves an endpoint beside the others: one that may take long, or for which much waits. */
    function putAside(lane: Lane): void {
      const work: Promise<void> = serveLong(lane)
        .catch((error: unknown) => {
          log('error', 'webhook', { requestId: run.requestId, subject: lane.known.webhook.id }, error)
        })
        .finally(() => aside.delete(work))
      aside.add(work)
    }

    async function serveLong(lane: Lane): Promise<void> {
      const began = epochMilliseconds(readClock())
      let known = lane.known
      for (;;) {
        const budget = began + UNWELL.budget - epochMilliseconds(readClock())
        const served = await servePage({ ...lane, known }, { ...UNWELL, budget })
        changed += served.sent
        known = served.known
        // What was sent may still be in the index: then nothing is sent of a page.
        if (!served.isMore || served.sent === 0 || !isOpen(known) || budget <= 0)
          return close(lane.timer, served)
      }
    }

    async function servePage({ known }: Lane, limits: Limits): Promise<Served> {
      const { waiting, isAll } = await readWaiting(table, known.webhook, PAGE, (error) =>
        log('error', 'webhook', { requestId: run.requestId, subject: known.webhook.id }, error),
      )
      const now = readClock()
      const due = waiting.filter(({ dueAt }) => dueAt <= now)
      const several = await sendSeveral(known, due, limits, run.requestId, services)
      const isMore = several.left > 0 || !isAll
      return {
        known: several.known,
        sent: several.attempted.length,
        isMore,
        next: nextLook(waiting, several, isMore, now),
      }
    }

    /** Moves the timer to when there is something to do again, or ends it. */
    async function close(timer: Timer, { next }: Served): Promise<void> {
      if (next !== undefined) await writeRow(table, moveTimer(timer, next))
      else if (timer.place !== undefined) await writeRow(table, endTimer(timer))
      else {
        const look = plusMilliseconds(readClock(), SECOND_LOOK)
        await writeRow(table, moveTimer(timer, look, { look: 'second' }))
      }
    }
  })
}

type Limits = { readonly milliseconds: number; readonly budget: number }
type Lane = { readonly timer: Timer; readonly known: KnownWebhook }
type Served = {
  readonly known: KnownWebhook
  readonly sent: number
  /** Not all that was due was tried. */
  readonly isMore: boolean
  readonly next: Instant | undefined
}

const isUnwell = ({ health }: KnownWebhook) =>
  health?.failingSince !== undefined || (health?.slowUntil !== undefined && health.slowUntil > readClock())

/** When there is something to be done again; undefined where nothing waits. */
function nextLook(
  waiting: readonly WaitingDelivery[],
  { known, attempted }: Several,
  isMore: boolean,
  then: Instant,
): Instant | undefined {
  const now = readClock()
  const { pausedUntil } = known.health ?? {}
  const again = attempted.flatMap(({ delivery }) => (delivery.state === 'waiting' ? [delivery.dueAt] : []))
  const later = waiting.filter(({ dueAt }) => dueAt > then).map(({ dueAt }) => dueAt)
  const [first, ...others] = [...again, ...later, ...(isMore ? [now] : [])]
  if (first === undefined) return undefined
  const next = earliest(first, ...others)
  return pausedUntil !== undefined && pausedUntil > next ? pausedUntil : next
}
