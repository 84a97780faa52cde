import * as z from 'zod'
import { EventId } from '../platform/ids.ts'
import { DAY, HOUR, Instant, MINUTE, plusMilliseconds } from '../platform/time.ts'
import { type WebhookHealth, WebhookOwner } from './webhook.ts'

/** One event for one endpoint. It is sent until it was taken, or given up; the row stays for 30 days. */
const Common = {
  eventId: EventId,
  type: z.string(),
  /** In whose log the event is. */
  log: WebhookOwner,
  /** When it was first put here. */
  createdAt: Instant,
  /** How often it was sent. */
  attempts: z.int().nonnegative(),
  /** How often in vain since it was put here, or ordered again; it says how long to wait. */
  failures: z.int().nonnegative(),
  last: z
    .strictObject({
      at: Instant,
      milliseconds: z.int().nonnegative(),
      status: z.int().optional(),
      error: z.string().optional(),
    })
    .optional(),
}
export const Delivery = z.discriminatedUnion('state', [
  z.strictObject({
    ...Common,
    state: z.literal('waiting'),
    dueAt: Instant,
    /** Nobody has tried it since it was put here or ordered again: the stream tells whoever sends at once. */
    fresh: z.literal(true).optional(),
    /** Somebody is sending it; should that one die, it is due again. */
    taken: z.literal(true).optional(),
  }),
  z.strictObject({ ...Common, state: z.literal('delivered'), at: Instant }),
  z.strictObject({ ...Common, state: z.literal('failed'), at: Instant }),
])
export type Delivery = z.infer<typeof Delivery>
export type WaitingDelivery = Extract<Delivery, { state: 'waiting' }>

export const DeliveryState = z.enum(['waiting', 'delivered', 'failed'])

/** One time that it was sent, with what came back. */
export const Attempt = z.strictObject({
  number: z.int().positive(),
  at: Instant,
  milliseconds: z.int().nonnegative(),
  outcome: z.enum(['delivered', 'failed']),
  status: z.int().optional(),
  /** Why there was no answer, or none that counts. */
  error: z.string().optional(),
  /** The beginning of the body that was answered. */
  answer: z.string().optional(),
})
export type Attempt = z.infer<typeof Attempt>

export const DeliveryView = z
  .strictObject({
    /** The event; with the endpoint it is the delivery. */
    eventId: EventId,
    /** What `webhook-id` says, each time it is sent. */
    messageId: z.string(),
    type: z.string(),
    state: DeliveryState,
    createdAt: Instant,
    attempts: z.int(),
    /** When it is sent again, at the earliest. */
    nextAttemptAt: Instant.optional(),
    last: Common.last,
  })
  .meta({ id: 'WebhookDelivery' })

export function deliveryView(delivery: Delivery, messageId: string): z.infer<typeof DeliveryView> {
  const { eventId, type, state, createdAt, attempts, last } = delivery
  return {
    eventId,
    messageId,
    type,
    state,
    createdAt,
    attempts,
    ...(delivery.state === 'waiting' && { nextAttemptAt: delivery.dueAt }),
    ...(last && { last }),
  }
}

/** What came of sending a message. `retryAfter` is milliseconds. */
export type Sent = {
  readonly milliseconds: number
  readonly status?: number
  readonly error?: string
  readonly answer?: string
  readonly retryAfter?: number
}

export const isTaken = ({ status }: Sent) => status !== undefined && status >= 200 && status < 300
/** The endpoint says that it wants no more (410). */
const isGone = ({ status }: Sent) => status === 410

/**
 * Did the endpoint as a whole fail, so that other messages would too? Most of 4xx says that this message is not wanted,
 * by a server that is well.
 */
export function isDown({ status }: Sent): boolean {
  return status === undefined || status >= 500 || status < 200 || [404, 408, 425, 429].includes(status)
}

/**
 * Waits after a failed attempt, as Standard Webhooks recommends: the first soon, the last after a day. Ten attempts over
 * some three days.
 */
