import fc from 'fast-check'
import type { peopleRoutes } from '../../../functions/people/routes.ts'
import { operations } from '../../../functions/routes.ts'
import type { scimRoutes } from '../../../functions/scim/routes.ts'
import type { requestRoutes } from '../../../functions/seats/request-routes.ts'
import type { Group } from '../../../shared/domain/directory.ts'
import type { User } from '../../../shared/domain/user.ts'
import { GROUP, PATCH, USER } from './rig.ts'

const ROLES = ['author', 'observer']
const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
/** One that is nobody's. */
const NONE = '00000000000000000000000000'

const a = <T extends string>(...kinds: T[]) => fc.constantFrom(...kinds)
const optional = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined })
const who = fc.nat(7)
const which = fc.nat(2)
const place = fc.nat(2)
const some = fc.uniqueArray(who, { minLength: 1, maxLength: 3 })
const roles = fc.subarray(ROLES)
const name = a('author', 'Observer', 'club')
const module = a('learn', 'observe')
const isMatched = fc.boolean()
const addresses = {
  email: optional(a('ada@x.example', 'bob@x.example', 'c@x.example', 'D@x.example')),
  externalId: optional(a('X', 'Y', 'Z')),
}
const said = { userName: a('ada@x.example', 'Bob@x.example', 'cyd', 'dan@x.example'), ...addresses }
const change = fc.oneof(
  fc.record({ do: a('assign-roles', 'remove-roles'), roles: fc.subarray(ROLES, { minLength: 1 }) }),
  fc.record({ do: a('suspend', 'reactivate', 'archive') }),
)
const row = fc.record({ ...addresses, roles, place })
const command = fc.oneof(
  fc.record({ do: a('create'), ...said }),
  fc.record({ do: a('put'), who, isMatched, ...said }),
  fc.record({ do: a('rename'), who, userName: said.userName }),
  fc.record({ do: a('activate', 'deactivate', 'delete'), who }),
  fc.record({ do: a('hire'), ...addresses, roles, place }),
  fc.record({ do: a('edit'), who, roles: optional(roles), place: optional(place) }),
  fc.record({ do: a('address'), who, ...addresses }),
  fc.record({ do: a('suspend', 'archive', 'restore'), who }),
  fc.record({ do: a('import'), all: fc.array(row, { minLength: 1, maxLength: 3 }) }),
  fc.record({ do: a('order'), some, change }),
  fc.record({ do: a('bulk'), ...said, name, who }),
  fc.record({ do: a('ask', 'grant', 'withdraw'), who, module }),
  fc.record({ do: a('group'), name, some }),
  fc.record({ do: a('regroup'), which, name, some, isMatched }),
  fc.record({ do: a('join', 'leave'), which, some }),
  fc.record({ do: a('call'), which, name }),
  fc.record({ do: a('give'), which, roles: fc.option(roles) }),
  fc.record({ do: a('ungroup'), which }),
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** What comes at once: each request once, or twice under one Idempotency-Key; and jobs meanwhile. */
const round = fc.record({
  commands: fc.array(fc.record({ command, isTwice: fc.boolean() }), { minLength: 2, maxLength: 5 }),
  jobs: fc.subarray(['spreadGroups', 'serveSeatQueues'] as const),
})
export const rounds = fc.array(round, { minLength: 3, maxLength: 5 })

/** What is there as a round begins. */
export type Known = {
  readonly users: readonly User[]
  readonly groups: readonly Group[]
  readonly organizations: readonly string[]
  readonly product: string
}

export type Asked = ReturnType<typeof asked>

/** The request of a command. Its path has no tenant, and no prefix of SCIM. */
export function asked(one: Command, { users, groups, organizations, product }: Known) {
  const user = 'who' in one ? users[one.who % users.length] : undefined
  const group = 'which' in one ? groups[one.which % (groups.length || 1)] : undefined
  const ids = 'some' in one ? [...new Set(one.some.map((at) => users[at % users.length]?.id ?? ''))] : []
  const members = ids.map((value) => ({ value }))
  switch (one.do) {
    case 'create':
      return ask('createScimUser', personOf(one))
    case 'put':
      return ask('replaceScimUser', personOf(one))
    case 'rename':
      return ask('patchScimUser', patchOf('replace', one.userName, 'userName'))
    case 'activate':
    case 'deactivate':
      return ask('patchScimUser', patchOf('replace', { active: one.do === 'activate' }))
    case 'delete':
      return ask('deleteScimUser')
    case 'hire': {
      const organizationId = organizations[one.place]
      return ask('createUser', {
        name: 'Hired',
        ...addressesOf(one),
        roles: one.roles,
        ...(organizationId && { organizationId }),
      })
    }
    case 'edit':
      return ask('editUser', {
        ...(one.roles && { roles: one.roles }),
        ...(one.place !== undefined && { organizationId: organizations[one.place] ?? null }),
      })
    case 'address':
      return ask('editUser', { email: one.email ?? null, externalId: one.externalId ?? null })
    case 'suspend':
      return ask('editUser', { status: 'suspended' })
    case 'archive':
      return ask('archiveUser', {})
    case 'restore':
      return ask('restoreUser', {})
    case 'import': {
      const lines = one.all.map(({ email = '', externalId = email ? '' : 'X', ...rest }) => {
        const path = ['Upper', 'Upper/Lower', ''][rest.place]
        return ['Imported', email, externalId, path, rest.roles.join(';')].join(',')
      })
      return ask('importUsers', ['name,email,externalId,organization,roles', ...lines].join('\n'))
    }
    case 'order':
      return ask('orderBulk', { action: one.change, users: ids })
    case 'bulk': {
      const data = { schemas: [GROUP], displayName: one.name, members: [{ value: 'bulkId:u' }] }
      const Operations = [
        { method: 'POST', path: '/Groups', bulkId: 'g', data },
        { method: 'POST', path: '/Users', bulkId: 'u', data: personOf(one) },
        { method: 'DELETE', path: `/Users/${user?.id}` },
      ]
      return ask('bulkScim', { schemas: [BULK], Operations })
    }
    case 'ask':
      return ask('requestSeat', { product, module: one.module, reason: 'a test' })
    case 'grant':
      return ask('grantSeatRequest', { product, module: one.module })
    case 'withdraw':
      return ask('withdrawSeatRequest', { product, module: one.module })
    case 'group':
      return ask('createScimGroup', { schemas: [GROUP], displayName: one.name, members })
    case 'regroup':
      return ask('replaceScimGroup', { schemas: [GROUP], displayName: one.name, members })
    case 'join':
    case 'leave':
      return ask('patchScimGroup', patchOf(one.do === 'join' ? 'add' : 'remove', members, 'members'))
    case 'call':
      return ask('patchScimGroup', patchOf('replace', { displayName: one.name }))
    case 'give':
      return ask('editGroup', { roles: one.roles })
    case 'ungroup':
      return ask('deleteScimGroup')
  }

  function ask(operationId: Name, body?: object | string) {
    const route = operations.find((each) => each.operationId === operationId)
    if (route === undefined) throw new Error(`no ${operationId}`)
    const isEdit = operationId.startsWith('edit') || ('isMatched' in one && one.isMatched)
    const path = route.path
      .replace(/^\/scim\/v2|^\/v1\/tenants\/{tenantId}/, '')
      .replace('{userId}', user?.id ?? `usr_${NONE}`)
      .replace('{groupId}', group?.id ?? `grp_${NONE}`)
    const headers = {
      ...(isEdit && { 'if-match': `"${(user ?? group)?.revision ?? 1}"` }),
      ...(typeof body === 'string' && { 'content-type': 'text/csv' }),
    }
    return { route, path, headers, ...(body !== undefined && { body }) }
  }
}

type Name = keyof typeof peopleRoutes | keyof typeof scimRoutes | keyof typeof requestRoutes
type Addresses = { readonly email?: string | undefined; readonly externalId?: string | undefined }

const addressesOf = ({ email, externalId }: Addresses) => ({
  ...(email && { email }),
  ...(externalId && { externalId }),
})

const personOf = ({ userName, email, externalId }: Addresses & { readonly userName: string }) => ({
  schemas: [USER],
  userName,
  active: true,
  ...(externalId && { externalId }),
  ...(email && { emails: [{ value: email }] }),
})

const patchOf = (op: string, value: unknown, path?: string) => ({
  schemas: [PATCH],
  Operations: [{ op, value, ...(path && { path }) }],
})
