import { seesOrganization } from '../../shared/domain/organization.ts'
import { isOpen, reclaimAtOf, reclaimCaseView } from '../../shared/domain/reclaim-case.ts'
import { isRefusal, notFound, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers, Reply } from '../../shared/platform/http/contract.ts'
import { Day, type Instant } from '../../shared/platform/time.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { activityOf, reclaimCasesOf, tenantKey } from '../../shared/store/keys.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { readPage } from '../../shared/store/page.ts'
import {
  readLastActiveDay,
  readPersonWithCases,
  readReclaimed,
  readReclaimRules,
  reclaimCaseEntity,
  replaceReclaimRules,
  reviewSeats,
} from '../../shared/store/reclaim.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { checkLive } from '../../shared/store/transact.ts'
import { userEntity } from '../../shared/store/user.ts'
import { type ProductStep, stepsFor } from '../seating/reclaim-outlook.ts'
import { readSeating } from '../seating/seating.ts'
import { seenPeople } from '../seating/seen-people.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { keepPageHandlers } from './keep-page.ts'
import { keepHandlers } from './reclaim-keep.ts'
import { restoreSeats } from './reclaim-restore.ts'
import type { reclaimRoutes } from './reclaim-routes.ts'

type Prospect = Reply<(typeof reclaimRoutes)['previewReclamation']>['items'][number]

/** People that one page of a dry run looks at; whoever wants more goes on with its cursor. */
const LOOKED_AT = 500

export const reclaimHandlers: Handlers<typeof reclaimRoutes, VerifyingServices> = {
  ...keepHandlers,
  ...keepPageHandlers,
  restoreSeats,

  async getReclaimRules({ params: { tenantId } }, { table }) {
    const [tenant, rules] = await Promise.all([
      readTenant(table, tenantId),
      readReclaimRules(table, tenantId),
    ])
    return tenant === undefined ? notFound : rules
  },

  setReclaimRules: (call, { table, commit }) =>
    untilFresh(async () => {
      const { params, body: rules, now } = call
      const { tenantId } = params
      const [tenant, organizations, { before, write }] = await Promise.all([
        readTenant(table, tenantId),
        readOrganizations(table, tenantId),
        replaceReclaimRules(table, tenantId, rules),
      ])
      if (tenant === undefined) return notFound
      for (const { productId, organizationId } of rules.rules) {
        const isThere =
          (organizationId === undefined || organizations.has(organizationId)) &&
          (productId === undefined || (await readProduct(table, productId)) !== undefined)
        if (!isThere) return refuse('NOT_FOUND', 'A rule names a product or organization that is not there.')
      }
      return commit(call, {
        writes: {
          tenant: checkLive(tenantKey(tenantId)),
          rules: write,
          review: reviewSeats(tenantId, now),
        },
        events: [
          {
            type: 'reclamation.rules-changed',
            tenantId,
            subject: { type: 'tenant', id: tenantId },
            before,
            after: rules,
          },
        ],
        reply: rules,
        refusals: { tenant: refuse('ARCHIVED', 'The tenant is archived.'), rules: outdated },
      })
    }),

  async previewReclamation({ params: { tenantId }, body, caller, now }, services) {
    const { table, secrets } = services
    const [seating, lastDay] = await Promise.all([
      readSeating(services, tenantId, now),
      readLastActiveDay(table, tenantId),
    ])
    if (seating === undefined) return notFound
    const { organizations } = seating
    const at = body.at !== undefined && body.at > now ? body.at : now
    const range = { index: 'kind', pk: activityOf(tenantId) } as const
    const options = { reportedAt: now, ...(body.rules && { rules: body.rules }) }
    const page = await readPage(table, secrets.cursorKey, range, { ...body, most: LOOKED_AT }, (items) =>
      Promise.all(
        items.map(async (item): Promise<Prospect[] | undefined> => {
          const { id, holds, organizationId } = userEntity.decode(item)
          if (holds.length === 0 || !seesOrganization(caller, organizationId, organizations)) return undefined
          const person = await readPersonWithCases(table, tenantId, id)
          if (person === undefined) return undefined
          const all = stepsFor(person, seating, lastDay, at, options)
          const found = all.flatMap((one) => prospectOf(one, person.user, at) ?? [])
          return found.length > 0 ? found : undefined
        }),
      ),
    )
    if (isRefusal(page)) return page
    const { items, ...rest } = page
    return { at, ...(lastDay && { lastActiveDay: Day.parse(lastDay) }), items: items.flat(), ...rest }
  },

  async listReclaimCases({ params: { tenantId }, query, caller }, { table, secrets }) {
    const [tenant, all] = await Promise.all([readTenant(table, tenantId), readOrganizations(table, tenantId)])
    if (tenant === undefined) return notFound
    const range = {
      index: 'owned',
      pk: reclaimCasesOf(tenantId),
      ...(query.state && { prefix: `${query.state}#` }),
    } as const
    return readPage(table, secrets.cursorKey, range, query, async (items) => {
      const cases = items.map(reclaimCaseEntity.decode)
      const isSeen = await seenPeople(table, tenantId, cases, caller, all)
      return cases.map((one) => (isSeen(one) ? reclaimCaseView(one) : undefined))
    })
  },

  async getReclaimSavings({ params: { tenantId }, query }, { table }) {
    const [tenant, all] = await Promise.all([readTenant(table, tenantId), readReclaimed(table, tenantId)])
    if (tenant === undefined) return notFound
    const { from = '', to = '~' } = query
    return { items: all.filter(({ month }) => month >= from && month <= to) }
  },
}

/** What a dry run says of it; nothing where nothing is due, and nothing would be but for an exclusion. */
function prospectOf(
  { productId, last, outlook, terms, step }: ProductStep,
  { id, name }: { id: Prospect['userId']; name: string },
  at: Instant,
): Prospect | undefined {
  if (outlook === undefined || terms === undefined) return undefined
  const open = last && isOpen(last) ? last : undefined
  if (step.does === 'wait' && open === undefined && !(step.excludedBy && outlook.dueAt <= at))
    return undefined
  const { seats, reason, since, dueAt } = outlook
  const told = Math.max(...terms.noticeDays)
  const notices = open?.notices.length ? open.notices : [{ days: told, at }]
  return {
    userId: id,
    name,
    productId,
    metrics: seats.map(({ metric }) => metric).toSorted(),
    reason,
    since,
    reclaimAt: reclaimAtOf({ notices }, dueAt),
    next: step.does,
    ...(step.does === 'wait' && step.excludedBy && { excludedBy: step.excludedBy }),
  }
}
