import { afterAll, expect, test } from 'vitest'
import { userNameKey } from '../../../shared/store/keys.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { outcome, startApi } from '../../support/api.ts'
import { expected } from '../../support/scenario.ts'
import { interposeAll } from '../../support/sdk.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'
import { createDirectory, GROUP, Resource, USER } from './rig.ts'

const api = await startApi()
afterAll(api.stop)

/** Does something once, as soon as a call to the table says so much, and before it is carried out. */
function before(text: string, act: () => Promise<unknown>): () => void {
  let isDone = false
  return interposeAll(async ({ input }, send) => {
    if (!isDone && JSON.stringify(input).includes(text)) {
      isDone = true
      await act()
    }
    return send()
  })
}

const groupOf = (displayName: string, ...members: string[]) => ({
  body: { schemas: [GROUP], displayName, members: members.map((value) => ({ value })) },
})

test('a group that somebody cannot be in is not made: who joined before is out again, and its name is free', async () => {
  const directory = await createDirectory(api, { learners: 3 })
  const { scim, addUser, list, read, tenantId } = directory
  const [ada, full] = [await addUser('ada@x.example'), await addUser('full@x.example')]
  const roles = Array.from({ length: 20 }, (_, index) => `role-${index}`)
  expect(outcome(await directory.edit(full.id, { roles }))).toBe('200')
  const refused = await scim('POST', '/Groups', groupOf('author', ada.id, full.id))
  expect(outcome(refused)).toBe('422 TOO_MUCH_AT_ONCE')
  expect((await list('/Groups')).Resources).toEqual([])
  expect(await read(ada.id)).toMatchObject({ roles: [], seats: [], directory: { groups: [] } })
  expect(disagreements(await seatRows(api.table, tenantId))).toEqual([])
  // Mended, it is made: nothing is in the way.
  const made = Resource.parse(expected(201, await scim('POST', '/Groups', groupOf('author', ada.id))))
  expect(made.members).toMatchObject([{ value: ada.id }])
  expect(await read(ada.id)).toMatchObject({ roles: ['author'], seats: [{ metric: 'learners' }] })
})

test('a group that is asked for twice at once under one key is made once, and both hear of it', async () => {
  const { scim, addUser, list } = await createDirectory(api, { learners: 3 })
  const members = [(await addUser('ada@x.example')).id, (await addUser('bob@x.example')).id]
  const headers = { 'idempotency-key': 'the-same' }
  const make = () => scim('POST', '/Groups', { ...groupOf('author', ...members), headers })
  const joining = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  let twin: ReturnType<typeof make> | undefined
  // The twin has made the group and is about to fill it when the first one makes it.
  const undoFirst = before('group.created', () => {
    twin = make()
    return joining.promise
  })
  const undoTwin = before('group.joined', () => {
    joining.resolve()
    return answered.promise
  })
  const first = await make()
  answered.resolve()
  const second = await twin
  undoTwin()
  undoFirst()
  expect([outcome(first), second && outcome(second)]).toEqual(['201', '201'])
  expect(second?.body).toEqual(first.body)
  expect((await list('/Groups')).totalResults).toBe(1)
})

test('a group that is made says who is in it, not who was to be', async () => {
  const { scim, addUser, get } = await createDirectory(api, { learners: 3 })
  const [ada, bob] = [await addUser('ada@x.example'), await addUser('bob@x.example')]
  const undo = before('group.joined', () => scim('DELETE', `/Users/${bob.id}`))
  const made = Resource.parse(expected(201, await scim('POST', '/Groups', groupOf('club', ada.id, bob.id))))
  undo()
  expect(made.members).toMatchObject([{ value: ada.id }])
  expect(made).toEqual(await get(`/Groups/${made.id}`))
})

