import { afterAll, expect, test } from 'vitest'
import type { User } from '../../../shared/domain/user.ts'
import { type GroupId, newGroupId, type TenantId, UserId } from '../../../shared/platform/ids.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { groupItem } from '../../../shared/store/group.ts'
import { readPerson, writeUser } from '../../../shared/store/user.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { outcome, startApi } from '../../support/api.ts'
import { expected } from '../../support/scenario.ts'
import { interposeAll } from '../../support/sdk.ts'
import { createDirectory, GROUP, USER } from './rig.ts'

const api = await startApi()
afterAll(api.stop)

const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'

test('a user name of nothing but spaces makes nobody who cannot be read afterwards', async () => {
  const { scim, addUser, list, patch } = await createDirectory(api, { learners: 1 })
  const body = { schemas: [USER], userName: '  ' }
  expect(outcome(await scim('POST', '/Users', { body }))).toBe('400 INVALID_REQUEST')
  const { id } = await addUser('ada@x.example')
  expect(outcome(await patch(`/Users/${id}`, { op: 'replace', path: 'userName', value: '\t' }))).toBe(
    '400 INVALID_REQUEST',
  )
  expect((await list('/Users')).Resources.map(({ userName }) => userName)).toEqual(['ada@x.example'])
})

test('the longest name of letters that take most room is found again, and one that is longer is nobody’s', async () => {
  const { addUser, list } = await createDirectory(api, { learners: 1 })
  const { id } = await addUser('名'.repeat(254))
  const named = async (attribute: string, length: number) => {
    const { Resources } = await list('/Users', { filter: `${attribute} eq "${'名'.repeat(length)}"` })
    return Resources.map((one) => one.id)
  }
  expect(await named('userName', 254)).toEqual([id])
  for (const attribute of ['userName', 'externalId', 'emails.value'])
    expect(await named(attribute, 900)).toEqual([])
})

test('of two who replace the group that both have read, one is told that it was changed since', async () => {
  const { scim, addGroup, get } = await createDirectory(api, { learners: 1 })
  const { id, meta } = await addGroup('club')
  const rename = (displayName: string) =>
    scim('PUT', `/Groups/${id}`, {
      body: { schemas: [GROUP], displayName },
      headers: { 'if-match': meta.version },
    })
  const answers = await Promise.all(['choir', 'chess', 'cheer'].map(rename))
  expect(answers.map(outcome).toSorted()).toEqual(['200', '412 REVISION_OUTDATED', '412 REVISION_OUTDATED'])
  expect((await get(`/Groups/${id}`)).meta.version).toBe('W/"2"')
})

test('a version that there never was is none to change anything on', async () => {
  const { scim, addGroup, get } = await createDirectory(api, { learners: 1 })
  const { id } = await addGroup('club')
  const body = { schemas: [GROUP], displayName: 'choir' }
  const headers = { 'if-match': 'W/"0"' }
  expect(outcome(await scim('PUT', `/Groups/${id}`, { body, headers }))).toBe('412 REVISION_OUTDATED')
  const Operations = [{ method: 'PUT', path: `/Groups/${id}`, version: 'W/"0"', data: body }]
  const answer = await scim('POST', '/Bulk', { body: { schemas: [BULK], Operations } })
  expect(expected(200, answer)).toMatchObject({ Operations: [{ status: '412' }] })
  expect((await get(`/Groups/${id}`)).displayName).toBe('club')
})

test('a group that was changed since is not taken away on what it was, though nobody knew when it was asked', async () => {
  const { scim, addGroup, get } = await createDirectory(api, { learners: 1 })
  const { id, meta } = await addGroup('club')
  let isRenamed = false
  const undo = interposeAll(async ({ input }, send) => {
    if (!isRenamed && JSON.stringify(input).includes('group.deleted')) {
      isRenamed = true
      const body = { schemas: [GROUP], displayName: 'choir' }
      expect(outcome(await scim('PUT', `/Groups/${id}`, { body }))).toBe('200')
    }
    return send()
  })
  const headers = { 'if-match': meta.version }
  expect(outcome(await scim('DELETE', `/Groups/${id}`, { headers }))).toBe('412 REVISION_OUTDATED')
  undo()
  expect((await get(`/Groups/${id}`)).displayName).toBe('choir')
})

test('a group whose external id is empty has none, and is no other the next time', async () => {
  const { scim, addGroup, get } = await createDirectory(api, { learners: 1 })
  const { id, meta } = await addGroup('club')
  const body = { schemas: [GROUP], displayName: 'club', externalId: '' }
  expect(outcome(await scim('PUT', `/Groups/${id}`, { body }))).toBe('200')
  expect((await get(`/Groups/${id}`)).meta.version).toBe(meta.version)
})

