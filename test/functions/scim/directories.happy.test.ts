import { afterAll, describe, expect, test } from 'vitest'
import { outcome, startApi } from '../../support/api.ts'
import { tally, times } from '../../support/parallel.ts'
import { metricsOf } from '../../support/people.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'
import { createDirectory, ENTERPRISE, USER } from './rig.ts'

const api = await startApi()
afterAll(api.stop)

// What Okta sends (developer.okta.com, "Okta and SCIM Version 2.0"): it asks for the name, makes the person, replaces it
// whole, deactivates by a PATCH without a path, and pushes groups by PATCH with ids sent along.
describe('as Okta does it', () => {
  test('a person comes, gets a group’s seat, leaves, and is back with the same', async () => {
    const okta = await createDirectory(api, { learners: 1, observers: 5, both: 5 })
    const filter = 'userName eq "ada@okta.example"'
    expect(await okta.list('/Users', { filter, startIndex: '1', count: '100' })).toMatchObject({
      totalResults: 0,
      Resources: [],
    })
    const body = {
      schemas: [USER],
      userName: 'ada@okta.example',
      name: { givenName: 'Ada', familyName: 'Lovelace' },
      emails: [{ primary: true, value: 'ada@okta.example', type: 'work' }],
      displayName: 'Ada Lovelace',
      locale: 'en-US',
      externalId: '00ujl29u0le5T6Aj10h7',
      groups: [],
      password: '1mz050nq',
      active: true,
    }
    const made = await okta.scim('POST', '/Users', { body })
    expect(outcome(made)).toBe('201')
    expect(made.headers).toMatchObject({
      'content-type': 'application/scim+json',
      location: expect.stringMatching(/\/scim\/v2\/Users\/usr_/),
      etag: 'W/"1"',
    })
    const [ada] = (await okta.list('/Users', { filter })).Resources
    const id = ada?.id ?? ''
    expect(outcome(await okta.scim('POST', '/Users', { body }))).toBe('409 PERSON_EXISTS')

    const group = await okta.addGroup('Author')
    const push = () =>
      okta.patch(
        `/Groups/${group.id}`,
        { op: 'replace', value: { id: group.id, displayName: 'Author' } },
        { op: 'add', path: 'members', value: [{ value: id, display: 'ada@okta.example' }] },
      )
    expect(outcome(await push())).toBe('204')
    expect(await okta.read(id)).toMatchObject({
      name: 'Ada Lovelace',
      roles: ['author'],
      email: 'ada@okta.example',
    })
    expect(metricsOf(await okta.read(id))).toEqual(['learners'])
    await okta.seat(id, '/pin', 'learn')
    // A directory repeats everything; nothing is changed by it.
    const before = await okta.read(id)
    expect(outcome(await push())).toBe('204')
    expect(outcome(await okta.scim('PUT', `/Users/${id}`, { body: { ...body, id } }))).toBe('200')
    expect(await okta.read(id)).toEqual(before)

    const off = await okta.patch(`/Users/${id}`, { op: 'replace', value: { active: false } })
    expect(outcome(off)).toBe('200')
    expect(off.body).toMatchObject({ active: false, userName: 'ada@okta.example' })
    expect(await okta.read(id)).toMatchObject({ status: 'archived', seats: [], pending: [] })
    expect(await okta.module('learn')).toMatchObject({ assigned: 0, available: 1 })
    expect((await okta.list('/Users', { filter })).Resources).toMatchObject([{ active: false }])

    const on = await okta.scim('PUT', `/Users/${id}`, { body: { ...body, id, active: true } })
    expect(on.body).toMatchObject({ active: true })
    const back = await okta.read(id)
    expect(back).toMatchObject({ status: 'active', roles: ['author'] })
    expect(back.seats).toMatchObject([{ metric: 'learners', pinned: true }])
    expect(back).not.toHaveProperty('former')
    expect(disagreements(await seatRows(api.table, okta.tenantId))).toEqual([])
  })
})

