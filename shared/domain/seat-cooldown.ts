import type { Instant } from '../platform/time.ts'
import { addDuration } from './calendar.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Seat } from './seat.ts'
import { neededModules, type Seating } from './seat-decision.ts'
import type { Tenant } from './tenant.ts'
import type { User } from './user.ts'

/**
 * A seat may not hop: for as long as the policy says after it was given, nobody takes it from a person by hand for the
 * next one, by revoking it or by taking the role away (Microsoft: not within 90 days of the last assignment;
 * licensing-semantics.md, section 14: cool-down per seat, overridable with reason). Whoever leaves, is suspended, works
 * elsewhere, is taken out of a group by the directory, or does not use it, frees it at once all the same.
 *
 * @param after the person as it is to be
 */
export function checkCooldown(
  { user: before, seats }: { readonly user: User; readonly seats: readonly Seat[] },
  after: User,
  { policy, products, tenant }: Pick<Seating, 'policy' | 'products'> & { readonly tenant: Tenant },
  now: Instant,
): Refusal | undefined {
  if (policy.cooldown === undefined || after.status !== 'active') return undefined
  for (const { productId, modules, assignedAt } of seats) {
    const product = products.get(productId)
    const until = addDuration(assignedAt, policy.cooldown, tenant.timeZone)
    if (product === undefined || now >= until) continue
    const [was, is] = [neededModules(before, product), neededModules(after, product)]
    const taken = modules.filter((module) => was.has(module) && !is.has(module))
    if (taken.length > 0)
      return refuse(
        'SEAT_COOLDOWN',
        `The seat of ${taken.join(', ')} was given at ${assignedAt} and stays until ${until}.`,
      )
  }
  return undefined
}