test('a Bulk whose time runs out says what was done, and of the rest that it was not', async () => {
  const { scim, list } = await createDirectory(api, { learners: 1 })
  let asked = 0
  const Operations = ['a', 'b', 'c'].map((userName) => ({
    method: 'POST',
    path: '/Users',
    bulkId: userName,
    data: { schemas: [USER], userName: `${userName}@x.example` },
  }))
  const answer = await scim('POST', '/Bulk', {
    body: { schemas: [BULK], Operations },
    remaining: () => (asked++ < 2 ? 60_000 : 0),
  })
  const told = expected(200, answer)
  expect(told).toMatchObject({ Operations: [{ status: '201' }, { status: '503' }, { status: '503' }] })
  expect((await list('/Users')).totalResults).toBe(1)
})

/** Writes a person's row as if all that had been done to it. */
async function edit(
  { tenantId }: { tenantId: TenantId },
  id: string,
  next: (user: User) => User,
): Promise<void> {
  const user = (await readPerson(api.table, tenantId, UserId.parse(id)))?.user
  if (user === undefined) throw new Error(`${id} is gone`)
  const { user: put } = writeUser(user, next(user))
  expect(put?.kind === 'put' && (await writeRow(api.table, put))).toBe(true)
}

test('whom an administrator took back is there for the directory again', async () => {
  const { scim, patch, addUser, addGroup, archive, get, list, call } = await createDirectory(api, {})
  const { id } = await addUser('ada@x.example', { title: 'Dr' })
  expect(outcome(await scim('DELETE', `/Users/${id}`))).toBe('204')
  expected(200, await call('POST', `/users/${id}/restore`, { body: {} }))
  const body = { schemas: [USER], userName: 'ada@x.example' }
  expect(outcome(await scim('POST', '/Users', { body }))).toBe('409 PERSON_EXISTS')
  expect(await list('/Users')).toMatchObject({ totalResults: 1, Resources: [{ id, active: true }] })
  expect(outcome(await patch(`/Users/${id}`, { op: 'replace', path: 'title', value: 'Sir' }))).toBe('200')
  expect(outcome(await scim('DELETE', `/Users/${id}`))).toBe('204')
  expect(await list('/Users')).toMatchObject({ totalResults: 0, Resources: [] })

  expected(200, await call('POST', `/users/${id}/restore`, { body: {} }))
  const club = await addGroup('club', id)
  expected(200, await archive(id))
  // Who is in a group is somebody, though archived again.
  expect(await get(`/Groups/${club.id}`)).toMatchObject({ members: [{ value: id }] })
  expect(await list('/Users')).toMatchObject({ totalResults: 1, Resources: [{ id, active: false }] })
})

/** Writes the rows of so many groups. */
function writeGroups({ tenantId }: { tenantId: TenantId }, count: number): Promise<GroupId[]> {
  const common = { tenantId, createdAt: readClock(), revision: 1, given: 1 }
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const id = newGroupId(common.createdAt)
      const item = groupItem({ id, displayName: `G ${index}`, ...common })
      await writeRow(api.table, { kind: 'put', item })
      return id
    }),
  )
}

test('who comes back is in all its groups again, more than one transaction takes', async () => {
  const directory = await createDirectory(api, { learners: 1 })
  const { id } = await directory.addUser('ada@x.example')
  expect(outcome(await directory.scim('DELETE', `/Users/${id}`))).toBe('204')
  const groups = await writeGroups(directory, 30)
  await edit(directory, id, (user) => ({ ...user, former: { seats: [], groups } }))
  expect((await directory.addUser('ada@x.example')).id).toBe(id)
  expect((await directory.read(id)).directory?.groups).toEqual(groups.toSorted())
})

test('nobody is in more groups than its row can name: it could not be read again', async () => {
  const directory = await createDirectory(api, { learners: 1 })
  const { id } = await directory.addUser('ada@x.example')
  const groups = await writeGroups(directory, 100)
  await edit(directory, id, (user) => ({
    ...user,
    ...(user.directory && { directory: { ...user.directory, groups } }),
  }))
  const last = await directory.addGroup('last')
  const add = { op: 'add', path: 'members', value: [{ value: id }] }
  expect(outcome(await directory.patch(`/Groups/${last.id}`, add))).toBe('422 TOO_MUCH_AT_ONCE')
  expect((await directory.get(`/Users/${id}`)).id).toBe(id)
})

test.each(['direct', 'withheld'] as const)(
  'a row that has as many modules %s as it can takes no more',
  async (list) => {
    const directory = await createDirectory(api, { learners: 1 })
    const { id } = await directory.hire('author')
    const of = (count: number) => ({
      productId: directory.product.id,
      module: `m${count}`,
      at: readClock(),
      by: 'x',
    })
    await edit(directory, id, (user) => ({
      ...user,
      [list]: Array.from({ length: 50 }, (_, count) => of(count)),
    }))
    const answer =
      list === 'direct'
        ? directory.seat(id, '', 'observe', { wait: true })
        : directory.seat(id, '/revoke', 'learn')
    expect(outcome(await answer)).toBe('422 TOO_MUCH_AT_ONCE')
    expect((await directory.read(id)).id).toBe(id)
  },
)
