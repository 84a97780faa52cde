import type { Denial, Judged } from './denial.ts'
import { type Cure, cheapestFirst, free, purchase, type Sight, type Step, step } from './explanation.ts'
import type { Seconds } from './lease-entry.ts'
import type { Holder } from './lease-last.ts'
import { type CheckedOut, checkedOut } from './lease-request.ts'
import type { LeaseTerms } from './lease-terms.ts'
import { earliestEnd, isLapsed, liveIn, type Pool, unitsOf } from './pool.ts'
import type { Ask } from './pool-grant.ts'
import type { LeaseHolder } from './pool-shortage.ts'
import { instantOf, limitOf } from './pool-terms.ts'
import type { Line } from './queue.ts'
import type { Refusal } from './refusal.ts'
import { codeOf } from './shares.ts'

/** A floating pool and all that decides on it. */
export type PoolSituation = {
  readonly metric: string
  /** Absent where no license ever had the metric. */
  readonly line: Line | undefined
  readonly terms: LeaseTerms
  /** Of the places that are kept for those who wait. */
  readonly hold: LeaseTerms
  /** Who holds what, the next to end first; empty where the caller may not know. */
  readonly holders: readonly LeaseHolder[]
  /** Why its licenses may not be used from where it is asked. */
  readonly elsewhere?: Refusal | undefined
  /**
   * Requests of late that found no place, each with what became of it; empty where the caller may not know. They are
   * kept by holder and minute, not by request.
   */
  readonly denials: readonly DenialSeen[]
}

type DenialSeen = { readonly denial: Denial; readonly judged: readonly Judged[] }

/** What a check-out of so many units comes to, for a department if one is named. */
export function checkOutOf(
  { line, terms, hold }: PoolSituation,
  units: number,
  department: string | undefined,
  now: Seconds,
  as: Partial<Ask> = {},
): CheckedOut {
  const own = codeOf(terms.shares, department)
  return checkedOut(
    line,
    { ref: '', units, kind: 'lease', generation: 0, department: own, ...as },
    terms,
    hold,
    now,
  )
}

/** The code that a check-out answers, `OK` if it is granted. */
export function outcomeOf(found: CheckedOut, elsewhere?: Refusal): string {
  if (elsewhere) return elsewhere.refused
  return { granted: 'OK', full: 'POOL_EXHAUSTED', none: 'LICENSE_NOT_IN_FORCE' }[found.is]
}

/** Those named; the tenant's view of its pools has all. */
const SHOWN = 5

/** Is there a place, who has the others, and how often was there none? */
export function poolSteps(
  situation: PoolSituation,
  units: number,
  found: CheckedOut,
  sight: Sight,
  now: Seconds,
): Step[] {
  const { metric, line, terms, holders, denials } = situation
  const { capacity, limit } = terms.size
  const pool = found.is === 'full' ? found.line.pool : line?.pool
  const lapsed = unitsOf([...(pool?.entries.values() ?? [])].filter((entry) => isLapsed(entry, now)))
  const overdraft = limit > capacity ? ` and an overdraft up to ${limitOf(limit)}` : ''
  const isGranted = found.is === 'granted'
  const kept = isGranted && found.heldBefore ? '; has its place already' : ''
  const beyond = isGranted && found.entry.overdraft ? '; granted beyond the capacity, as overdraft' : ''
  const room = `${pool?.used ?? 0} of ${limitOf(capacity)} ${metric} taken${overdraft}, ${lapsed} of them lapsed; ${pool?.waiting ?? 0} wait; wanted ${units}${kept}${beyond}${found.is === 'full' ? WHY[found.because] : ''}`
  return [
    ...(situation.elsewhere ? [step('country', false, situation.elsewhere.detail)] : []),
    step(`place in ${metric}`, isGranted, room),
    ...(sight.others && holders.length > 0
      ? [step(`who holds ${metric}`, isGranted, holders.slice(0, SHOWN).map(holderText).join('; '))]
      : []),
    ...(denials.length > 0 ? [step(`denials of ${metric}`, true, denialText(denials))] : []),
  ]
}

