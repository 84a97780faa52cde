import { seesOrganization } from '../../shared/domain/organization.ts'
import { isRefusal, refuse } from '../../shared/domain/refusal.ts'
import { checkEdit, edited } from '../../shared/domain/revision.ts'
import { datedStatus, User, userView } from '../../shared/domain/user.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { newUserId } from '../../shared/platform/ids.ts'
import { tenantKey } from '../../shared/store/keys.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { checkLive } from '../../shared/store/transact.ts'
import { readPerson } from '../../shared/store/user.ts'
import { adjustSeats } from '../adjust-seats.ts'
import { addressesTaken, changePerson, editPerson, missing, personView, placeOf } from '../change-person.ts'
import { readSeating } from '../seating.ts'
import { untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { reportActivity } from './activity.ts'
import { listUsers } from './list-users.ts'
import type { peopleRoutes } from './routes.ts'

type UserHandlers = Pick<
  Handlers<typeof peopleRoutes, VerifyingServices>,
  'createUser' | 'listUsers' | 'getUser' | 'editUser' | 'archiveUser' | 'restoreUser' | 'reportActivity'
>

export const userHandlers: UserHandlers = {
  createUser: (call, services) =>
    untilFresh(async () => {
      const { tenantId } = call.params
      const seating = await readSeating(services, tenantId, call.now)
      if (seating === undefined) return missing
      const draft: User = {
        id: newUserId(call.now),
        tenantId,
        ...call.body,
        direct: [],
        withheld: [],
        pending: [],
        holds: [],
        createdAt: call.now,
        revision: 1,
        version: 0,
      }
      const user = datedStatus(draft, undefined, call.now)
      const place = placeOf(user, call, seating)
      if (isRefusal(place)) return place
      const adjustment = adjustSeats(undefined, user, seating, call.now)
      const after = { ...adjustment.after, user: { ...adjustment.after.user, version: 1 } }
      return changePerson(call, services, seating, adjustment, {
        events: [
          {
            type: 'user.created',
            tenantId,
            subject: { type: 'user', id: user.id },
            after: userView(after.user),
          },
        ],
        reply: personView(after),
        writes: { ...place.writes, tenant: checkLive(tenantKey(tenantId)) },
        refusals: {
          ...place.refusals,
          ...addressesTaken(user),
          tenant: refuse('ARCHIVED', 'The tenant is archived.'),
        },
      })
    }),

  listUsers,

  async getUser({ params: { tenantId, userId }, caller }, { table }) {
    const person = await readPerson(table, tenantId, userId)
    if (person === undefined) return missing
    if (caller.kind === 'tenant' && caller.role === 'org:admin') {
      const all = await readOrganizations(table, tenantId)
      if (!seesOrganization(caller, person.user.organizationId, all)) return missing
    }
    return personView(person)
  },

  editUser: (call, services) =>
    editPerson(call, services, call.params, {
      event: 'user.edited',
      next({ user }) {
        const refused = checkEdit(user, call.revision)
        if (refused) return refused
        const named = Object.entries(call.body).map(([field, value]) => [field, value ?? undefined])
        const next = edited(User, user, Object.fromEntries(named))
        return next === user ? user : datedStatus(next, user, call.now)
      },
    }),

  archiveUser: (call, services) =>
    editPerson(call, services, call.params, {
      event: 'user.archived',
      reason: call.body.reason,
      next: ({ user }) =>
        user.status === 'archived'
          ? user
          : { ...user, status: 'archived', archivedAt: call.now, revision: user.revision + 1 },
    }),

  restoreUser: (call, services) =>
    editPerson(call, services, call.params, {
      event: 'user.restored',
      reason: call.body.reason,
      next({ user }, { organizations }) {
        if (user.status !== 'archived') return user
        const { archivedAt: _, suspendedAt: __, leftDirectoryAt: ___, organizationId, ...others } = user
        // Its organization may be gone by now; then it is a person of the tenant itself.
        const isThere =
          organizationId !== undefined && organizations.get(organizationId)?.archivedAt === undefined
        return {
          ...others,
          ...(isThere && { organizationId }),
          status: 'active',
          revision: user.revision + 1,
        }
      },
    }),

  reportActivity,
}
