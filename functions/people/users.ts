import { seesOrganization } from '../../shared/domain/organization.ts'
import { revised } from '../../shared/domain/person-directory.ts'
import { archivePerson, returnPerson } from '../../shared/domain/person-return.ts'
import { notFound } from '../../shared/domain/refusal.ts'
import { checkEdit, edited } from '../../shared/domain/revision.ts'
import { datedStatus, User } from '../../shared/domain/user.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { readPerson } from '../../shared/store/user.ts'
import { editPerson, personView } from '../seating/change-person.ts'
import { createPerson } from '../seating/create-person.ts'
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
    createPerson(
      call,
      services,
      call.params.tenantId,
      { next: (blank) => datedStatus({ ...blank, ...call.body }, undefined, call.now) },
      personView,
    ),

  listUsers,

  async getUser({ params: { tenantId, userId }, caller }, { table }) {
    const person = await readPerson(table, tenantId, userId)
    if (person === undefined) return notFound
    if (caller.kind === 'tenant' && caller.role === 'org:admin') {
      const all = await readOrganizations(table, tenantId)
      if (!seesOrganization(caller, person.user.organizationId, all)) return notFound
    }
    return personView(person)
  },

  editUser: (call, services) =>
    editPerson(call, services, call.params, {
      event: 'user.edited',
      byHand: true,
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
      next: ({ user, seats }) => revised(user, archivePerson(user, seats, call.now)),
    }),

  restoreUser: (call, services) =>
    editPerson(call, services, call.params, {
      event: 'user.restored',
      reason: call.body.reason,
      next: ({ user }, { organizations, policy }) =>
        revised(user, returnPerson(user, organizations, policy, call.now)),
    }),

  reportActivity,
}
