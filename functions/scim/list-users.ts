import { emailKey } from '../../shared/domain/email.ts'
import { isListed } from '../../shared/domain/person-directory.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { PEOPLE } from '../../shared/domain/seat-counts.ts'
import type { User } from '../../shared/domain/user.ts'
import type { Handler } from '../../shared/platform/http/contract.ts'
import { type TenantId, UserId } from '../../shared/platform/ids.ts'
import { Remembered } from '../../shared/platform/remembered.ts'
import { ownedByTenant, seatCountsKey } from '../../shared/store/keys.ts'
import { Place, readPages, readRange } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import { findUser, findUserName, readUsers, userEntity } from '../../shared/store/user.ts'
import type { VerifyingServices } from '../verified.ts'
import { readFilter, type Wanted } from './filter.ts'
import { projected } from './project.ts'
import type { scimRoutes } from './routes.ts'
import { LIST, RESOURCES } from './schemas.ts'
import { tenantOf } from './tenant.ts'
import { userResource } from './user-resource.ts'

/** What one answer has at most; ServiceProviderConfig says so. */
export const MOST_RESULTS = 200
/** People that a filter is held against, where no index finds those it wants. */
const MOST_LOOKED_AT = 5_000

/** Where a page ended, by the tenant and the number of the next person: read in order, a page costs what it shows. */
const ends = new Remembered<string, Place>(1_000)

/**
 * People by number. A filter that names a user name, an external id, an id or an e-mail address is one look-up; another
 * is held against everybody, up to a limit. Without a filter the total is a counter, and a page that follows one that
 * was read goes on where that ended; any other is counted up to.
 */
export const listUsers: Handler<(typeof scimRoutes)['listScimUsers'], VerifyingServices> = async (
  call,
  { table, issuer },
) => {
  const tenantId = tenantOf(call)
  const startIndex = Math.max(1, call.query.startIndex)
  const count = Math.min(Math.max(0, call.query.count), MOST_RESULTS)
  const page = (users: readonly User[], totalResults: number) => ({
    schemas: [LIST],
    totalResults,
    startIndex,
    itemsPerPage: users.length,
    Resources: users.map((user) => projected(userResource(user, issuer), call.query)),
  })
  if (call.query.filter === undefined) {
    const [total, users] = await Promise.all([
      countPeople(table, tenantId),
      count === 0 ? [] : readNumbered(table, tenantId, startIndex, count),
    ])
    return page(users, Math.max(total, users.length === 0 ? 0 : startIndex - 1 + users.length))
  }
  const wanted = readFilter(call.query.filter, RESOURCES.User)
  if (isRefusal(wanted)) return wanted
  const found = (await lookUp(table, tenantId, wanted)) ?? (await readAll(table, tenantId))
  if (isRefusal(found)) return found
  const users = found.filter((user) => isListed(user) && wanted.matches(userResource(user, issuer)))
  return page(users.slice(startIndex - 1, startIndex - 1 + count), users.length)
}

/** Those whom a filter can mean, where it names an address. */
async function lookUp(table: Table, tenantId: TenantId, wanted: Wanted): Promise<User[] | undefined> {
  const [id, userName, externalId, email] = ['id', 'userName', 'externalId', 'emails.value'].map(
    wanted.valueOf,
  )
  if (id ?? userName ?? externalId ?? email) {
    const named = UserId.safeParse(id)
    const found = id
      ? [named.success ? named.data : undefined]
      : userName
        ? [
            await findUserName(table, tenantId, userName),
            await findUser(table, tenantId, { email: emailKey(userName) }),
            // One without any address is known by its id.
            UserId.safeParse(userName.toUpperCase().replace(/^USR_/, 'usr_')).data,
          ]
        : externalId
          ? [await findUser(table, tenantId, { externalId })]
          : undefined
    if (found) return readUsers(table, tenantId, [...new Set(found.filter((one) => one !== undefined))])
    // Only the address that is used has an index.
    const owner = email && (await findUser(table, tenantId, { email: emailKey(email) }))
    if (owner) return readUsers(table, tenantId, [owner])
  }
  return undefined
}

async function readAll(table: Table, tenantId: TenantId): Promise<User[] | Refusal> {
  const users: User[] = []
  for await (const { items, next } of readPages(table, {
    index: 'owned',
    pk: ownedByTenant(tenantId, 'USERS'),
  })) {
    users.push(...items.map(userEntity.decode))
    if (users.length >= MOST_LOOKED_AT && next !== undefined)
      return refuse('INVALID_REQUEST', 'This filter looks at too many people.', {
        errors: [
          { field: '/query/filter', message: 'name a userName, externalId or primary e-mail address' },
        ],
        members: { scimType: 'tooMany' },
      })
  }
  return users
}

/** Everybody a directory has a right to know of: a sum of counters, one for each organization. */
async function countPeople(table: Table, tenantId: TenantId): Promise<number> {
  const rows = await readRange(table, { pk: seatCountsKey(tenantId), prefix: `${PEOPLE}#` })
  return rows.reduce((sum, row) => sum + Number(row['people'] ?? 0) + Number(row['archived'] ?? 0), 0)
}

async function readNumbered(table: Table, tenantId: TenantId, first: number, count: number): Promise<User[]> {
  const range = { index: 'owned', pk: ownedByTenant(tenantId, 'USERS') } as const
  const nameOf = (number: number) => `${tenantId} ${number}`
  const known = first === 1 ? undefined : ends.get(nameOf(first))
  let number = known ? first : 1
  const users: User[] = []
  // Before the first one that is wanted whole pages are read; from there on no more than are wanted.
  for await (const { items } of readPages(table, range, known, number < first ? undefined : count)) {
    for (const item of items) {
      const user = userEntity.decode(item)
      if (!isListed(user)) continue
      if (number >= first) users.push(user)
      number += 1
      if (users.length < count) continue
      const { pk, sk, ownedPk, ownedSk } = item
      ends.set(nameOf(number), Place.parse({ pk, sk, ownedPk, ownedSk }))
      return users
    }
  }
  return users
}
