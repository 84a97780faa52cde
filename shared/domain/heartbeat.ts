import * as z from 'zod'
import { epochMilliseconds, fromEpochMilliseconds, Instant, plusMilliseconds } from '../platform/time.ts'

export const HEARTBEAT_STATES = ['NOT_STARTED', 'ALIVE', 'DEAD', 'REVIVED'] as const
type HeartbeatState = (typeof HEARTBEAT_STATES)[number]

/** No end: later than every instant there can be. */
export const NEVER = Number.MAX_SAFE_INTEGER
/** 1,000 years in milliseconds: a life that no heartbeat is needed for. Added to an instant it stays exact. */
export const FOREVER = 1_000 * 365 * 86_400_000

/**
 * The heartbeat of a machine, and the terms it got when it was activated. Times are milliseconds since 1970 and lengths
 * milliseconds: DynamoDB adds the one to the other, so that a heartbeat is one update that reads nothing before.
 */
export const Pulse = z.strictObject({
  /** Must heartbeats begin within a life of the activation? Otherwise it is watched from the first one on. */
  required: z.boolean(),
  /** From a heartbeat until the machine counts as dead: the window and the drift. */
  life: z.int().positive(),
  /** From a heartbeat until no other one is taken; never less than `life`. */
  revival: z.int().positive(),
  aliveUntil: z.int(),
  revivableUntil: z.int(),
  /** Where the life before the last heartbeat ended. */
  before: z.int(),
  lastAt: Instant.optional(),
})
export type Pulse = z.infer<typeof Pulse>

/** The part of a pulse that a state is computed from. */
type Beat = Pick<Pulse, 'aliveUntil' | 'before' | 'lastAt'>

/**
 * The state at an instant, first match wins: DEAD from the end of its life on, NOT_STARTED before the first heartbeat,
 * REVIVED while it lives by a heartbeat that came after its death, else ALIVE. Nothing has to run for it to change.
 */
export function stateAt({ aliveUntil, before, lastAt }: Beat, now: Instant): HeartbeatState {
  if (epochMilliseconds(now) >= aliveUntil) return 'DEAD'
  if (lastAt === undefined) return 'NOT_STARTED'
  return epochMilliseconds(lastAt) >= before ? 'REVIVED' : 'ALIVE'
}

export const isDead = (pulse: Beat, now: Instant) => stateAt(pulse, now) === 'DEAD'

/** When it dies if no heartbeat comes; undefined if it never does. */
export function deathOf({ aliveUntil }: Pick<Pulse, 'aliveUntil'>, now: Instant): Instant | undefined {
  const isWatched = aliveUntil < epochMilliseconds(now) + FOREVER / 2
  return isWatched ? fromEpochMilliseconds(aliveUntil) : undefined
}

/** A heartbeat, as the store writes it; undefined if it comes too late. */
export function beaten(pulse: Pulse, now: Instant): Pulse | undefined {
  const at = epochMilliseconds(now)
  if (at >= pulse.revivableUntil) return undefined
  return {
    ...pulse,
    before: pulse.aliveUntil,
    aliveUntil: at + pulse.life,
    revivableUntil: at + pulse.revival,
    lastAt: now,
  }
}

/** The share of a life after which the next heartbeat is wanted (10Duke; licensing-semantics.md, section 8). */
const BEAT_AFTER = 0.75
/** Part of a life by which heartbeats are spread, so that fleets started together do not beat together. */
const SPREAD = 0.05

/** When to send the next heartbeat; `random` from 0 to 1. Undefined where none is needed. */
export function nextBeat(pulse: Pulse, now: Instant, random: number): Instant | undefined {
  if (deathOf(pulse, now) === undefined) return undefined
  return plusMilliseconds(now, Math.floor(pulse.life * (BEAT_AFTER - SPREAD * random)))
}
