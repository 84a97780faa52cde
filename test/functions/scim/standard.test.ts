import { afterAll, describe, expect, test } from 'vitest'
import { outcome, startApi } from '../../support/api.ts'
import { expected } from '../../support/scenario.ts'
import { createDirectory, GROUP, List, USER } from './rig.ts'

const api = await startApi()
afterAll(api.stop)
const directory = await createDirectory(api, { learners: 10 })
const { scim, list, get, patch, addUser } = directory

const error = (status: string, scimType?: string) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
  status,
  ...(scimType && { scimType }),
  detail: expect.any(String),
})

test('lists are numbered, counted, and read on from where a page ended', async () => {
  const own = await createDirectory(api, {})
  for (let number = 0; number < 5; number += 1) await own.addUser(`p${number}@page.example`)
  const gone = await own.addUser('gone@page.example')
  await own.scim('DELETE', `/Users/${gone.id}`)
  const inactive = await own.addUser('inactive@page.example', { active: false })
  const page = (startIndex: number, count: number) =>
    own.list('/Users', { startIndex: String(startIndex), count: String(count) })
  const seen: string[] = []
  for (const [start, length] of [
    [1, 4],
    [5, 2],
    [7, 0],
  ] as const) {
    const found = await page(start, 4)
    expect(found).toMatchObject({ totalResults: 6, startIndex: start, itemsPerPage: length })
    seen.push(...found.Resources.map(({ id }) => id))
  }
  expect(new Set(seen).size).toBe(6)
  expect(seen).toContain(inactive.id)
  // Not where a page ended before: counted up to.
  expect((await page(3, 2)).Resources.map(({ id }) => id)).toEqual(seen.slice(2, 4))
  expect(await page(0, 0)).toMatchObject({ totalResults: 6, startIndex: 1, Resources: [] })
})

test('filters find by any address, whatever its case, and by what they compare', async () => {
  const byHand = await directory.add({ name: 'By Hand', email: 'hand@f.example', roles: [] })
  const ada = await addUser('Ada@F.example', { externalId: 'X-1', title: 'Countess', displayName: 'Ada' })
  const ids = async (filter: string) => (await list('/Users', { filter })).Resources.map(({ id }) => id)
  expect(await ids('userName eq "ada@f.EXAMPLE"')).toEqual([ada.id])
  expect(await ids('userName Eq "hand@f.example"')).toEqual([byHand.id])
  expect(await ids('externalId eq "X-1"')).toEqual([ada.id])
  expect(await ids('externalId eq "x-1"')).toEqual([])
  expect(await ids(`id eq "${ada.id}" and active eq true`)).toEqual([ada.id])
  expect(await ids('title pr and not (displayName sw "b")')).toEqual([ada.id])
  expect(await ids('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ada@f.example"')).toEqual([
    ada.id,
  ])
  expect(await ids('userName eq "hand@f.example" or title eq "countess"')).toHaveLength(2)
  expect((await scim('GET', '/Users', { query: { filter: 'userName eq' } })).body).toEqual(
    error('400', 'invalidFilter'),
  )
  const search = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], filter: 'title pr' }
  const found = await scim('POST', '/Users/.search', { body: { ...search, attributes: ['title'] } })
  expect(List.parse({ ...Object(found.body), Resources: [] }).totalResults).toBe(1)
  expect(Object(found.body).Resources).toEqual([{ schemas: [USER], id: ada.id, title: 'Countess' }])
})

test('a user name is one person’s, also of who has it by the e-mail address alone', async () => {
  const emails = [{ value: 'mail@u.example' }]
  const upn = await addUser('upn@u.example', { emails })
  const byHand = await directory.add({ name: 'By Hand', email: 'by-hand@u.example' })
  const taken = '409 PERSON_EXISTS'
  expect(outcome(await directory.create({ email: 'UPN@u.example' }))).toBe(taken)
  expect(outcome(await directory.edit(byHand.id, { email: 'upn@u.example' }))).toBe(taken)
  const rows = [{ name: 'Imported', email: 'upn@u.example' }]
  const imported = await directory.call('POST', '/users/import', { body: { rows } })
  expect(imported.body).toMatchObject({ imported: 0, alreadyHere: 1 })
  const put = (userName: string) =>
    scim('PUT', `/Users/${upn.id}`, { body: { schemas: [USER], userName, emails } })
  expect(outcome(await put('By-Hand@u.example'))).toBe(taken)
  // Else the directory could not take the other one away.
  expect(outcome(await scim('DELETE', `/Users/${byHand.id}`))).toBe('204')
  expect(outcome(await put('other@u.example'))).toBe('200')
  expect(outcome(await directory.create({ email: 'upn@u.example' }))).toBe('201')
})

