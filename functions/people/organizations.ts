import type { EventDraft } from '../../shared/domain/event.ts'
import {
  checkPlace,
  MOST_ORGANIZATIONS,
  Organization,
  type Organizations,
  seesOrganization,
} from '../../shared/domain/organization.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { archived, changes, checkEdit, checkNotArchived, edited } from '../../shared/domain/revision.ts'
import type { Call, Handlers, Replayed } from '../../shared/platform/http/contract.ts'
import { newOrganizationId } from '../../shared/platform/ids.ts'
import { ORGANIZATION_PREFIX, organizationsKey, peopleCountKey, tenantKey } from '../../shared/store/keys.ts'
import {
  changeTree,
  organizationEntity,
  organizationItem,
  readOrganizations,
} from '../../shared/store/organization.ts'
import { readPage } from '../../shared/store/page.ts'
import { reviewSeats } from '../../shared/store/reclaim.ts'
import { readReservations } from '../../shared/store/seat-pool.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { type Action, checkLive, putOnce, putRevision } from '../../shared/store/transact.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import type { peopleRoutes } from './routes.ts'

type OrganizationHandlers = Pick<
  Handlers<typeof peopleRoutes, VerifyingServices>,
  'createOrganization' | 'listOrganizations' | 'getOrganization' | 'editOrganization' | 'archiveOrganization'
>

export const organizationHandlers: OrganizationHandlers = {
  createOrganization: (call, { table, commit }) =>
    untilFresh(async () => {
      const { tenantId } = call.params
      const tree = await changeTree(table, tenantId)
      const [tenant, all] = await Promise.all([
        readTenant(table, tenantId),
        readOrganizations(table, tenantId),
      ])
      const { parentId } = call.body
      if (tenant === undefined || !seesOrganization(call.caller, parentId, all)) return notFound
      const organization: Organization = {
        id: newOrganizationId(call.now),
        tenantId,
        ...call.body,
        createdAt: call.now,
        revision: 1,
      }
      const refused = checkPlace(organization, all) ?? checkRoom(all)
      if (refused) return refused
      return commit(call, {
        writes: {
          tenant: checkLive(tenantKey(tenantId)),
          tree,
          organization: putOnce(organizationItem(organization)),
        },
        events: [{ ...eventOf('organization.created', organization), after: organization }],
        reply: organization,
        refusals: { tenant: refuse('ARCHIVED', 'The tenant is archived.'), tree: outdated },
      })
    }),

  async listOrganizations({ params, query, caller }, { table, secrets }) {
    const { tenantId } = params
    const [tenant, all] = await Promise.all([readTenant(table, tenantId), readOrganizations(table, tenantId)])
    if (tenant === undefined) return notFound
    const range = { pk: organizationsKey(tenantId), prefix: ORGANIZATION_PREFIX }
    return readPage(table, secrets.cursorKey, range, query, async (items) =>
      items
        .map(organizationEntity.decode)
        .map((one) =>
          one.archivedAt === undefined && seesOrganization(caller, one.id, all) ? one : undefined,
        ),
    )
  },

  async getOrganization(call, { table }) {
    return find(call, await readOrganizations(table, call.params.tenantId))
  },

  async editOrganization(call, { table, commit }) {
    // A tree that somebody else changed is looked at again; the revision is the caller's, and stays old.
    return untilFresh<Organization | Replayed>(async () => {
      const { tenantId } = call.params
      const tree = await changeTree(table, tenantId)
      const all = await readOrganizations(table, tenantId)
      const current = find(call, all)
      if (isRefusal(current)) return current
      const refused = checkEdit(current, call.revision)
      if (refused) return refused
      const { parentId, ...rest } = call.body
      const { parentId: before, ...others } = current
      const wanted = parentId === undefined ? before : (parentId ?? undefined)
      const next = edited(Organization, current, { ...rest, parentId: wanted })
      const isMoved = wanted !== before
      if (isMoved && !seesOrganization(call.caller, wanted, all)) return notFound
      const misplaced = isMoved && checkPlace(next, all)
      if (misplaced) return misplaced
      const organization: Organization = { ...others, ...next }
      return commit(call, {
        writes: {
          organization: putRevision(organizationItem(organization), current.revision),
          // Other rules of reclamation may hold for its people now.
          ...(isMoved && { tree, review: reviewSeats(tenantId, call.now) }),
        },
        events:
          next === current
            ? []
            : [{ ...eventOf('organization.edited', current), ...changes(current, organization) }],
        reply: organization,
        refusals: { organization: outdated, tree: outdated },
      })
    })
  },

  archiveOrganization: (call, { table, commit }) =>
    untilFresh(async () => {
      const { tenantId, organizationId } = call.params
      const tree = await changeTree(table, tenantId)
      const [all, reservations] = await Promise.all([
        readOrganizations(table, tenantId),
        readReservations(table, tenantId),
      ])
      const current = find(call, all)
      if (isRefusal(current)) return current
      const refused = checkNotArchived(current)
      if (refused) return refused
      const below = [...all.values()].find(
        (one) => one.parentId === organizationId && one.archivedAt === undefined,
      )
      if (below) return refuse('IN_USE', `${below.name} is below it.`)
      if (reservations.some((one) => one.organizationId === organizationId && one.seats > 0))
        return refuse('IN_USE', 'Seats are reserved for it.')
      const organization = archived(current, call.now)
      const nobody: Action = {
        kind: 'check',
        key: peopleCountKey(tenantId, organizationId),
        condition: 'attribute_not_exists(people) OR people = :nobody',
        values: { ':nobody': 0 },
      }
      return commit(call, {
        writes: {
          tree,
          organization: putRevision(organizationItem(organization), current.revision),
          nobody,
        },
        events: [{ ...eventOf('organization.archived', current), ...changes(current, organization) }],
        reply: organization,
        refusals: {
          tree: outdated,
          organization: outdated,
          nobody: refuse('IN_USE', 'There are people in it; move or archive them first.'),
        },
      })
    }),
}

function find(
  { params, caller }: Pick<Call<(typeof peopleRoutes)['getOrganization']>, 'params' | 'caller'>,
  all: Organizations,
): Organization | Refusal {
  const found = all.get(params.organizationId)
  return found && seesOrganization(caller, found.id, all) ? found : notFound
}

function checkRoom(all: Organizations): Refusal | undefined {
  return all.size < MOST_ORGANIZATIONS
    ? undefined
    : refuse('IN_USE', `A tenant has at most ${MOST_ORGANIZATIONS} organizations, archived ones included.`)
}

function eventOf(type: EventDraft['type'], { tenantId, id }: Organization): EventDraft {
  return { type, tenantId, subject: { type: 'organization', id } }
}
