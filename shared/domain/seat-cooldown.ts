import type { Instant, TimeZone } from '../platform/time.ts'
import { addDuration } from './calendar.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Seat, SeatPolicy } from './seat.ts'

/**
 * A seat may not hop: for as long as the policy says after it was given, nobody takes it from a person by hand for the
 * next one, by revoking it or by taking the role away (Microsoft: not within 90 days of the last assignment;
 * licensing-semantics.md, section 14: cool-down per seat, overridable with reason). Whoever leaves, is suspended, is
 * taken out of a group by the directory, or does not use it, frees it at once all the same.
 *
 * @param before the seats the person has
 * @param after those it would have; a module that another of them is for is not taken
 */
export function checkCooldown(
  before: readonly Seat[],
  after: readonly Seat[],
  { cooldown }: Pick<SeatPolicy, 'cooldown'>,
  timeZone: TimeZone,
  now: Instant,
): Refusal | undefined {
  if (cooldown === undefined) return undefined
  const isHad = ({ productId }: Seat, module: string) =>
    after.some((seat) => seat.productId === productId && seat.modules.includes(module))
  for (const seat of before) {
    const until = addDuration(seat.assignedAt, cooldown, timeZone)
    const taken = seat.modules.filter((module) => !isHad(seat, module))
    if (taken.length > 0 && now < until)
      return refuse(
        'SEAT_COOLDOWN',
        `The seat of ${taken.join(', ')} was given at ${seat.assignedAt} and stays until ${until}.`,
      )
  }
  return undefined
}
