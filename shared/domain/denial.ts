import * as z from 'zod'
import { epochMilliseconds, Instant, MINUTE } from '../platform/time.ts'
import { Department, Holder } from './lease-last.ts'

/**
 * Why a pool gave nothing: it is used up, what is free is kept for other departments, the own department (or the part
 * that may be borrowed) is used up, no license is in force, or none may be used in this place.
 */
const DENIED_FOR = ['capacity', 'reserved-elsewhere', 'quota', 'license', 'place'] as const

/** No larger pool would help. */
const isOther = (because: Denial['because']) => because === 'license' || because === 'place'

/** Days that denials are kept: enough to see the weeks that a size is found from (market.md, section 2.9). */
export const DENIALS_KEPT = 100

/** The requests of one holder that found no place in a minute, as they are stored. */
export const Denial = z.strictObject({
  /** Who asked; absent where the application does not say. */
  who: z.string().optional(),
  first: Instant,
  last: Instant,
  requests: z.int().positive(),
  /** Of the last request; of all together where nobody knows whose they were. */
  units: z.int().positive(),
  because: z.enum(DENIED_FOR),
  /** What the license is, or was answered for the place, where that is why: `EXPIRED`, `COUNTRY_NOT_ALLOWED`, … */
  status: z.string().optional(),
  holder: Holder,
  department: Department.optional(),
  /** When the same holder got a place after all, and how. */
  granted: Instant.optional(),
  grantedBy: z.enum(['retry', 'failover', 'queued-then-served']).optional(),
  /** The ticket that the holder took then, and when. */
  ticket: z.string().optional(),
  queued: Instant.optional(),
})
export type Denial = z.infer<typeof Denial>

/** Who asks, as far as it can be told: the person before the machine before the process before the token. */
export function whoOf(
  { userId, machine, process }: Holder,
  subject: string,
  tokenRef: string | undefined,
): string | undefined {
  if (userId !== undefined) return `user ${userId}`
  if (machine !== undefined) return `machine ${machine}`
  // Processes are numbered by each machine: they say something only beside the credential.
  if (process !== undefined) return `process ${subject} ${process}`
  return tokenRef === undefined ? undefined : `lease ${tokenRef}`
}

/** A denial is not true if its holder is granted a place so soon (milliseconds; license-servers.md, section 6). */
export const WINDOW = MINUTE
/** What the record of a grant may take to arrive. */
const LAG = MINUTE / 2

export const DENIAL_CLASSES = ['true', 'false', 'not-capacity', 'open'] as const
export const DENIAL_REASONS = [...DENIED_FOR, 'retry', 'failover', 'queued-then-served', 'duplicate'] as const

/** Denials of one class and reason (market.md, 2.10). `open`: the time in which it may prove false is not over. */
export type Judged = {
  readonly class: (typeof DENIAL_CLASSES)[number]
  readonly reason: (typeof DENIAL_REASONS)[number]
  readonly denials: number
  readonly units: number
}

/**
 * What became of the denials of a pool, each beside its own. Only true ones are demand that was not met: who asks again
 * and again is one, whoever got a place soon after, or waited for it in the queue, is none.
 *
 * @param isWaiting does this ticket wait, or hold a place that is not claimed yet?
 */
export function judge(
  denials: readonly Denial[],
  now: Instant,
  isWaiting: (ticket: string) => boolean,
): { denial: Denial; judged: Judged[] }[] {
  const sorted = denials.toSorted((a, b) => (a.last < b.last ? -1 : a.last > b.last ? 1 : 0))
  const next = new Map<string, Denial>()
  const found = sorted.toReversed().map((denial) => {
    const judged = judgeOne(
      denial,
      denial.who === undefined ? undefined : next.get(denial.who),
      now,
      isWaiting,
    )
    if (denial.who !== undefined && !isOther(denial.because)) next.set(denial.who, denial)
    return { denial, judged }
  })
  return found.toReversed()
}

function judgeOne(
  denial: Denial,
  next: Denial | undefined,
  now: Instant,
  isWaiting: (ticket: string) => boolean,
): Judged[] {
  const { who, requests, units, because } = denial
  const isNamed = who !== undefined
  if (isOther(because))
    return [
      {
        class: 'not-capacity',
        reason: because,
        denials: requests,
        units: isNamed ? requests * units : units,
      },
    ]
  // Nobody knows whether it was one who asked often or many: each counts.
  if (!isNamed) return [{ class: 'true', reason: because, denials: requests, units }]
  const repeats = requests - 1
  const duplicates = {
    class: 'false',
    reason: 'duplicate',
    denials: repeats,
    units: repeats * units,
  } as const
  const last = { ...outcome(denial, next, now, isWaiting), denials: 1, units }
  return repeats > 0 ? [duplicates, last] : [last]
}

function outcome(
  { last, because, granted, grantedBy = 'retry', ticket, queued }: Denial,
  next: Denial | undefined,
  now: Instant,
  isWaiting: (ticket: string) => boolean,
): Pick<Judged, 'class' | 'reason'> {
  if (granted !== undefined && granted >= last) return { class: 'false', reason: grantedBy }
  if (next !== undefined && after(last, next.first) <= WINDOW) return { class: 'false', reason: 'duplicate' }
  const waits = ticket !== undefined && queued !== undefined && queued >= last && isWaiting(ticket)
  if (waits || after(last, now) < WINDOW + LAG) return { class: 'open', reason: because }
  return { class: 'true', reason: because }
}

/** Milliseconds from one instant to another. */
const after = (from: Instant, to: Instant) => epochMilliseconds(to) - epochMilliseconds(from)
