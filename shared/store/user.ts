import * as z from 'zod'
import { emailKey } from '../domain/email.ts'
import { Seat } from '../domain/seat.ts'
import { User } from '../domain/user.ts'
import { type TenantId, UserId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import { nameEntity } from './address.ts'
import { entity, type Item } from './codec.ts'
import { groupMemberEntity } from './group.ts'
import {
  activityOf,
  externalIdKey,
  groupMemberKey,
  ownedByPool,
  ownedByRole,
  ownedByTenant,
  SEAT_PREFIX,
  seatKey,
  userEmailKey,
  userKey,
  userNameKey,
  userRoleKey,
} from './keys.ts'
import { readItem, readItems, readRange } from './read.ts'
import { type Action, putOnce, putVersion, type Table } from './transact.ts'
import { writeRow } from './write.ts'

export const userEntity = entity('user', 3, User, 1)
export const seatEntity = entity('seat', 1, Seat)
/** That a person has a role, for lists. */
export const userRoleEntity = entity('user-role', 1, z.strictObject({ userId: UserId, role: z.string() }))

/** Sorts before every day: who was never seen. */
const NEVER = '0'

/** Listed by organization, `-` for those of the tenant itself; and by the day they were last seen. */
const userItem = (user: User): Item =>
  userEntity.encode(userKey(user.tenantId, user.id), user, {
    ownedPk: ownedByTenant(user.tenantId, 'USERS'),
    ownedSk: `${user.organizationId ?? '-'}#${user.id}`,
    ...(user.status !== 'archived' && {
      kindPk: activityOf(user.tenantId),
      kindSk: `${user.activeDay ?? NEVER}#${user.id}`,
    }),
  })

/** Listed by pool in the order in which they were given. */
export const seatItem = (tenantId: TenantId, seat: Seat): Item =>
  seatEntity.encode(seatKey(tenantId, seat.userId, seat.productId, seat.metric), seat, {
    ownedPk: ownedByPool(tenantId, seat.productId, seat.metric),
    ownedSk: `${seat.assignedAt}#${seat.userId}`,
  })

/** A person with all its seats. */
export type Person = { readonly user: User; readonly seats: readonly Seat[] }

/** A person's page: one strongly consistent query. */
export async function readPerson(table: Table, tenantId: TenantId, id: UserId): Promise<Person | undefined> {
  return personOf(await readRange(table, { pk: userKey(tenantId, id).pk }))
}

/** The person among the rows of its partition. */
export function personOf(items: readonly Item[]): Person | undefined {
  const user = items.find((item) => item['sk'] === 'USER')
  if (user === undefined) return undefined
  const seats = items.filter((item) => String(item['sk']).startsWith(SEAT_PREFIX))
  return { user: userEntity.decode(user), seats: seats.map(seatEntity.decode) }
}

export async function readUser(table: Table, tenantId: TenantId, id: UserId): Promise<User | undefined> {
  const item = await readItem(table, userKey(tenantId, id))
  return item && userEntity.decode(item)
}

/** Those of these people that there are, in no order. */
export async function readUsers(table: Table, tenantId: TenantId, ids: readonly UserId[]): Promise<User[]> {
  const items = await readItems(
    table,
    ids.map((id) => userKey(tenantId, id)),
  )
  return items.map(userEntity.decode)
}

/** Who has this e-mail address, or this external id. */
export async function findUser(
  table: Table,
  tenantId: TenantId,
  by: { email: string } | { externalId: string },
): Promise<UserId | undefined> {
  const key =
    'email' in by ? userEmailKey(tenantId, emailKey(by.email)) : externalIdKey(tenantId, by.externalId)
  const item = await readItem(table, key)
  return item && UserId.parse(nameEntity.decode(item).id)
}

/** Who has this name for the tenant's directory. */
export async function findUserName(
  table: Table,
  tenantId: TenantId,
  userName: string,
): Promise<UserId | undefined> {
  const item = await readItem(table, userNameKey(tenantId, emailKey(userName)))
  return item && UserId.parse(nameEntity.decode(item).id)
}

/** By what a directory finds the person, whatever its case: also one that did not come from it. */
const userNameOf = (user: User | undefined): string | undefined => {
  const name = user?.directory?.userName ?? user?.email
  return name && emailKey(name)
}

/** Replaces a person as it was read, or makes it; with its roles, groups and addresses, which are its alone. */
export function writeUser(before: User | undefined, after: User): Record<string, Action> {
  const { tenantId, id } = after
  const next = { ...after, version: (before?.version ?? 0) + 1 }
  const writes: Record<string, Action> = { user: putVersion(userItem(next), before?.version) }
  for (const role of after.roles.filter((one) => !before?.roles.includes(one))) {
    const indexes = { ownedPk: ownedByRole(tenantId, role), ownedSk: id }
    const item = userRoleEntity.encode(userRoleKey(tenantId, id, role), { userId: id, role }, indexes)
    writes[`role ${role}`] = { kind: 'put', item }
  }
  for (const role of before?.roles.filter((one) => !after.roles.includes(one)) ?? [])
    writes[`role ${role}`] = { kind: 'remove', key: userRoleKey(tenantId, id, role) }
  const [oldEmail, newEmail] = [before?.email && emailKey(before.email), after.email && emailKey(after.email)]
  if (oldEmail !== newEmail) {
    if (newEmail) writes['email'] = putOnce(nameEntity.encode(userEmailKey(tenantId, newEmail), { id }))
    if (oldEmail) writes['old email'] = { kind: 'remove', key: userEmailKey(tenantId, oldEmail) }
  }
  if (before?.externalId !== after.externalId) {
    if (after.externalId)
      writes['external id'] = putOnce(nameEntity.encode(externalIdKey(tenantId, after.externalId), { id }))
    if (before?.externalId)
      writes['old external id'] = { kind: 'remove', key: externalIdKey(tenantId, before.externalId) }
  }
  const [oldName, newName] = [before, after].map(userNameOf)
  if (newName && (oldName !== newName || !before?.directory !== !after.directory))
    writes['user name'] = {
      ...putOnce(nameEntity.encode(userNameKey(tenantId, newName), { id })),
      // A person that was there before people by hand had one has none yet.
      condition: 'attribute_not_exists(pk) OR id = :id',
      values: { ':id': id },
    }
  if (oldName && oldName !== newName)
    writes['old user name'] = { kind: 'remove', key: userNameKey(tenantId, oldName) }
  const [left, joined] = [before?.directory?.groups ?? [], after.directory?.groups ?? []]
  for (const groupId of joined.filter((one) => !left.includes(one))) {
    const item = groupMemberEntity.encode(groupMemberKey(tenantId, groupId, id), { groupId, userId: id })
    writes[`group ${groupId}`] = { kind: 'put', item }
  }
  for (const groupId of left.filter((one) => !joined.includes(one)))
    writes[`group ${groupId}`] = { kind: 'remove', key: groupMemberKey(tenantId, groupId, id) }
  return writes
}

/** Holds while a person is as it was read. */
export const unchangedUser = ({ tenantId, id, version }: User): Action => ({
  kind: 'check',
  key: userKey(tenantId, id),
  condition: 'version = :version',
  values: { ':version': version },
})

/**
 * Notes that a person was seen again on the day it was last seen: one update, which moves no key of an index and changes
 * no count. False if it was seen later, or on another day, meanwhile.
 */
export const seenAgain = (table: Table, { tenantId, id, activeDay }: User, at: Instant): Promise<boolean> =>
  writeRow(table, {
    kind: 'update',
    key: userKey(tenantId, id),
    update: 'SET lastActiveAt = :at, version = version + :one',
    condition: 'activeDay = :day AND lastActiveAt < :at',
    values: { ':at': at, ':day': activeDay, ':one': 1 },
  })

/** The person was seen on another day: what is counted of it moves there in the same transaction. */
export const seenOnAnotherDay = ({ tenantId, id, version }: User, at: Instant, day: string): Action => ({
  kind: 'update',
  key: userKey(tenantId, id),
  update: 'SET lastActiveAt = :at, activeDay = :day, kindSk = :place, version = :next',
  condition: 'version = :version',
  values: {
    ':at': at,
    ':day': day,
    ':place': `${day}#${id}`,
    ':version': version,
    ':next': version + 1,
  },
})