test('whoever says which roles a group gives is answered that, whatever becomes of the group meanwhile', async () => {
  const { call, patch, scim, addUser, addGroup } = await createDirectory(api, { learners: 3 })
  const { id } = await addGroup('club', (await addUser('ada@x.example')).id)
  const give = (role: string, revision: number) =>
    call('PATCH', `/groups/${id}`, { body: { roles: [role] }, headers: { 'if-match': `"${revision}"` } })
  const rename = { op: 'replace', value: { displayName: 'other' } }
  const undoRename = before('user.edited', () => patch(`/Groups/${id}`, rename))
  const given = expected(200, await give('author', 2))
  undoRename()
  expect(given).toMatchObject({ roles: ['author'], displayName: 'club', revision: 3 })
  expect(given).not.toHaveProperty('spreading')
  const undoDelete = before('user.edited', () => scim('DELETE', `/Groups/${id}`))
  expect(outcome(await give('observer', 4))).toBe('200')
  undoDelete()
})

test('a user name is not given to a second person, also where the first has it by an e-mail address from before such names were kept', async () => {
  const { scim, addUser, add, tenantId, list } = await createDirectory(api, { learners: 3 })
  const old = await add({ name: 'Old', email: 'old@x.example' })
  const { id } = await addUser('new@x.example')
  await writeRow(api.table, { kind: 'remove', key: userNameKey(tenantId, 'old@x.example') })
  const body = { schemas: [USER], userName: 'OLD@x.example', emails: [{ value: 'new@x.example' }] }
  expect(outcome(await scim('PUT', `/Users/${id}`, { body }))).toBe('409 PERSON_EXISTS')
  const filter = 'userName eq "old@x.example"'
  expect((await list('/Users', { filter })).Resources).toMatchObject([{ id: old.id }])
  expect(outcome(await scim('PUT', `/Users/${old.id}`, { body: { ...body, emails: [] } }))).toBe('200')
})

test('of two who replace who is in a group at once, one has the last word', async () => {
  const { scim, addUser, addGroup, get } = await createDirectory(api, { learners: 3 })
  const [ada, bob] = [await addUser('ada@x.example'), await addUser('bob@x.example')]
  const { id } = await addGroup('club')
  const replace = (userId: string) => scim('PUT', `/Groups/${id}`, groupOf('club', userId))
  const undo = before('group.joined', () => replace(bob.id))
  const last = Resource.parse(expected(200, await replace(ada.id)))
  undo()
  expect(last.members).toMatchObject([{ value: ada.id }])
  expect((await get(`/Groups/${id}`)).members).toEqual(last.members)
})

test('who joins a group while another of its groups changes back what it gives has what that gives at last', async () => {
  const { scim, call, addUser, addGroup, patch, read, tenantId } = await createDirectory(api, {})
  const { id } = await addUser('ada@x.example')
  const [giving, club] = [await addGroup('author', id), await addGroup('club')]
  const give = (role: string, revision: number, remaining?: () => number) =>
    call('PATCH', `/groups/${giving.id}`, {
      body: { roles: [role] },
      headers: { 'if-match': `"${revision}"` },
      ...(remaining && { remaining }),
    })
  // The time is over before it reaches anybody.
  let asked = 0
  expect(expected(200, await give('observer', 2, () => (asked++ < 1 ? 60_000 : 0)))).toMatchObject({
    spreading: true,
  })
  const undo = before('group.joined', () => give('author', 3))
  const join = { op: 'add', path: 'members', value: [{ value: id }] }
  expect(outcome(await patch(`/Groups/${club.id}`, join))).toBe('204')
  undo()
  expect(await read(id)).toMatchObject({ roles: ['author'], directory: { roles: ['author'] } })
  expect(disagreements(await seatRows(api.table, tenantId))).toEqual([])
  expect(outcome(await scim('GET', `/Groups/${club.id}`))).toBe('200')
})

test('whom an administrator took back while the directory makes it anew is somebody who is here', async () => {
  const { scim, call, addUser, archive } = await createDirectory(api, {})
  const { id } = await addUser('ada@x.example')
  expect(outcome(await scim('DELETE', `/Users/${id}`))).toBe('204')
  const undo = before('user.restored', async () => {
    expected(200, await call('POST', `/users/${id}/restore`, { body: {} }))
    expected(200, await archive(id))
  })
  const body = { schemas: [USER], userName: 'ada@x.example' }
  expect(outcome(await scim('POST', '/Users', { body }))).toBe('409 PERSON_EXISTS')
  undo()
})
