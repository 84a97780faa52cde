import type { Activation } from '../../shared/domain/activation.ts'
import type { MachineTerms } from '../../shared/domain/activation-terms.ts'
import { addDuration } from '../../shared/domain/calendar.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import type { Refusal } from '../../shared/domain/refusal.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { promoteActivation, removeActivation } from '../../shared/store/activation.ts'
import type { Action } from '../../shared/store/transact.ts'
import { outdated } from '../until-fresh.ts'

/** Milliseconds to keep for one more transaction, and the answer. */
export const RESERVE = 4_000

/** A request of which is known how many milliseconds it has left. */
export type Timed<Request> = Request & { readonly remaining: () => number }

type Writes = Record<string, Action>

/** Takes dead machines away, unless they were heard of since they were read. */
export const reclaims = (leaving: readonly Activation[]): Writes =>
  Object.fromEntries(leaving.map((one) => [`reclaim ${one.id}`, removeActivation(one, true)]))

/** Overdraft grants become ones within the capacity. */
export const promotions = (promoted: readonly Activation[]): Writes =>
  Object.fromEntries(promoted.map((one) => [`promote ${one.id}`, promoteActivation(one)]))

/** Every condition says that something was written in between: decide anew. */
export const refusalsOf = (writes: Writes): Record<string, Refusal> =>
  Object.fromEntries(Object.keys(writes).map((label) => [label, outdated]))

/** Until when a machine that leaves now is remembered as seen; it need not be where deactivations are not limited. */
export function seenUntil(
  { deactivations, license }: Pick<MachineTerms, 'deactivations' | 'license'>,
  now: Instant,
): Instant | undefined {
  return deactivations && addDuration(now, deactivations.period, license.timeZone)
}

/** How many of them are overdraft grants. */
export const flagged = (activations: readonly Activation[]) =>
  activations.filter(({ overdraft }) => overdraft).length

export function eventOf(type: EventDraft['type'], { tenantId, id }: Activation): EventDraft {
  return { type, tenantId, subject: { type: 'activation', id } }
}
