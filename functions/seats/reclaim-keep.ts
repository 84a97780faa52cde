import { nameForTenant } from '../../shared/domain/access.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { seesOrganization } from '../../shared/domain/organization.ts'
import {
  commonOf,
  isOpen,
  type ReclaimCase,
  reclaimAtOf,
  reclaimCaseView,
} from '../../shared/domain/reclaim-case.ts'
import { notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers, Replayed } from '../../shared/platform/http/contract.ts'
import { DAY, plusMilliseconds } from '../../shared/platform/time.ts'
import { type PersonWithCases, readCase, readPersonWithCases, writeCase } from '../../shared/store/reclaim.ts'
import { productNamed } from '../product-named.ts'
import { type Linked, openKeepToken } from '../seating/keep-link.ts'
import { stepsFor } from '../seating/reclaim-outlook.ts'
import { readSeating, type TenantSeating } from '../seating/seating.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { caseEvent } from './reclaim-person.ts'
import type { reclaimRoutes } from './reclaim-routes.ts'

type KeepHandlers = Pick<
  Handlers<typeof reclaimRoutes, VerifyingServices>,
  'keepSeats' | 'getKeepLink' | 'useKeepLink'
>

type Kept = Extract<ReclaimCase, { state: 'kept' }>

export const keepHandlers: KeepHandlers = {
  async keepSeats(call, services) {
    const { params, body, caller } = call
    const product = await productNamed(services.table, body.product)
    if (product === undefined) return notFound
    return keep(call, services, { ...params, productId: product.id }, nameForTenant(caller), {
      check: ({ user }, { organizations }) =>
        seesOrganization(caller, user.organizationId, organizations) ? undefined : notFound,
      ...(body.reason && { event: { reason: body.reason } }),
      reply: reclaimCaseView,
    })
  },

  async getKeepLink({ query }, { table, secrets }) {
    const linked = openKeepToken(query.token, secrets.keepKey)
    const found = linked && (await findLinked(table, linked))
    if (found === undefined) return notFound
    if (isOpen(found)) return { state: 'open', reclaimAt: reclaimAtOf(found, found.dueAt) }
    return { state: found.state === 'kept' ? 'kept' : 'over' }
  },

  async useKeepLink(call, services) {
    const { table, secrets } = services
    const linked = openKeepToken(call.body.token, secrets.keepKey)
    const found = linked && (await findLinked(table, linked))
    if (linked === undefined || found === undefined) return notFound
    const { tenantId, userId, openedAt } = linked
    return keep(call, services, linked, userId, {
      check: (_, __, one) => (one.openedAt === openedAt ? undefined : over),
      // Whoever has the link is taken for the person it was sent to.
      event: { actor: { kind: 'tenant', subject: userId }, tenantId },
      again: true,
      reply: ({ quietUntil }) => ({ state: 'kept' as const, quietUntil }),
    })
  },
}

const over = refuse('NOT_RECLAIMING', 'This link is over.')

/** The case a link was sent for, if it still is the last one. */
async function findLinked(
  table: VerifyingServices['table'],
  { tenantId, userId, productId, openedAt }: Linked,
): Promise<ReclaimCase | undefined> {
  const found = await readCase(table, tenantId, userId, productId)
  return found?.openedAt === openedAt ? found : undefined
}

async function keep<Reply extends object>(
  request: CommitRequest,
  services: VerifyingServices,
  { tenantId, userId, productId }: Omit<Linked, 'openedAt'>,
  by: string,
  {
    check,
    event = {},
    again = false,
    reply,
  }: {
    readonly check: (person: PersonWithCases, seating: TenantSeating, one: ReclaimCase) => Refusal | undefined
    readonly event?: Partial<EventDraft>
    /** Who kept them before is told so, instead of being refused. */
    readonly again?: boolean
    readonly reply: (kept: Kept) => Reply
  },
): Promise<Reply | Refusal | Replayed> {
  const { table, commit } = services
  return untilFresh<Reply | Replayed>(async () => {
    const { now } = request
    const [person, seating] = await Promise.all([
      readPersonWithCases(table, tenantId, userId),
      readSeating(services, tenantId, now, [productId]),
    ])
    if (person === undefined || seating === undefined) return notFound
    const last = person.cases.get(productId)
    const refused = last === undefined ? undefined : check(person, seating, last)
    if (refused) return refused
    if (last === undefined) return notFound
    if (last.state === 'kept' && again) return reply(last)
    if (!isOpen(last)) return refuse('NOT_RECLAIMING', `It was ${last.state} at ${last.endedAt}.`)
    const { terms } =
      stepsFor(person, seating, undefined, now).find((one) => one.productId === productId) ?? {}
    const kept: Kept = {
      ...commonOf(last),
      state: 'kept',
      endedAt: now,
      by,
      quietUntil: plusMilliseconds(now, (terms?.cooldownDays ?? 0) * DAY),
    }
    return commit(request, {
      writes: { case: writeCase(tenantId, last, kept) },
      events: [
        { ...caseEvent('reclamation.kept', tenantId, kept, { quietUntil: kept.quietUntil }), ...event },
      ],
      reply: reply(kept),
      refusals: { case: outdated },
    })
  })
}
