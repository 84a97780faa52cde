import { afterAll, expect, test } from 'vitest'
import * as z from 'zod'
import { outcome, startApi } from '../../support/api.ts'
import { eventsOf } from '../../support/events.ts'
import { metricsOf } from '../../support/people.ts'
import { expected } from '../../support/scenario.ts'
import { interposeAll } from '../../support/sdk.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'
import { createDirectory, GROUP, List, PATCH, Resource } from './rig.ts'

const api = await startApi()
afterAll(api.stop)

/** Time for so many people; then it is over. The request itself asks once, too. */
const timeFor = (people: number) => {
  let left = people + 1
  return () => {
    left -= 1
    return left >= 0 ? 60_000 : 0
  }
}

async function world(count: number) {
  const directory = await createDirectory(api, { learners: count, observers: count, both: 1 })
  const members: string[] = []
  for (let number = 0; number < count; number += 1)
    members.push((await directory.addUser(`p${number}@x.example`)).id)
  return {
    ...directory,
    members,
    events: (subjectId: string) => eventsOf(api.table, subjectId, directory.tenantId),
    /** How many of them have a seat of the metric. */
    having: async (metric: string) => {
      const all = await Promise.all(members.map((id) => directory.read(id)))
      return all.filter((person) => metricsOf(person).includes(metric)).length
    },
  }
}

test('a group whose making was cut off is gone on with by the same request, and by no other', async () => {
  const { scim, members, having, list, tenantId } = await world(6)
  const make = (body: object, remaining?: () => number) =>
    scim('POST', '/Groups', {
      body: { schemas: [GROUP], displayName: 'author', ...body },
      ...(remaining && { remaining }),
    })
  const body = { externalId: 'g-1', members: members.map((value) => ({ value })) }
  const late = await make(body, timeFor(2))
  expect([outcome(late), late.headers['retry-after']]).toEqual(['503 UNFINISHED', '1'])
  expect(await having('learners')).toBe(2)
  expect(outcome(await make({ ...body, externalId: 'g-2' }))).toBe('409 GROUP_EXISTS')
  expect(outcome(await make(body, timeFor(3)))).toBe('503 UNFINISHED')
  const done = Resource.parse(expected(201, await make(body)))
  expect(done.members?.map(({ value }) => value).toSorted()).toEqual(members.toSorted())
  expect(await having('learners')).toBe(6)
  expect(outcome(await make(body))).toBe('409 GROUP_EXISTS')
  expect(List.parse(expected(200, await scim('GET', '/Groups'))).Resources.map(({ id }) => id)).toEqual([
    done.id,
  ])
  expect(await list('/Groups', { filter: 'displayName eq "author"' })).toMatchObject({ totalResults: 1 })
  expect(disagreements(await seatRows(api.table, tenantId))).toEqual([])
})

test('who is in a group is gone on with by the same request, and a group that is taken away meanwhile is gone', async () => {
  const { scim, members, addGroup, get, list } = await world(3)
  const { id } = await addGroup('club')
  const value = members.map((member) => ({ value: member }))
  const body = { schemas: [GROUP], displayName: 'club', members: value }
  const replace = (remaining?: () => number) =>
    scim('PUT', `/Groups/${id}`, { body, ...(remaining && { remaining }) })
  expect(outcome(await replace(timeFor(1)))).toBe('503 UNFINISHED')
  const change = (remaining: () => number) =>
    scim('PATCH', `/Groups/${id}`, {
      body: { schemas: [PATCH], Operations: [{ op: 'add', path: 'members', value }] },
      remaining,
    })
  expect(outcome(await change(timeFor(1)))).toBe('503 UNFINISHED')
  expect(outcome(await replace())).toBe('200')
  expect((await get(`/Groups/${id}`)).members).toHaveLength(3)

  let isTaken = false
  const undo = interposeAll(async ({ input }, send) => {
    if (!isTaken && JSON.stringify(input).includes('group.joined')) {
      isTaken = true
      const [brief] = (await list('/Groups', { filter: 'displayName eq "brief"' })).Resources
      expected(204, await scim('DELETE', `/Groups/${brief?.id}`))
    }
    return send()
  })
  expect(outcome(await scim('POST', '/Groups', { body: { ...body, displayName: 'brief' } }))).toBe(
    '404 NOT_FOUND',
  )
  undo()
  expect(await list('/Groups')).toMatchObject({ totalResults: 1 })
})

test('a group with another name and other people at once: a taken name moves nobody, who joins has only what the new one gives, and the same request goes on', async () => {
  const { scim, addUser, addGroup, hire, read, get, events } = await world(1)
  const ada = await addUser('ada@x.example')
  const [authors, watchers] = [await addGroup('author'), await addGroup('observer', ada.id)]
  const waiting = await hire('observer')
  const put = (displayName: string, match: string, remaining?: () => number) =>
    scim('PUT', `/Groups/${authors.id}`, {
      body: { schemas: [GROUP], displayName, members: [{ value: ada.id }] },
      headers: { 'if-match': match },
      ...(remaining && { remaining }),
    })
  expect(outcome(await put('Observer', 'W/"1"'))).toBe('409 GROUP_EXISTS')
  expect(await get(`/Groups/${authors.id}`)).toEqual(authors)
  expect(metricsOf(await read(ada.id))).toEqual(['observers'])

  const before = (await events(ada.id)).length
  expect(outcome(await put('club', 'W/"1"', timeFor(0)))).toBe('503 UNFINISHED')
  expect(outcome(await put('other', 'W/"1"'))).toBe('412 REVISION_OUTDATED')
  expect(outcome(await put('club', 'W/"1"'))).toBe('200')
  expect(await get(`/Groups/${authors.id}`)).toMatchObject({
    displayName: 'club',
    members: [{ value: ada.id }],
  })
  // By the name before it would have had a combined seat meanwhile, and who waits the one that it left.
  expect((await events(ada.id)).slice(before).map(({ type }) => type)).toEqual(['group.joined'])
  expect(metricsOf(await read(ada.id))).toEqual(['observers'])
  expect(await read(waiting.id)).toMatchObject({ seats: [], pending: [{ metric: 'observers' }] })
  expect((await events(authors.id)).map(({ type }) => type)).toEqual([
    'group.created',
    'group.edited',
    'group.edited',
  ])
  expect(outcome(await put('club', 'W/"1"'))).toBe('412 REVISION_OUTDATED')
  expect((await get(`/Groups/${watchers.id}`)).members).toMatchObject([{ value: ada.id }])
})

