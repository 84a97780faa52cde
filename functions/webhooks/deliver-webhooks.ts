import { WebhookOwner } from '../../shared/domain/webhook.ts'
import type { WaitingDelivery } from '../../shared/domain/webhook-delivery.ts'
import { WebhookId } from '../../shared/platform/ids.ts'
import { earliest, type Instant, MINUTE, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { claimTimer, endTimer, moveTimer, type Timer } from '../../shared/store/timer.ts'
import { type KnownWebhook, LANE, readWebhook } from '../../shared/store/webhook.ts'
import { readWaiting } from '../../shared/store/webhook-delivery.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Delivery, runJob } from '../job.ts'
import { sweep } from '../sweep.ts'
import type { WebhookServices } from './services.ts'
import { isOpen, sendSeveral } from './several.ts'

/** Milliseconds for an answer, and for all that waits for an endpoint, in one run. */
const WELL = { milliseconds: 5_000, budget: 5_000 } as const
/** Of one that failed or was slow lately. */
const UNWELL = { milliseconds: 10_000, budget: 6_000 } as const
/** What is written down after the last answer, in milliseconds. */
const AFTERWARDS = 3_000
/** So many of those at the same time; the others of them wait for the next run, and those that are well for none. */
const MOST_UNWELL = 40
/** Deliveries that are looked at of one endpoint in one run. */
const PAGE = 200
/** An endpoint is a run's for this long: longer than an invocation, and than events wait for the job. */
const CLAIMED_FOR = MINUTE
/** The index lags; after this long it does not, and what it does not show is not there. */
const SECOND_LOOK = 10 * MINUTE

/** Sends what waits for endpoints: what failed before, and what nobody sent at once. */
export async function deliverWebhooks(delivery: Delivery, services: WebhookServices): Promise<void> {
  await runJob('deliverWebhooks', delivery, services, async (run) => {
    const { table, log } = services
    const unwell = new Set<Promise<void>>()
    let changed = 0
    await sweep(LANE, run, services, async (timer) => {
      const lane = await openLane(timer)
      if (lane === undefined) return 0
      if (!isUnwell(lane.known)) return serve(lane, WELL)
      const work: Promise<void> = serve(lane, UNWELL)
        .then((sent) => {
          changed += sent
        })
        .catch((error: unknown) => {
          log('error', 'webhook', { requestId: run.requestId, subject: lane.known.webhook.id }, error)
        })
        .finally(() => unwell.delete(work))
      unwell.add(work)
      return 0
    })
    await Promise.all(unwell)
    run.count(0, changed)

    /** The endpoint, if there is something to be done about it and nobody else does it. */
    async function openLane(found: Timer): Promise<Lane | undefined> {
      // What is not ended before this invocation is, would be sent again.
      const isInTime = ({ milliseconds, budget }: Limits) =>
        run.remaining() > milliseconds + budget + AFTERWARDS
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
      if (isUnwell(known) && (unwell.size >= MOST_UNWELL || !isInTime(UNWELL))) return undefined
      const timer = await claimTimer(table, found, plusMilliseconds(readClock(), CLAIMED_FOR))
      return timer && { timer, known }
    }

    async function serve({ timer, known }: Lane, limits: Limits): Promise<number> {
      const waiting = await readWaiting(table, known.webhook, PAGE)
      const now = readClock()
      const due = waiting.filter(({ dueAt }) => dueAt <= now)
      const several = await sendSeveral(known, due, limits, run.requestId, services)
      const next = nextLook(waiting, several, now)
      if (next !== undefined) await writeRow(table, moveTimer(timer, next))
      else if (timer.place !== undefined) await writeRow(table, endTimer(timer))
      else {
        const look = plusMilliseconds(readClock(), SECOND_LOOK)
        await writeRow(table, moveTimer(timer, look, { look: 'second' }))
      }
      return several.attempted.length
    }
  })
}

type Limits = typeof WELL | typeof UNWELL
type Lane = { readonly timer: Timer; readonly known: KnownWebhook }

const isUnwell = ({ health }: KnownWebhook) =>
  health?.failingSince !== undefined || (health?.slowUntil !== undefined && health.slowUntil > readClock())

/** When there is something to be done again; undefined where nothing waits. */
function nextLook(
  waiting: readonly WaitingDelivery[],
  { known, attempted, left }: Awaited<ReturnType<typeof sendSeveral>>,
  then: Instant,
): Instant | undefined {
  const now = readClock()
  const { pausedUntil } = known.health ?? {}
  const again = attempted.flatMap(({ delivery }) => (delivery.state === 'waiting' ? [delivery.dueAt] : []))
  const later = waiting.filter(({ dueAt }) => dueAt > then).map(({ dueAt }) => dueAt)
  const [first, ...others] = [...again, ...later, ...(left > 0 || waiting.length === PAGE ? [now] : [])]
  if (first === undefined) return undefined
  const next = earliest(first, ...others)
  return pausedUntil !== undefined && pausedUntil > next ? pausedUntil : next
}
