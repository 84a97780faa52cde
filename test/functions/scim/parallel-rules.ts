import { canonicalJson } from '../../../shared/domain/canonical-json.ts'
import { type Group, rolesOf } from '../../../shared/domain/directory.ts'
import { emailKey } from '../../../shared/domain/email.ts'
import type { Event } from '../../../shared/domain/event.ts'
import { isListed } from '../../../shared/domain/person-directory.ts'
import { isQueued } from '../../../shared/domain/seat.ts'
import { type User, userView } from '../../../shared/domain/user.ts'
import { eventEntity } from '../../../shared/store/event.ts'
import { groupMemberEntity, readGroups } from '../../../shared/store/group.ts'
import {
  eventLog,
  externalIdKey,
  groupNameKey,
  userEmailKey,
  userNameKey,
} from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import { allRows, placeOf } from '../../support/rows.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'
import type { createDirectory } from './rig.ts'

const MODULE_OF: Readonly<Record<string, string>> = { author: 'learn', observer: 'observe' }
const DECLARED = new Set(Object.keys(MODULE_OF))

/**
 * What does not hold of a tenant's people and groups, in whatever order things came; nothing if all of it does.
 *
 * @param limits seats, by metric
 * @param byHand people whose roles somebody set: of those that groups give they may lack some until a group changes
 * @param isSettled the jobs have run since
 */
