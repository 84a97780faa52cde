import * as z from 'zod'
import { Fingerprint } from './license.ts'
import { Code, type Rules } from './terms.ts'

/** A part of a machine that tells it from others: its board, disk, network card. A machine may have one unnamed part. */
export const Component = z.strictObject({ component: Code.optional(), value: Fingerprint })
export type Component = z.infer<typeof Component>

/** The parts of one machine. */
export const Components = z.array(Component).min(1).max(20)

export type MatchRule = NonNullable<Rules['fingerprints']>['match']

/**
 * How many of a machine's registered components must be there again, so that it counts as the same machine. With n
 * distinct registered components:
 *
 *   any   1
 *   two   2, or 1 where n = 1
 *   most  half of n, rounded up: 1 of 1, 1 of 2, 2 of 3, 2 of 4, 3 of 5 (exactly half passes)
 *   all   n
 *
 * Counted against what was registered, not against what is sent: sending fewer components never makes it easier.
 */
export function needed(rule: MatchRule, registered: number): number {
  switch (rule) {
    case 'any':
      return Math.min(1, registered)
    case 'two':
      return Math.min(2, registered)
    case 'most':
      return Math.ceil(registered / 2)
    case 'all':
      return registered
  }
}

/** Are these components those of the registered machine? Duplicates count once, on either side. */
export function matches(rule: MatchRule, registered: readonly string[], given: readonly string[]): boolean {
  const known = new Set(registered)
  return known.size > 0 && inCommon(registered, given) >= needed(rule, known.size)
}

/** How many distinct components two machines share. */
export function inCommon(first: readonly string[], second: readonly string[]): number {
  return new Set(first).intersection(new Set(second)).size
}
