import * as z from 'zod'
import { DAY, epochMilliseconds, fromEpochMilliseconds, Instant } from '../platform/time.ts'
import type { Entry, Seconds } from './lease-entry.ts'
import { Department, Holder } from './lease-last.ts'
import type { Ended } from './lease-turns.ts'
import { seconds } from './pool-terms.ts'

/** Units that were held from an instant up to, not including, another: whole seconds, within one day of UTC. */
export const Use = z.strictObject({
  /** Of the lease, and when that began. */
  ref: z.string(),
  since: Instant,
  from: Instant,
  until: Instant,
  units: z.int(),
  holder: Holder,
  department: Department.optional(),
})
export type Use = z.infer<typeof Use>

/** Who has a lease, and since when. */
export type LeaseOf = Pick<Use, 'holder' | 'since'> & { readonly department?: string | undefined }

/** Days that it is kept; of a longer lease those before its last ones are not told. */
export const USE_KEPT = 400

/** What a lease that ended was held, in parts that lie within a day; nothing where it is of another lease. */
export function useOf({ ref, entry, at }: Ended, { holder, department, since }: LeaseOf): Use[] {
  const parts: Use[] = []
  for (let until = at; until > seconds(since) && parts.length < USE_KEPT; ) {
    const from = Math.max(seconds(since), dayBefore(until))
    parts.push({
      ref,
      since,
      from: instantOf(from),
      until: instantOf(until),
      units: entry.units,
      holder,
      ...(department !== undefined && { department }),
    })
    until = from
  }
  return parts.toReversed()
}

/** The beginning of the day that ends at an instant, or that it lies in. */
const dayBefore = (until: Seconds): Seconds => Math.floor((until - 1) / (DAY / 1000)) * (DAY / 1000)
const instantOf = (at: Seconds) => fromEpochMilliseconds(at * 1000)

/** What leases that are held now were held until now. `leases`: who has them, as far as that is known yet. */
export function useSoFar(
  entries: ReadonlyMap<string, Entry>,
  leases: ReadonlyMap<string, LeaseOf>,
  told: readonly Use[],
  now: Instant,
): Use[] {
  const ends = new Map<string, Instant>()
  for (const { ref, until } of told) if (until > (ends.get(ref) ?? '')) ends.set(ref, until)
  return [...entries].flatMap(([ref, entry]) => {
    if (entry.kind === 'hold') return []
    const lease = leases.get(ref) ?? { holder: {}, since: instantOf(entry.beat) }
    const at = Math.min(entry.until, seconds(now))
    const use = useOf({ ref, entry, at }, lease)
    // It ended while this was read, and is told already.
    return (ends.get(ref) ?? '') > lease.since ? [] : use
  })
}

/** A stretch of time: how long units of a key were held in it, how many at most at once, by how many leases. */
type UseBucket = {
  readonly from: Instant
  readonly until: Instant
  /** `null`: not told by the application. */
  readonly key: string | null
  /** Seconds, times units. */
  readonly heldSeconds: number
  readonly peak: number
  readonly leases: number
}

/**
 * Gathers use between marks, by key; what nobody held is left out. All numbers are sums over the same parts in whole
 * seconds, so that those of all keys are those of the whole.
 */
export function useSeries(
  uses: readonly Use[],
  marks: readonly Instant[],
  keyOf: (use: Use) => string | null,
): UseBucket[] {
  const stretches = marks.slice(0, -1).map((from, index) => ({ from, until: marks[index + 1] ?? from }))
  const sorted = uses.toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
  const open: Use[] = []
  let next = 0
  return stretches.flatMap(({ from, until }) => {
    for (; next < sorted.length; next += 1) {
      const use = sorted[next]
      if (use === undefined || use.from >= until) break
      open.push(use)
    }
    const own = open.filter((use) => use.until > from)
    open.splice(0, open.length, ...own.filter((use) => use.until > until))
    const keys = Map.groupBy(own, keyOf)
    return [...keys]
      .map(([key, some]) => ({ from, until, key, ...summed(some, seconds(from), seconds(until)) }))
      .toSorted((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1))
  })
}

function summed(uses: readonly Use[], from: Seconds, until: Seconds) {
  let heldSeconds = 0
  const turns: [at: Seconds, units: number][] = []
  for (const use of uses) {
    const begins = Math.max(from, seconds(use.from))
    const ends = Math.min(until, seconds(use.until))
    heldSeconds += (ends - begins) * use.units
    turns.push([begins, use.units], [ends, -use.units])
  }
  // What ends makes room before what begins at the same second.
  turns.sort(([a, up], [b, down]) => a - b || up - down)
  let [held, peak] = [0, 0]
  for (const [, units] of turns) {
    held += units
    peak = Math.max(peak, held)
  }
  return { heldSeconds, peak, leases: new Set(uses.map(({ ref, since }) => `${ref} ${since}`)).size }
}

/** Does the use lie in a time at all? */
export const overlaps = (use: Use, from: Instant, until: Instant): boolean =>
  epochMilliseconds(use.until) > epochMilliseconds(from) && use.from < until
