import type { Instant } from '../platform/time.ts'
import type { Entry, Seconds } from './lease-entry.ts'
import { Last } from './lease-last.ts'
import { isOver, type Pool } from './pool.ts'
import { seconds } from './pool-terms.ts'

/** What a change of a pool says of itself; undefined for one that does not: a heartbeat, a license that changed. */
export function newsOf(before: Pool | undefined, after: Pool): Last | undefined {
  const parsed = Last.safeParse(after.last)
  // Parsed first: DynamoDB keeps no order of a map's fields, parsing does.
  const known = Last.safeParse(before?.last)
  const isNews = parsed.success && JSON.stringify(known.data) !== JSON.stringify(parsed.data)
  return isNews ? parsed.data : undefined
}

/** Has the entry that the change is about taken the place of one of the same name, which was over? */
export const isAnew = (last: Last | undefined, ref: string, was: Entry): boolean =>
  last?.ref === ref && BEGINS.has(last.op) && isOver(was, secondsOf(last))

/** What begins a lease; everything else ends one, or concerns a place in the queue. */
const BEGINS: ReadonlySet<Last['op']> = new Set(['out', 'borrow', 'claim'])

const secondsOf = ({ at }: Last): Seconds => Math.floor(at / 1000)

/** A lease that ended with a change of its pool, and when its use did. */
export type Ended = { readonly ref: string; readonly entry: Entry; readonly at: Seconds }

/** The lease that began with a change of a pool, if one did, and those that ended. A hold is no lease. */
export type LeaseTurns = {
  readonly began: { readonly ref: string; readonly entry: Entry; readonly last: Last } | undefined
  readonly ended: readonly Ended[]
}

/**
 * What began and what ended, from a pool before and after a change. A lease that nobody renewed ended at its own end,
 * however much later somebody came upon it.
 */
export function leaseTurns(before: Pool | undefined, after: Pool, recordedAt: Instant): LeaseTurns {
  const last = newsOf(before, after)
  const at = last === undefined ? seconds(recordedAt) : secondsOf(last)
  const ended: Ended[] = []
  for (const [ref, entry] of before?.entries ?? []) {
    if (entry.kind === 'hold') continue
    const isGone = !after.entries.has(ref)
    // Only what had lapsed goes without a word.
    if (isGone && last === undefined) ended.push({ ref, entry, at: entry.until })
    else if (isGone || isAnew(last, ref, entry)) ended.push({ ref, entry, at: Math.min(entry.until, at) })
  }
  const entry = last && after.entries.get(last.ref)
  if (last === undefined || entry === undefined || entry.kind === 'hold' || !BEGINS.has(last.op))
    return { began: undefined, ended }
  const was = before?.entries.get(last.ref)
  const isNew = was === undefined || was.kind !== entry.kind || isAnew(last, last.ref, was)
  return { began: isNew ? { ref: last.ref, entry, last } : undefined, ended }
}