test('a version that is known is not sent again, and one that is over changes nothing', async () => {
  const user = await addUser('tag@v.example')
  const path = `/Users/${user.id}`
  const known = user.meta.version
  expect(known).toBe('W/"1"')
  expect((await scim('GET', path, { headers: { 'if-none-match': known } })).status).toBe(304)
  const put = (match: string, title: string) =>
    scim('PUT', path, {
      body: { schemas: [USER], userName: 'tag@v.example', title },
      headers: { 'if-match': match },
    })
  expect(outcome(await put(known, 'One'))).toBe('200')
  const late = await put(known, 'Two')
  expect([outcome(late), late.body]).toEqual(['412 REVISION_OUTDATED', error('412')])
  expect(await get(path)).toMatchObject({ title: 'One', meta: { version: 'W/"2"' } })
  expect(outcome(await put('*', 'Two'))).toBe('200')
})

const patchee = await addUser('patchee@p.example')

describe('a PATCH', () => {
  test.each([
    [{ op: 'replace', path: 'groups', value: [] }, 'mutability'],
    [{ op: 'replace', path: 'nonsense', value: 1 }, 'invalidPath'],
    [{ op: 'replace', path: 'emails[type eq', value: 1 }, 'invalidPath'],
    [{ op: 'replace', path: 'emails[type eq "home"]', value: { value: 'a@b.example' } }, 'noTarget'],
    [{ op: 'replace', path: 'active', value: 'maybe' }, 'invalidValue'],
    [{ op: 'add', path: 'emails', value: [{ value: 'no address' }] }, 'invalidValue'],
    [{ op: 'remove' }, 'noTarget'],
    [{ op: 'remove', path: 'userName' }, 'invalidValue'],
  ])('%j is refused with %s and changes nothing', async (operation, scimType) => {
    const good = { op: 'replace', path: 'title', value: 'Changed' }
    expect((await patch(`/Users/${patchee.id}`, good, operation)).body).toEqual(error('400', scimType))
    expect(await get(`/Users/${patchee.id}`)).toEqual(patchee)
  })

  test('sets no name that is not an attribute’s', async () => {
    const value = JSON.parse(
      '{"__proto__": {"polluted": true}, "constructor.prototype.polluted": true, "title": "T"}',
    )
    const done = await patch(`/Users/${patchee.id}`, { op: 'add', value })
    expect(done.body).toMatchObject({ title: 'T' })
    expect(Object(done.body)).not.toHaveProperty('polluted')
    expect({}).not.toHaveProperty('polluted')
    expect(
      (await patch(`/Users/${patchee.id}`, { op: 'add', path: '__proto__.polluted', value: 'x' })).body,
    ).toEqual(error('400', 'invalidPath'))
  })

  test('picks values by a boolean that is text, and members by no more than their ids', async () => {
    const emails = [{ value: 'a@p.example', primary: true }, { value: 'b@p.example' }]
    const { id } = await addUser('picked@p.example', { emails })
    const operation = { op: 'replace', path: 'emails[primary eq "True"].value', value: 'c@p.example' }
    const done = await patch(`/Users/${id}`, operation)
    expect(done.body).toMatchObject({ emails: [{ value: 'c@p.example' }, { value: 'b@p.example' }] })
    const group = await directory.addGroup('picked', id)
    const some = await patch(`/Groups/${group.id}`, { op: 'remove', path: `members[value sw "${id}"]` })
    expect(some.body).toEqual(error('400', 'invalidFilter'))
  })
})