export const WAITS = [30_000, 5 * MINUTE, 30 * MINUTE, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR)]
/** Of a wait, at random, so that what failed together does not come back together. */
const JITTER = 0.2
const withJitter = (wait: number, random: number) => Math.round(wait * (1 - JITTER + 2 * JITTER * random))

/** An endpoint that fails this long without one success is disabled. */
export const DISABLE_AFTER = 5 * DAY
/** What happens while it is disabled for failing is kept for it this long. */
export const HELD_FOR = 7 * DAY
/** From here on an endpoint is slow. */
const SLOW = 2_000
const SLOW_FOR = HOUR
/** Between two tries of an endpoint that is down. */
const PAUSES = { first: 30_000, longest: 30 * MINUTE, asked: HOUR } as const

/**
 * What becomes of a delivery by an attempt.
 *
 * @param random from 0 to 1
 */
export function afterAttempt(delivery: WaitingDelivery, sent: Sent, now: Instant, random: number): Delivery {
  const { fresh: _, taken: __, dueAt: ___, ...rest } = delivery
  const { milliseconds, status, error } = sent
  const attempts = delivery.attempts + 1
  const last = {
    at: now,
    milliseconds,
    ...(status !== undefined && { status }),
    ...(error !== undefined && { error }),
  }
  if (isTaken(sent)) return { ...rest, attempts, last, state: 'delivered', at: now }
  const failures = delivery.failures + 1
  const wait = isGone(sent) ? undefined : WAITS[failures - 1]
  if (wait === undefined) return { ...rest, attempts, failures, last, state: 'failed', at: now }
  const dueAt = plusMilliseconds(now, Math.max(withJitter(wait, random), askedFor(sent)))
  return { ...rest, attempts, failures, last, state: 'waiting', dueAt }
}

/** How an endpoint stands after an attempt; undefined where nothing worth writing changed. */
export function healthAfter(
  health: WebhookHealth | undefined,
  sent: Sent,
  now: Instant,
  random: number,
): WebhookHealth | undefined {
  const slow = sent.milliseconds > SLOW && { slowUntil: plusMilliseconds(now, SLOW_FOR) }
  const stillSlow = health?.slowUntil && health.slowUntil > now && { slowUntil: health.slowUntil }
  if (isTaken(sent)) {
    const { lastDeliveredAt, lastFailure } = health ?? {}
    const isKnown = lastDeliveredAt !== undefined && plusMilliseconds(lastDeliveredAt, MINUTE) > now
    if (isKnown && !slow && health?.failingSince === undefined) return undefined
    return { lastDeliveredAt: now, ...(lastFailure && { lastFailure }), ...(slow || stillSlow) }
  }
  const down = isDown(sent)
  const failures = (health?.failures ?? 0) + (down ? 1 : 0)
  const pause = Math.min(PAUSES.first * 2 ** Math.min(failures - 1, 10), PAUSES.longest)
  return {
    ...(health?.lastDeliveredAt && { lastDeliveredAt: health.lastDeliveredAt }),
    failingSince: health?.failingSince ?? now,
    failures,
    lastFailure: { at: now, reason: reasonOf(sent) },
    ...(down && { pausedUntil: plusMilliseconds(now, Math.max(withJitter(pause, random), askedFor(sent))) }),
    ...(slow || stillSlow),
  }
}

/** Is it to be disabled, and why? */
export function disableReason(
  health: WebhookHealth | undefined,
  sent: Sent,
  now: Instant,
): 'gone' | 'failing' | undefined {
  if (isGone(sent)) return 'gone'
  const since = health?.failingSince
  if (isTaken(sent) || since === undefined) return undefined
  return plusMilliseconds(since, DISABLE_AFTER) <= now ? 'failing' : undefined
}

/** How long the endpoint asks to be left alone (Retry-After), within reason. */
const askedFor = ({ retryAfter = 0 }: Sent) => Math.min(Math.max(retryAfter, 0), PAUSES.asked)

export const reasonOf = ({ status, error }: Sent) => error ?? `It answered ${status}.`