const WHY: Readonly<Record<(CheckedOut & { is: 'full' })['because'], string>> = {
  units: '',
  borrowed: '',
  kept: '; what is free is kept for departments that it is guaranteed to',
  quota: '; the department has all it may have',
}

/** How many requests were denied, and how many of them as demand that was not met. */
function denialText(denials: readonly DenialSeen[]): string {
  const counts = new Map<Judged['class'], number>()
  for (const { judged } of denials)
    for (const one of judged) counts.set(one.class, (counts.get(one.class) ?? 0) + one.denials)
  const parts = [...counts].map(([name, count]) => `${count} ${CLASSES[name]}`)
  return `of late: ${parts.join(', ')}; kept by holder and minute, not by request`
}

const CLASSES: Readonly<Record<Judged['class'], string>> = {
  true: 'for want of a place',
  false: 'that got one soon after, or asked again',
  'not-capacity': 'for want of a license',
  open: 'of which it is not clear yet',
}

/** What a holder was denied, and whether it got a place after all. */
export const deniedText = ({ first, last, requests, because, status, granted, grantedBy }: Denial) =>
  `${requests === 1 ? `a request on ${last}` : `${requests} requests from ${first} to ${last}`}: ${because}${status ? ` ${status}` : ''}${granted ? `; a place on ${granted} (${grantedBy})` : ''}`

export const holderText = ({ holder, department, units, kind, expiresAt, lapsed, ref }: LeaseHolder) =>
  `${nameOf(holder)}${department ? ` (${department})` : ''}: ${units} by ${kind} ${ref}, ${lapsed ? 'lapsed since' : 'until'} ${expiresAt}`

/** As far as it was told when it was checked out, which the record says within seconds. */
export function nameOf(holder: Holder | undefined): string {
  const { userId, machine, process } = holder ?? {}
  return (
    [userId, machine && `on ${machine}`, process && `process ${process}`].filter(Boolean).join(' ') ||
    'not named'
  )
}

/** What would give a place in a pool that is full. */
export function poolCures(
  { metric, terms, holders }: PoolSituation,
  units: number,
  { pool }: Line,
  sight: Sight,
  now: Seconds,
  userId?: string,
): Cure[] {
  const { limit } = terms.size
  const live = liveIn(pool, now)
  const missing = purchase(`Buy ${Math.max(1, unitsOf(live) + units - limit)} more ${metric}.`)
  if (units > limit) return [missing]
  const end = earliestEnd(live)
  const own = holders.filter(({ holder, kind }) => holder?.userId === userId && kind !== 'hold')
  return cheapestFirst([
    ...(end === undefined
      ? []
      : [
          free('nobody', `Wait until ${instantOf(end)}: the next place is free then, unless it is renewed.`, {
            at: instantOf(end),
          }),
        ]),
    ...(userId === undefined || !sight.others
      ? []
      : own.map((one) => free('caller', `Check in ${holderText(one)}.`))),
    free('caller', `Take a ticket (POST /v1/tickets): ${pool.waiting} wait before.`),
    ...strandedCures(pool, holders, sight, now),
    missing,
  ])
}

/** The lease that was not heard of for longest, for the tenant to release. */
function strandedCures(
  { entries }: Pool,
  holders: readonly LeaseHolder[],
  { others, administrator }: Sight,
  now: Seconds,
): Cure[] {
  const silent = [...entries]
    .filter(([, entry]) => (entry.kind === 'lease' || entry.kind === 'shared') && !isLapsed(entry, now))
    .toSorted(([, a], [, b]) => a.beat - b.beat)
    .at(0)
  if (silent === undefined) return []
  const [ref, { beat }] = silent
  const known = holders.find((one) => one.ref === ref)
  const which = others && known ? `: ${holderText(known)}, last heard of ${instantOf(beat)}` : ''
  return [free('tenant', `Ask ${administrator} to release a lease that is not used any more${which}.`)]
}
