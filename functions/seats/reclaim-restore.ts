import { nameForTenant } from '../../shared/domain/access.ts'
import { seesOrganization } from '../../shared/domain/organization.ts'
import { commonOf, type ReclaimCase } from '../../shared/domain/reclaim-case.ts'
import { notFound, refuse } from '../../shared/domain/refusal.ts'
import type { User } from '../../shared/domain/user.ts'
import type { Handler } from '../../shared/platform/http/contract.ts'
import { DAY, plusMilliseconds } from '../../shared/platform/time.ts'
import { countReclaimed, readCase, readPersonWithCases, writeCase } from '../../shared/store/reclaim.ts'
import type { Action } from '../../shared/store/transact.ts'
import { productNamed } from '../product-named.ts'
import { adjustSeats } from '../seating/adjust-seats.ts'
import { changePerson, personView } from '../seating/change-person.ts'
import { readSeating } from '../seating/seating.ts'
import { refuseShortage } from '../seating/seats-exhausted.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { caseEvent, RECLAIMER } from './reclaim-person.ts'
import type { reclaimRoutes } from './reclaim-routes.ts'

/**
 * Gives the seats back that were reclaimed: what the person was given by hand, and what its roles gave and still do. It
 * is then left alone for the cooldown of the rule that took them.
 */
export const restoreSeats: Handler<(typeof reclaimRoutes)['restoreSeats'], VerifyingServices> = async (
  call,
  services,
) => {
  const { params, body, caller, now } = call
  const { tenantId, userId } = params
  const { table } = services
  const product = await productNamed(table, body.product)
  if (product === undefined) return notFound
  return untilFresh(async () => {
    const person = await readPersonWithCases(table, tenantId, userId)
    const seating = await readSeating(services, tenantId, now, [product.id])
    const last = person?.cases.get(product.id)
    if (person === undefined || seating === undefined || last === undefined) return notFound
    if (!seesOrganization(caller, person.user.organizationId, seating.organizations)) return notFound
    if (last.state !== 'reclaimed') return refuse('UNDO_OVER', `The last case is ${last.state}.`)
    if (now >= last.undoUntil) return refuse('UNDO_OVER', `It could be undone until ${last.undoUntil}.`)
    const { user } = person
    if (user.status !== 'active') return refuse('SEAT_BLOCKED', `${user.name} is ${user.status}.`)
    const { taken, metrics, endedAt } = last
    const facts: User = {
      ...user,
      direct: [
        ...user.direct,
        ...taken.direct.filter(
          (one) => !user.direct.some((now) => now.productId === product.id && now.module === one.module),
        ),
      ],
      withheld: user.withheld.filter(
        (one) => !(one.productId === product.id && one.by === RECLAIMER && one.at === endedAt),
      ),
      revision: user.revision + 1,
    }
    const adjustment = adjustSeats(person, facts, seating, now)
    const gap = adjustment.after.user.pending.find(
      (one) => one.productId === product.id && metrics.includes(one.metric) && one.instead === undefined,
    )
    if (gap !== undefined && !body.wait) {
      // Who gave them back at the same moment may have taken the place that is missed here.
      const again = await readCase(table, tenantId, userId, product.id)
      if (again?.version !== last.version) return outdated
      return refuseShortage(table, seating, user, gap, call)
    }
    const by = nameForTenant(caller)
    const quietUntil = plusMilliseconds(now, last.cooldownDays * DAY)
    const next: ReclaimCase = { ...commonOf(last), state: 'restored', endedAt: now, by, quietUntil }
    const counts = metrics.map((metric): [string, Action] => [
      `restored ${metric}`,
      countReclaimed(tenantId, now.slice(0, 7), product.id, metric, 'restored'),
    ])
    return changePerson(call, services, seating, adjustment, {
      writes: { case: writeCase(tenantId, last, next), ...Object.fromEntries(counts) },
      events: [
        {
          ...caseEvent('reclamation.restored', tenantId, next, { quietUntil }),
          ...(body.reason && { reason: body.reason }),
        },
      ],
      reply: personView(adjustment.after),
      refusals: { case: outdated },
      mayWait: body.wait,
    })
  })
}