export async function broken(
  { api: { table }, tenantId, list }: Awaited<ReturnType<typeof createDirectory>>,
  limits: Readonly<Record<string, number>>,
  byHand: ReadonlySet<string>,
  isSettled: boolean,
): Promise<string[]> {
  const { users, seats, pools, ...others } = await seatRows(table, tenantId)
  const all = await readGroups(table, tenantId)
  const groups = all.filter(({ deletedAt }) => deletedAt === undefined)
  const membersOf = (groupId: Group['id']) =>
    users.filter(({ directory }) => directory?.groups.includes(groupId)).map(({ id }) => id)
  const wrong = disagreements({ users, seats, pools, ...others })
  const events = (await readRange(table, { pk: eventLog(tenantId) })).map(eventEntity.decode)

  const stored = [...(await allRows(table)).values()].filter(({ pk }) =>
    String(pk).startsWith(`T#${tenantId}#`),
  )
  const rowsOf = (name: string) => stored.filter(({ entity }) => entity === name)
  const nameOf = ({ directory, email }: User) => directory?.userName ?? email
  same(
    'addresses',
    rowsOf('name').map((row) => [placeOf(row), row['id']]),
    [
      ...users.flatMap((user) => [
        ...(user.email ? [[userEmailKey(tenantId, emailKey(user.email)), user.id] as const] : []),
        ...(user.externalId ? [[externalIdKey(tenantId, user.externalId), user.id] as const] : []),
        ...(nameOf(user) ? [[userNameKey(tenantId, emailKey(nameOf(user) ?? '')), user.id] as const] : []),
      ]),
      ...groups.map(
        ({ id, displayName }) => [groupNameKey(tenantId, 'NAME', displayName.toLowerCase()), id] as const,
      ),
    ].map(([key, id]) => [placeOf(key), id]),
  )
  same(
    'members',
    rowsOf('group-member').map((row) => groupMemberEntity.decode(row)),
    users.flatMap(({ id: userId, directory }) =>
      (directory?.groups ?? []).map((groupId) => ({ groupId, userId })),
    ),
  )
  const shown = (await list('/Groups')).Resources
  same(
    'groups shown',
    shown.map((one) => [one.id, one.displayName, (one.members ?? []).map(({ value }) => value).toSorted()]),
    groups.map(({ id, displayName }) => [id, displayName, membersOf(id).toSorted()]),
  )
  const idsOf = async (query: Record<string, string>) =>
    (await list('/Users', query)).Resources.map(({ id }) => id)
  same(
    'people shown',
    await idsOf({}),
    users.filter(isListed).map(({ id }) => id),
  )

  for (const user of users) await checkPerson(user)
  for (const { id, displayName, roles, given } of groups) {
    const { state } = replayed(events.filter(({ subject }) => subject.id === id))
    const told = [state['displayName'], state['roles'], state['given']]
    same(`what events say of ${id}`, [told], [[displayName, roles, given]])
  }
  const countOf = (type: string) => events.filter((event) => event.type === type).length
  same('groups told', countOf('group.created') - countOf('group.deleted'), groups.length)
  for (const [name, { committed, queued }] of pools) {
    const limit = limits[name.split('#')[1] ?? ''] ?? 0
    const isFree = isSettled && queued > 0 && committed < limit
    if (committed > limit || isFree) wrong.push(`${queued} wait for ${name}, ${committed} of ${limit} given`)
  }
  const open = all.filter(({ deletedAt, spreading }) => deletedAt ?? spreading)
  if (isSettled) same('groups under way', open, [])
  return wrong

  async function checkPerson(user: User): Promise<void> {
    const { id, status, roles, directory, direct, externalId, revision } = user
    const isShown = isListed(user) ? [id] : []
    const userName = nameOf(user)
    if (userName) same(`found by ${userName}`, await idsOf({ filter: `userName eq "${userName}"` }), isShown)
    if (externalId) same(`found by it`, await idsOf({ filter: `externalId eq "${externalId}"` }), isShown)

    const own = events.filter(({ subject }) => subject.id === id)
    const told = replayed(own.filter(({ type }) => /^(user|group)\./.test(type)))
    const count = (type: string) => own.filter((event) => event.type === type).length
    // That a seat that was asked for is granted is told of the request.
    const others = count('seat-request.granted')
    same(`changes told of ${id}`, told.revisions.length + others, revision)
    same(`revisions told of ${id}`, told.revisions, [...new Set(told.revisions)])
    same(`what events say of ${id}`, lasting(told.state), lasting(userView(user)))
    const has = seats.filter(({ userId }) => userId === id)
    same(`seats told of ${id}`, count('seat.assigned') - count('seat.freed'), has.length)

    const before = roles.filter((role) => !directory?.roles.includes(role))
    const within = groups.filter((group) => directory?.groups.includes(group.id))
    const given = [...new Set(within.flatMap((group) => rolesOf(group, DECLARED)))].filter(
      (role) => !before.includes(role),
    )
    const byGroups = directory?.roles ?? []
    if (isSettled && byHand.has(id))
      same(
        `roles by groups of ${id}`,
        byGroups.filter((role) => !given.includes(role)),
        [],
      )
    else if (isSettled) {
      same(`roles by groups of ${id}`, byGroups, given)
      same(`roles of ${id}`, roles, [...before, ...given])
    }
    if (status !== 'active') return
    const modules = [...roles.flatMap((role) => MODULE_OF[role] ?? []), ...direct.map(({ module }) => module)]
    const waits = user.pending.filter((one) => !one.instead && isQueued(one))
    const answered = [...has, ...waits].flatMap((one) => one.modules).filter((module) => module !== 'both')
    same(`what ${id} has or waits for`, answered, [...new Set(modules)])
  }

  /** Lists in any order. */
  function same(what: string, told: unknown, expected: unknown): void {
    const text = (value: unknown) =>
      Array.isArray(value) ? value.map(canonicalJson).toSorted().join(' ') : canonicalJson(value)
    if (text(told) !== text(expected)) wrong.push(`${what}: ${text(told)}, not ${text(expected)}`)
  }
}

/** What a resource is by its events, in the order of its revisions. */
function replayed(events: readonly Event[]) {
  const state: Record<string, unknown> = {}
  const inOrder = events.toSorted((a, b) => Number(a.after?.['revision']) - Number(b.after?.['revision']))
  for (const { before = {}, after = {} } of inOrder) {
    for (const field of Object.keys(before)) delete state[field]
    Object.assign(state, after)
  }
  return { state, revisions: inOrder.map(({ after }) => after?.['revision']) }
}

/** Of a person what it is by what was said of it; not its place in line, nor what a grant of a request leaves. */
const lasting = ({
  pending: _,
  direct: __,
  revision: ___,
  modifiedAt: ____,
  ...said
}: Record<string, unknown>) => said
