import type { Instant, TimeZone } from '../platform/time.ts'
import type { MachinePool } from './activation-pool.ts'
import type { MachineTerms } from './activation-terms.ts'
import { addDuration } from './calendar.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Rules } from './terms.ts'

type Allowance = NonNullable<Rules['deactivations']>
type Moves = Pick<MachinePool, 'freed' | 'moves'>

/** The moves that still count: each does for one period, counted on the calendar of the tenant. */
export function recentMoves(
  moves: readonly Instant[],
  { period }: Allowance,
  timeZone: TimeZone,
  now: Instant,
): Instant[] {
  return moves.filter((move) => addDuration(move, period, timeZone) > now)
}

/**
 * What taking a place means for the allowance. A machine seen within the period takes a freed place back and that is no
 * move; neither is taking a place that nobody had before (`fresh` says whether there is one). Any other machine moves
 * in where another moved out, and the rule limits how often within a period.
 */
export function takePlace(
  pool: Moves,
  rule: Allowance,
  machine: { seen: boolean; fresh: boolean },
  timeZone: TimeZone,
  now: Instant,
): Moves | Refusal {
  const moves = recentMoves(pool.moves, rule, timeZone, now)
  if (pool.freed === 0) return { freed: 0, moves }
  if (machine.seen) return { freed: pool.freed - 1, moves }
  if (machine.fresh) return { freed: pool.freed, moves }
  return countMove({ freed: pool.freed - 1, moves }, rule, timeZone, now)
}

/** The place of a machine goes to another at once: a move, unless that one was seen within the period. */
export function movePlace(
  pool: Moves,
  rule: Allowance,
  { seen }: { seen: boolean },
  timeZone: TimeZone,
  now: Instant,
): Moves | Refusal {
  const moves = recentMoves(pool.moves, rule, timeZone, now)
  return seen ? { freed: pool.freed, moves } : countMove({ freed: pool.freed, moves }, rule, timeZone, now)
}

function countMove(
  { freed, moves }: Moves,
  rule: Allowance,
  timeZone: TimeZone,
  now: Instant,
): Moves | Refusal {
  if (moves.length < rule.allowed) return { freed, moves: [...moves, now] }
  const next = nextMove(moves, { deactivations: rule, license: { timeZone } }, now)
  const when = next === undefined ? 'never' : `from ${next} on`
  return refuse(
    'MOVES_EXHAUSTED',
    `${rule.allowed} places per ${rule.period} may go to another machine; the next one may ${when}.`,
  )
}

/** How often places may still go to other machines now. */
export type MovesLeft = { allowed: number; left: number }

/** Undefined where that is not limited. */
export function movesLeft(
  { deactivations, license }: Pick<MachineTerms, 'deactivations' | 'license'>,
  pool: Pick<MachinePool, 'moves'>,
  now: Instant,
): MovesLeft | undefined {
  if (deactivations === undefined) return undefined
  const { allowed } = deactivations
  const recent = recentMoves(pool.moves, deactivations, license.timeZone, now)
  return { allowed, left: Math.max(0, allowed - recent.length) }
}

/** When the next place may go to another machine; undefined if it may now, or never. */
export function nextMove(
  all: readonly Instant[],
  { deactivations, license }: { deactivations: Allowance | undefined; license: { timeZone: TimeZone } },
  now: Instant,
): Instant | undefined {
  if (deactivations === undefined) return undefined
  const moves = recentMoves(all, deactivations, license.timeZone, now)
  const next = moves[moves.length - deactivations.allowed]
  return next && addDuration(next, deactivations.period, license.timeZone)
}
