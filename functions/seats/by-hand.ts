import { nameForTenant } from '../../shared/domain/access.ts'
import { isRefusal, notFound, refuse } from '../../shared/domain/refusal.ts'
import { poolName } from '../../shared/domain/seat.ts'
import { neededModules } from '../../shared/domain/seat-decision.ts'
import type { ByHand, User } from '../../shared/domain/user.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { editPerson } from '../seating/change-person.ts'
import { findSeatPlace, type SeatPlace } from '../seating/seat-place.ts'
import { refuseShortage } from '../seating/seats-exhausted.ts'
import type { VerifyingServices } from '../verified.ts'
import type { seatsRoutes } from './routes.ts'

type ByHandHandlers = Pick<
  Handlers<typeof seatsRoutes, VerifyingServices>,
  'assignSeat' | 'revokeSeat' | 'pinSeat'
>

export const byHandHandlers: ByHandHandlers = {
  async assignSeat(call, services) {
    const { product, module, pinned, wait, reason } = call.body
    const place = await findSeatPlace(services.table, product, module)
    if (isRefusal(place)) return place
    return editPerson(call, services, call.params, {
      event: 'seat.given-by-hand',
      reason,
      products: [place.productId],
      mayWait: wait,
      pin: pinned === undefined ? undefined : { name: poolName(place), pinned },
      next: ({ user }) => ({
        ...user,
        direct: has(user.direct, place)
          ? user.direct
          : [...user.direct, entry(place, call.now, nameForTenant(call.caller), reason)],
        withheld: without(user.withheld, place),
        ...(!(has(user.direct, place) && !has(user.withheld, place)) && { revision: user.revision + 1 }),
      }),
      async check({ after }, seating) {
        const { user } = after
        if (user.status !== 'active') return refuse('SEAT_BLOCKED', `${user.name} is ${user.status}.`)
        const pending = user.pending.find(
          (one) => poolName(one) === poolName(place) && one.modules.includes(module),
        )
        return pending && !wait ? refuseShortage(services.table, seating, user, pending, call) : undefined
      },
    })
  },

  async revokeSeat(call, services) {
    const { product, module, reason, override } = call.body
    const place = await findSeatPlace(services.table, product, module)
    if (isRefusal(place)) return place
    return editPerson(call, services, call.params, {
      event: 'seat.revoked-by-hand',
      reason,
      mayWait: true,
      byHand: !override,
      next({ user }) {
        if (!neededModules(user, place.product).has(module)) {
          return has(user.withheld, place) ? user : notFound
        }
        const next: User = {
          ...user,
          direct: without(user.direct, place),
          revision: user.revision + 1,
        }
        // Without this its role would give it back at the next change.
        return neededModules(next, place.product).has(module)
          ? {
              ...next,
              withheld: [...user.withheld, entry(place, call.now, nameForTenant(call.caller), reason)],
            }
          : next
      },
    })
  },

  async pinSeat(call, services) {
    const { product, module, pinned } = call.body
    const place = await findSeatPlace(services.table, product, module)
    if (isRefusal(place)) return place
    return editPerson(call, services, call.params, {
      event: pinned ? 'seat.pinned' : 'seat.unpinned',
      mayWait: true,
      pin: { name: poolName(place), pinned },
      next: ({ user, seats }) => (seats.some((seat) => poolName(seat) === poolName(place)) ? user : notFound),
    })
  },
}

type Which = Pick<SeatPlace, 'productId' | 'module'>

const isOf = (one: ByHand, { productId, module }: Which) =>
  one.productId === productId && one.module === module
const has = (list: readonly ByHand[], which: Which) => list.some((one) => isOf(one, which))
const without = (list: readonly ByHand[], which: Which) => list.filter((one) => !isOf(one, which))

const entry = (
  { productId, module }: Which,
  at: ByHand['at'],
  by: string,
  reason: string | undefined,
): ByHand => ({ productId, module, at, by, ...(reason && { reason }) })
