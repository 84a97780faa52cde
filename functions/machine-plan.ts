import type { Activation } from '../shared/domain/activation.ts'
import { movePlace, takePlace } from '../shared/domain/activation-allowance.ts'
import { findPlace, type MachinePool, withinTransaction } from '../shared/domain/activation-pool.ts'
import { isRefusal, type Refusal } from '../shared/domain/refusal.ts'
import type { Instant } from '../shared/platform/time.ts'
import type { MachineChange } from '../shared/store/activation-pool.ts'
import type { Table } from '../shared/store/transact.ts'
import { findDead, isSeen, ownersOf, type Situation } from './machine-situation.ts'

/** What the machine's coming means for the allowance, and what of the pool it depends on. */
type Allowed = Pick<MachineChange, 'freed' | 'moves' | 'seen'>

/** What the activation of a machine comes to. */
type ActivationPlan =
  /** It has its place already. */
  | { readonly is: 'same'; readonly activation: Activation }
  /** A component of it belongs to these. */
  | { readonly is: 'taken'; readonly living: readonly Activation[] }
  /** Every place is taken. */
  | { readonly is: 'full' }
  /** There are places once these dead machines are taken away; they are too many for one transaction. */
  | { readonly is: 'behind'; readonly leaving: readonly Activation[] }
  /** Its places have gone to other machines too often. */
  | { readonly is: 'refused'; readonly refusal: Refusal }
  | {
      readonly is: 'place'
      readonly overdraft: boolean
      readonly reclaim: readonly Activation[]
      readonly allowed: Allowed
    }

/** Decides whether a machine is activated. Dead machines are read only where one of their places is needed. */
export async function planActivation(
  situation: Situation,
  table: Table,
  now: Instant,
): Promise<ActivationPlan> {
  const { pool, terms, holdings } = situation
  const { same, living, dead: owed } = ownersOf(situation, now)
  if (same !== undefined) return { is: 'same', activation: same }
  if (living.length > 0) return { is: 'taken', living }

  const wanted = pool.used + 1 - terms.size.capacity
  const place = findPlace(pool, terms.size, owed, await findDead(table, holdings, wanted, now))
  if (!place.found) {
    return place.makeWay === undefined ? { is: 'full' } : { is: 'behind', leaving: place.makeWay }
  }
  const { overdraft, reclaim } = place
  const allowed = allow(situation, reclaim, now)
  return isRefusal(allowed)
    ? { is: 'refused', refusal: allowed }
    : { is: 'place', overdraft, reclaim, allowed }
}

/** May the machine come, as far as the allowance goes, while these leave? */
function allow(situation: Situation, leaving: readonly Activation[], now: Instant): Allowed | Refusal {
  const { pool, terms } = situation
  const { deactivations, size, license } = terms
  if (deactivations === undefined) return { seen: {} }
  if (pool.freed === 0) return { seen: { freed: 0 } }
  const fresh = size.limit - (pool.used - leaving.length) > pool.freed
  const machine = { seen: isSeen(situation, leaving, now), fresh }
  const after = takePlace(pool, deactivations, machine, license.timeZone, now)
  if (isRefusal(after)) return after
  return {
    freed: after.freed - pool.freed,
    moves: after.moves,
    seen: { used: pool.used, freed: pool.freed, moves: pool.moves },
  }
}

/** What giving a machine's place to another comes to. */
type MovePlan =
  | Exclude<ActivationPlan, { is: 'same' | 'full' | 'place' }>
  | {
      readonly is: 'moved'
      /** The dead machines that have to go, because the new one has a component of theirs. */
      readonly dead: readonly Activation[]
      readonly after: Pick<MachinePool, 'freed' | 'moves'>
    }

/** Decides whether the place of `old` goes to the machine of the situation. */
export function planMove(situation: Situation, old: Activation, now: Instant): MovePlan {
  const { pool, terms } = situation
  const owners = situation.owners.filter(({ id }) => id !== old.id)
  const { living, dead } = ownersOf({ ...situation, owners }, now)
  if (living.length > 0) return { is: 'taken', living }
  const fitting = withinTransaction(dead)
  if (fitting.length < dead.length) return { is: 'behind', leaving: fitting }
  const { deactivations: rule, license } = terms
  const machine = { seen: isSeen(situation, [old, ...dead], now) }
  const after = rule === undefined ? pool : movePlace(pool, rule, machine, license.timeZone, now)
  return isRefusal(after) ? { is: 'refused', refusal: after } : { is: 'moved', dead, after }
}