test('Bulk does each for itself, what needs another after it', async () => {
  const Operations = [
    {
      method: 'POST',
      path: '/Groups',
      bulkId: 'g',
      data: { schemas: [GROUP], displayName: 'author', members: [{ value: 'bulkId:u' }] },
    },
    { method: 'POST', path: '/Users', bulkId: 'u', data: { schemas: [USER], userName: 'bulk@b.example' } },
    { method: 'POST', path: '/Users', bulkId: 'x', data: { schemas: [USER], userName: 'BULK@b.example' } },
    { method: 'PATCH', path: 'Users/bulkId:u', data: { schemas: [], Operations: [] } },
    {
      method: 'POST',
      path: '/Groups',
      bulkId: 'h',
      data: { schemas: [GROUP], displayName: 'b', members: [{ value: 'bulkId:none' }] },
    },
    { method: 'DELETE', path: 'Users/usr_nobody' },
  ]
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest']
  const done = await scim('POST', '/Bulk', { body: { schemas, Operations } })
  const results = Object(expected(200, done)).Operations
  const told = results.map(({ status, bulkId }: { status: string; bulkId?: string }) => `${bulkId} ${status}`)
  expect(told).toEqual(['g 201', 'u 201', 'x 409', 'undefined 400', 'h 400', 'undefined 404'])
  expect(results[2].response).toEqual(error('409', 'uniqueness'))
  const id = String(results[1].location).split('/').at(-1) ?? ''
  expect(await directory.read(id)).toMatchObject({ roles: ['author'], seats: [{ metric: 'learners' }] })
  const again = await scim('POST', '/Bulk', { body: { schemas, Operations, failOnErrors: 1 } })
  expect(Object(again.body).Operations).toHaveLength(1)
  const waiting = ['a', 'b'].map((bulkId, at) => {
    const members = [{ value: `bulkId:${['b', 'a'][at]}` }]
    return {
      method: 'POST',
      path: '/Groups',
      bulkId,
      data: { schemas: [GROUP], displayName: bulkId, members },
    }
  })
  const circle = await scim('POST', '/Bulk', { body: { schemas, Operations: waiting, failOnErrors: 1 } })
  expect(Object(circle.body).Operations).toMatchObject([{ bulkId: 'a', status: '400' }])
})

test('an administrator says which roles a group gives, and who is in it has them', async () => {
  const user = await addUser('roles@r.example')
  const group = await directory.addGroup('Everybody', user.id)
  expect(await directory.read(user.id)).toMatchObject({ roles: [], seats: [] })
  const edit = (revision: number, roles: string[] | null) =>
    directory.call('PATCH', `/groups/${group.id}`, {
      body: { roles },
      headers: { 'if-match': `"${revision}"` },
    })
  const given = await edit(2, ['reader', 'observer'])
  expect(given.body).toMatchObject({ roles: ['reader', 'observer'] })
  expect(given.body).not.toHaveProperty('spreading')
  expect(await directory.read(user.id)).toMatchObject({
    roles: ['observer', 'reader'],
    seats: [{ metric: 'learners' }],
    pending: [{ metric: 'observers', reason: 'NOT_LICENSED' }],
  })
  expect(outcome(await directory.scim('DELETE', `/Groups/${group.id}`))).toBe('204')
  expect(await directory.read(user.id)).toMatchObject({ roles: [], seats: [], pending: [] })
})

test('another tenant’s people and groups are like none', async () => {
  const [user, group] = [await addUser('mine@t.example'), await directory.addGroup('Mine')]
  const other = await createDirectory(api, {})
  for (const path of [`/Users/${user.id}`, `/Groups/${group.id}`])
    for (const method of ['GET', 'DELETE']) {
      const answer = await other.scim(method, path)
      expect([outcome(answer), answer.body]).toEqual(['404 NOT_FOUND', error('404')])
    }
  expect(await other.list('/Users', { filter: 'userName eq "mine@t.example"' })).toMatchObject({
    totalResults: 0,
  })
  const theirs = await other.addGroup('Theirs')
  const join = { op: 'add', path: 'members', value: [{ value: user.id }] }
  expect((await other.patch(`/Groups/${theirs.id}`, join)).body).toEqual(error('400', 'invalidValue'))
})