test('who comes back while its groups are changed has what they give now, and is in none that is gone', async () => {
  const { scim, addUser, addGroup, get, call, read, list } = await world(1)
  const { id } = await addUser('back@x.example')
  const [author, club] = [await addGroup('author', id), await addGroup('club', id)]
  expect(outcome(await scim('DELETE', `/Users/${id}`))).toBe('204')
  let isChanged = false
  const undo = interposeAll(async ({ input }, send) => {
    if (!isChanged && JSON.stringify(input).includes('user.restored')) {
      isChanged = true
      const { meta } = await get(`/Groups/${author.id}`)
      const headers = { 'if-match': meta.version.replace('W/', '') }
      expected(200, await call('PATCH', `/groups/${author.id}`, { body: { roles: ['observer'] }, headers }))
      expected(204, await scim('DELETE', `/Groups/${club.id}`))
    }
    return send()
  })
  expect((await addUser('back@x.example')).id).toBe(id)
  undo()
  expect(await read(id)).toMatchObject({ roles: ['observer'], directory: { groups: [author.id] } })
  expect(await list('/Users', { filter: `groups.value eq "${club.id}"` })).toMatchObject({ totalResults: 0 })
})

test('what a group gives reaches all in it, and one that goes leaves nothing, by the job where time was short', async () => {
  const { scim, members, having, addGroup, call, tenantId } = await world(5)
  const { id } = await addGroup('author', ...members)
  const give = await call('PATCH', `/groups/${id}`, {
    body: { roles: ['observer'] },
    headers: { 'if-match': '"2"' },
    remaining: timeFor(2),
  })
  expect(expected(200, give)).toMatchObject({ roles: ['observer'], spreading: true })
  expect([await having('observers'), await having('learners')]).toEqual([2, 3])
  // Delivered with no time left it is to be delivered again.
  await expect(api.run('spreadGroups', undefined, 1_000)).rejects.toThrow('still to be changed')
  await api.run('spreadGroups')
  expect([await having('observers'), await having('learners')]).toEqual([5, 0])
  const groups = async () =>
    z
      .object({ items: z.array(z.looseObject({ spreading: z.boolean().optional() })) })
      .parse(expected(200, await call('GET', '/groups'))).items
  expect((await groups()).map(({ spreading }) => spreading)).toEqual([undefined])

  expect(outcome(await scim('DELETE', `/Groups/${id}`, { remaining: timeFor(1) }))).toBe('503 UNFINISHED')
  expect([await having('observers'), outcome(await scim('GET', `/Groups/${id}`))]).toEqual([
    4,
    '404 NOT_FOUND',
  ])
  await api.run('spreadGroups')
  expect([await having('observers'), await groups()]).toEqual([0, []])
  expect(disagreements(await seatRows(api.table, tenantId))).toEqual([])
})

test('who cannot have what a group gives keeps nobody else from it, and the group says so', async () => {
  const { members, having, addGroup, edit, call } = await world(6)
  // As many as one may have, and the first of all, as groups go through their people by id.
  const full = { roles: Array.from({ length: 20 }, (_, index) => `role-${index}`) }
  expect(outcome(await edit(members[0] ?? '', full))).toBe('200')
  const { id } = await addGroup('club', ...members)
  const headers = { 'if-match': '"2"' }
  const give = await call('PATCH', `/groups/${id}`, { body: { roles: ['observer'] }, headers })
  expect(expected(200, give)).toMatchObject({ spreading: true })
  expect(await having('observers')).toBe(5)
  // It is no matter of time: nothing is delivered again.
  await api.run('spreadGroups')
})

test('says when a person and a group were last changed, by what a directory asks for what is new', async () => {
  const { get, list, members, patch, addGroup } = await world(2)
  const [first = '', second = ''] = members
  const before = await get(`/Users/${first}`)
  expect(before.meta).toMatchObject({ created: before.meta.lastModified })
  await patch(`/Users/${first}`, { op: 'replace', path: 'title', value: 'Professor' })
  const after = await get(`/Users/${first}`)
  expect(String(after.meta.lastModified) > String(before.meta.lastModified)).toBe(true)
  expect((await get(`/Users/${second}`)).meta.lastModified).toBe((await get(`/Users/${second}`)).meta.created)
  const filter = `meta.lastModified ge "${after.meta.lastModified}"`
  expect((await list('/Users', { filter })).Resources.map(({ id }) => id)).toEqual([first])
  const group = await addGroup('author', first)
  await patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: second }] })
  const changed = await get(`/Groups/${group.id}`)
  expect(String(changed.meta.lastModified) > String(group.meta.lastModified)).toBe(true)
})
