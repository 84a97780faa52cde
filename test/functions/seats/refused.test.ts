import { afterAll, expect, test } from 'vitest'
import { UserId } from '../../../shared/platform/ids.ts'
import { HOUR, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { writeCase } from '../../../shared/store/reclaim.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { type Answer, outcome, startApi } from '../../support/api.ts'
import { createPlan, createProduct } from '../../support/resources.ts'
import { expected } from '../../support/scenario.ts'
import { createDirectory, GROUP, USER } from '../scim/rig.ts'

const api = await startApi()
afterAll(api.stop)

/** More seats than one transaction takes or frees; the roles `a` and `b` give half of them each. */
const MANY = Array.from({ length: 30 }, (_, index) => ({
  code: `m${index}`,
  name: `Module ${index}`,
  seat: { metric: `m${index}`, roles: [index % 2 === 0 ? 'a' : 'b'] },
}))
const OTHERS = [
  { code: 'lab', name: 'Lab', seat: { metric: 'lab', roles: ['dependent'], requires: ['m0'] } },
  { code: 'extra', name: 'Extra', seat: { metric: 'extra', roles: ['unsold'] } },
]
const modules = [...MANY, ...OTHERS]

const directory = await createDirectory(api, { learners: 1 })
const { call, scim, add, edit, archive, patch, addUser, addGroup, tenantId } = directory
const vendor = await api.token('vendor:admin')
const metrics = modules.map(({ seat }) => ({ code: seat.metric, kind: 'gauge' as const }))
const product = await createProduct(api, { metrics, features: [], modules })
const limits = Object.fromEntries([...MANY, ...OTHERS.slice(0, 1)].map(({ seat }) => [seat.metric, 100]))
const plan = await createPlan(api, product.id, { limits, features: {}, graceDays: 0 })
await directory.issue({ planId: plan.id })

const policy = async (body: object) => expected(200, await call('PATCH', '/seats/policy', { body }))
const seat = (id: string, action: string, module: string, body: object = {}) =>
  call('POST', `/users/${id}/seats${action}`, { body: { product: product.code, module, ...body } })

let count = 0
const someone = (body: object = {}) => {
  count += 1
  return add({ name: `Somebody ${count}`, ...body })
}
const post = (id: string, action: string, body: object = {}) =>
  call('POST', `/users/${id}/${action}`, { body })
const asked = (id: string, module: string) =>
  seat(id, '/requests', module, { reason: 'a test' }).then((answer) => expected(201, answer))

/** Seats of the person were taken back, which can be undone. */
async function reclaimed(id: string): Promise<void> {
  const [now, later] = [readClock(), plusMilliseconds(readClock(), HOUR)]
  const about = { userId: UserId.parse(id), productId: product.id, metrics: ['m9'], notices: [], version: 1 }
  const when = { since: now, dueAt: now, openedAt: now, endedAt: now, undoUntil: later, cooldownDays: 0 }
  const taken = { direct: [], withheld: [] }
  const found = { ...about, ...when, taken, state: 'reclaimed', reason: 'INACTIVE' } as const
  await writeRow(api.table, writeCase(tenantId, undefined, found))
}

type Attempt = () => Promise<Answer>

async function outcomes(attempts: Readonly<Record<string, Attempt>>): Promise<Record<string, string>> {
  const all: Record<string, string> = {}
  for (const [name, attempt] of Object.entries(attempts)) all[name] = outcome(await attempt())
  return all
}
const all = (attempts: object, outcome: string) =>
  Object.fromEntries(Object.keys(attempts).map((name) => [name, outcome]))

test('where the tenant wants it, a role is refused whose seat is not to be had, whatever gives it', async () => {
  const [left, unsold, suspended] = [
    await someone({ roles: ['dependent'] }),
    await someone({ roles: ['unsold'] }),
    await someone(),
  ]
  for (const { id } of [left, unsold]) expected(200, await archive(id))
  await asked(suspended.id, 'm1')
  await reclaimed(suspended.id)
  expected(200, await edit(suspended.id, { status: 'suspended' }))
  const { id } = await someone()
  await policy({ onShortage: 'refuse' })
  const blocked = {
    createUser: () => directory.create({ roles: ['dependent'] }),
    editUser: () => edit(id, { roles: ['dependent'] }),
    restoreUser: () => post(left.id, 'restore'),
    restoreSeats: () => post(suspended.id, 'seats/restore', { product: product.code }),
    grantSeatRequest: () => seat(suspended.id, '/requests/grant', 'm1'),
  }
  expect(await outcomes(blocked)).toEqual(all(blocked, '409 SEAT_BLOCKED'))
  const exhausted = {
    editUser: () => edit(id, { roles: ['unsold'] }),
    restoreUser: () => post(unsold.id, 'restore'),
  }
  expect(await outcomes(exhausted)).toEqual(all(exhausted, '409 SEATS_EXHAUSTED'))
  await policy({ onShortage: 'keep' })
})

/** A person with all the seats, who got them in two steps. */
async function withAll(): Promise<string> {
  const { id } = await someone({ roles: ['a'] })
  expected(200, await edit(id, { roles: ['a', 'b'] }))
  return id
}

test('nobody loses more seats at once than a transaction can take: its roles go first', async () => {
  const [id, other] = [await withAll(), await withAll()]
  const group = await addGroup('everything', (await addUser('in-group')).id)
  const give = async (...roles: string[]) => {
    const { meta } = await directory.get(`/Groups/${group.id}`)
    const headers = { 'if-match': meta.version.replace('W/', '') }
    expected(200, await call('PATCH', `/groups/${group.id}`, { body: { roles }, headers }))
  }
  await give('a')
  await give('a', 'b')
  const attempts = {
    archiveUser: () => archive(id),
    deleteScimUser: () => scim('DELETE', `/Users/${other}`),
    deleteScimGroup: () => scim('DELETE', `/Groups/${group.id}`),
  }
  expect(await outcomes(attempts)).toEqual(all(attempts, '422 TOO_MUCH_AT_ONCE'))
  expected(200, await edit(id, { roles: ['a'] }))
  expect(outcome(await archive(id))).toBe('200')
})

test('nobody gets more seats at once than a transaction can give, whatever gives them', async () => {
  const [stale, left, member] = [
    await someone({ roles: ['later'] }),
    await someone({ roles: ['later'] }),
    await someone(),
  ]
  const known = await addUser('known')
  expected(200, await edit(known.id, { roles: ['later'] }))
  const gone = await addUser('gone')
  expected(200, await edit(gone.id, { roles: ['later'] }))
  expected(204, await scim('DELETE', `/Users/${gone.id}`))
  const group = await addGroup('later')
  expected(200, await archive(left.id))
  expected(200, await seat(stale.id, '', 'm0'))
  await asked(stale.id, 'm1')
  await reclaimed(stale.id)
  // From now on the role gives them all.
  const given = modules.map((one) => ({
    ...one,
    seat: { ...one.seat, roles: [...one.seat.roles, 'later', 'soon'] },
  }))
  const headers = { 'if-match': '"1"' }
  expected(
    200,
    await api.call('PATCH', `/v1/products/${product.id}`, {
      token: vendor,
      body: { modules: given },
      headers,
    }),
  )

  const members = [{ value: member.id }]
  const attempts = {
    createUser: () => directory.create({ roles: ['later'] }),
    editUser: () => edit(stale.id, { name: 'Another name' }),
    restoreUser: () => post(left.id, 'restore'),
    assignSeat: () => seat(stale.id, '', 'm1'),
    revokeSeat: () => seat(stale.id, '/revoke', 'm0', { reason: 'a test' }),
    pinSeat: () => seat(stale.id, '/pin', 'm0', { pinned: true }),
    grantSeatRequest: () => seat(stale.id, '/requests/grant', 'm1'),
    restoreSeats: () => post(stale.id, 'seats/restore', { product: product.code }),
    createScimUser: () => scim('POST', '/Users', { body: { schemas: [USER], userName: 'gone' } }),
    replaceScimUser: () =>
      scim('PUT', `/Users/${known.id}`, { body: { schemas: [USER], userName: 'known', title: 'x' } }),
    patchScimUser: () => patch(`/Users/${known.id}`, { op: 'replace', path: 'title', value: 'x' }),
    createScimGroup: () =>
      scim('POST', '/Groups', { body: { schemas: [GROUP], displayName: 'soon', members } }),
    replaceScimGroup: () =>
      scim('PUT', `/Groups/${group.id}`, { body: { schemas: [GROUP], displayName: 'later', members } }),
    patchScimGroup: () => patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: members }),
  }
  expect(await outcomes(attempts)).toEqual(all(attempts, '422 TOO_MUCH_AT_ONCE'))
})