// What Entra sends (learn.microsoft.com, "Develop and plan provisioning for a SCIM endpoint"): verbs with capitals,
// booleans as text, attributes without a path by their paths' names, members removed by value.
describe('as Entra does it', () => {
  const add = (path: string, value: unknown) => ({ op: 'Add', path, value })
  const replace = (path: string, value: unknown) => ({ op: 'Replace', path, value })

  test('attributes come in its own shape', async () => {
    const entra = await createDirectory(api, { learners: 5 })
    const physics = await entra.organize('Physics')
    const grace = await entra.addUser('grace@entra.example', {
      schemas: [USER, ENTERPRISE],
      externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
      meta: { resourceType: 'User' },
      roles: [],
    })
    const done = await entra.patch(
      `/Users/${grace.id}`,
      replace('displayName', 'Grace Hopper'),
      add('emails[type eq "work"].value', 'grace@work.example'),
      replace(`${ENTERPRISE}:department`, 'Physics'),
      add('phoneNumbers[type eq "mobile"].value', '+1 5550100'),
      { op: 'Replace', value: { 'name.givenName': 'Grace', 'name.familyName': 'Hopper', title: 'Admiral' } },
      add('addresses[type eq "work"].country', 'US'),
    )
    expect(outcome(done)).toBe('200')
    expect(done.body).toMatchObject({
      displayName: 'Grace Hopper',
      name: { givenName: 'Grace', familyName: 'Hopper' },
      title: 'Admiral',
      emails: [{ type: 'work', value: 'grace@work.example' }],
      [ENTERPRISE]: { department: 'Physics' },
    })
    expect(await entra.read(grace.id)).toMatchObject({
      name: 'Grace Hopper',
      email: 'grace@work.example',
      organizationId: physics.id,
      usageLocation: 'US',
    })
    const changed = await entra.patch(
      `/Users/${grace.id}`,
      replace('emails[type eq "work"].value', 'hopper@work.example'),
      { op: 'Remove', path: 'title' },
      replace('active', 'False'),
    )
    expect(changed.body).toMatchObject({ active: false, emails: [{ value: 'hopper@work.example' }] })
    expect(changed.body).not.toHaveProperty('title')
    expect(await entra.read(grace.id)).toMatchObject({ status: 'archived', email: 'hopper@work.example' })
    expect((await entra.patch(`/Users/${grace.id}`, replace('active', 'True'))).body).toMatchObject({
      active: true,
    })
    const filter = 'emails[type eq "work"].value eq "HOPPER@work.example"'
    expect((await entra.list('/Users', { filter, aadOptscim062020: '' })).Resources).toHaveLength(1)
  })

  test.each([
    ['by value', (id: string) => ({ op: 'Remove', path: 'members', value: [{ $ref: null, value: id }] })],
    ['by filter', (id: string) => ({ op: 'Remove', path: `members[value eq "${id}"]` })],
  ])('members go %s, and their seats with them', async (_, removal) => {
    const entra = await createDirectory(api, { learners: 1, observers: 3 })
    const [first, second] = [await entra.addUser('first@e.example'), await entra.addUser('second@e.example')]
    const [authors, watchers] = [await entra.addGroup('author'), await entra.addGroup('Observer')]
    for (const { id } of [first, second]) {
      const member = { $ref: null, value: id }
      expect(outcome(await entra.patch(`/Groups/${authors.id}`, add('members', [member])))).toBe('204')
      expect(outcome(await entra.patch(`/Groups/${watchers.id}`, add('members', [member])))).toBe('204')
    }
    expect(metricsOf(await entra.read(first.id))).toEqual(['learners', 'observers'])
    expect((await entra.waiting()).map(({ userId }) => userId)).toEqual([second.id])
    expect(outcome(await entra.patch(`/Groups/${authors.id}`, removal(first.id)))).toBe('204')
    expect(metricsOf(await entra.read(first.id))).toEqual(['observers'])
    // Who waited has the seat.
    expect(metricsOf(await entra.read(second.id))).toEqual(['learners', 'observers'])
    expect(await entra.get(`/Groups/${authors.id}`)).toMatchObject({ members: [{ value: second.id }] })
    const query = {
      filter: `id eq "${authors.id}" and members eq "${first.id}"`,
      excludedAttributes: 'members',
    }
    expect(await entra.list('/Groups', query)).toMatchObject({ totalResults: 0 })
    query.filter = `displayName eq "AUTHOR"`
    const [found] = (await entra.list('/Groups', query)).Resources
    expect(found?.id).toBe(authors.id)
    expect(found).not.toHaveProperty('members')
  })
})

describe('who was taken away', () => {
  test('is gone for the directory, and the same person when it is made again: in its groups, with its seat', async () => {
    const directory = await createDirectory(api, { learners: 1 })
    const ada = await directory.addUser('ada@x.example', { externalId: 'A1' })
    const group = await directory.addGroup('author', ada.id)
    expect(metricsOf(await directory.read(ada.id))).toEqual(['learners'])
    const remove = () => directory.scim('DELETE', `/Users/${ada.id}`)
    const again = (body: object = {}) => directory.addUser('ADA@x.example', { externalId: 'A1', ...body })

    expect(outcome(await remove())).toBe('204')
    expect(outcome(await remove())).toBe('404 NOT_FOUND')
    expect(outcome(await directory.scim('GET', `/Users/${ada.id}`))).toBe('404 NOT_FOUND')
    expect(await directory.list('/Users')).toMatchObject({ totalResults: 0, Resources: [] })
    expect(await directory.get(`/Groups/${group.id}`)).not.toHaveProperty('members')
    expect(await directory.read(ada.id)).toMatchObject({ status: 'archived', roles: [], seats: [] })
    expect(await again()).toMatchObject({
      id: ada.id,
      userName: 'ADA@x.example',
      groups: [{ value: group.id }],
    })
    expect(metricsOf(await directory.read(ada.id))).toEqual(['learners'])

    // Somebody else has the seat when it comes back: it waits.
    await remove()
    await directory.hire('reader')
    await again()
    expect(await directory.read(ada.id)).toMatchObject({ seats: [], pending: [{ reason: 'NO_CAPACITY' }] })

    // Later than the tenant undoes anything, it is a person like a new one.
    await remove()
    await directory.call('PATCH', '/seats/policy', { body: { undoDays: 0 } })
    expect(await again()).not.toHaveProperty('groups')
    expect(await directory.read(ada.id)).toMatchObject({ status: 'active', roles: [], pending: [] })
    expect(disagreements(await seatRows(api.table, directory.tenantId))).toEqual([])
  })
})

test('of 6 that are pushed at once into 2 seats, 2 get one and 4 wait', async () => {
  const directory = await createDirectory(api, { learners: 2 })
  const all = await times(6, (index) => directory.addUser(`p${index}@x.example`))
  const group = await directory.addGroup('author')
  const answers = await Promise.all(
    all.map(({ id }) =>
      directory.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: id }] }),
    ),
  )
  for (const [index, answer] of answers.entries())
    if (answer.status === 503)
      answers[index] = await directory.patch(`/Groups/${group.id}`, {
        op: 'add',
        path: 'members',
        value: [{ value: all[index]?.id }],
      })
  expect(tally(answers.map(outcome))).toEqual({ '204': 6 })
  expect(await directory.module('learn')).toMatchObject({ assigned: 2, pending: 4, available: 0 })
  expect(disagreements(await seatRows(api.table, directory.tenantId))).toEqual([])
})
