import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { withPeople } from '../../../functions/people/bulk-run.ts'
import { BulkRow, BulkView } from '../../../shared/domain/bulk.ts'
import { UserView } from '../../../shared/domain/user.ts'
import { BulkId, UserId } from '../../../shared/platform/ids.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { readBulk, writeBulk } from '../../../shared/store/bulk.ts'
import { bulkKey, KIND } from '../../../shared/store/keys.ts'
import { transact } from '../../../shared/store/transact.ts'
import { type Answer, type CallOptions, outcome, startApi } from '../../support/api.ts'
import { eventsOf } from '../../support/events.ts'
import { createPeople } from '../../support/people.ts'
import { expected } from '../../support/scenario.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'

const api = await startApi()
afterAll(api.stop)
const people = await createPeople(api, { learners: 30, observers: 5 })

const view = (answer: Answer, status = 201) => BulkView.parse(expected(status, answer))
const order = (body: object, options: CallOptions = {}) =>
  people.call('POST', '/bulk', { body, headers: { 'idempotency-key': crypto.randomUUID() }, ...options })
const get = async (id: string) => view(await people.call('GET', `/bulk/${id}`), 200)
const go = async (id: string, options: CallOptions = {}) =>
  view(await people.call('POST', `/bulk/${id}/continue`, options), 200)

async function rows(id: string): Promise<BulkRow[]> {
  const all: BulkRow[] = []
  let cursor: string | undefined
  do {
    const answer = await people.call('GET', `/bulk/${id}/rows`, {
      query: { limit: '70', ...(cursor && { cursor }) },
    })
    const page = z
      .object({ items: z.array(BulkRow), nextCursor: z.string().optional() })
      .parse(expected(200, answer))
    all.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return all
}

/** People in an organization of their own, by an import. */
async function crowd(name: string, count: number, extra: object = {}) {
  const organization = await people.organize(name)
  const list = Array.from({ length: count }, (_, at) => ({
    name: `${name} ${at}`,
    externalId: `${name}-${at}`,
    organization: name,
    ...extra,
  }))
  const answer = await people.call('POST', '/users/import', { body: { rows: list } })
  const { people: made } = z
    .object({ people: z.array(z.object({ userId: z.string() })) })
    .parse(expected(200, answer))
  return { organization, users: made.map(({ userId }) => userId) }
}

/** Time that is over after so many looks at it. */
function shortly(looks: number) {
  let left = looks
  return { remaining: () => (left-- > 0 ? 60_000 : 1_000) }
}

/** What is the same of a row that was foreseen and of one that came. */
const meaning = ({ at: _, ...row }: BulkRow) => row

describe('a large set', () => {
  test('is foreseen, cut off, gone on with by several at once, and each is changed once', async () => {
    const { organization, users } = await crowd('Large', 120)
    const wanted = {
      action: { do: 'assign-roles', roles: ['author'] },
      filter: { organizationId: organization.id },
    }
    const foreseen = view(await order({ ...wanted, dryRun: true }))
    expect(foreseen).toMatchObject({ state: 'running', selected: 120, done: 0 })
    expect(await go(foreseen.id)).toMatchObject({
      state: 'finished',
      counts: { changed: 120, unchanged: 0, refused: 0, waiting: 90 },
    })
    expect((await people.module('learn')).assigned).toBe(0)

    const headers = { 'idempotency-key': 'large' }
    const { id } = view(await order(wanted, { headers }))
    expect((await order({ ...wanted, reason: 'another' }, { headers })).status).toBe(422)
    const cut = await go(id, shortly(90))
    expect(cut.state).toBe('running')
    expect(cut.done).toBeGreaterThan(5)
    expect(cut.done).toBeLessThan(100)
    expect(await rows(id)).toHaveLength(cut.done)
    await Promise.all([go(id), order(wanted, { headers }), go(id)])
    const ended = await go(id)
    expect(ended).toMatchObject({ state: 'finished', selected: 120, done: 120 })
    const all = await rows(id)
    expect(all.map(({ userId }) => userId).toSorted()).toEqual(users.toSorted())
    expect(ended.counts).toEqual({ changed: 120, unchanged: 0, refused: 0, waiting: 90 })
    const gained = (list: BulkRow[]) => list.filter((row) => row.gained.length > 0).length
    expect([gained(all), gained(await rows(foreseen.id))]).toEqual([30, 30])
    for (const userId of users.filter((_, at) => at % 40 === 0)) {
      const types = (await eventsOf(api.table, userId, people.tenantId)).map(({ type }) => type)
      expect(types.filter((type) => type === 'user.edited')).toHaveLength(1)
    }
    const log = (await eventsOf(api.table, id, people.tenantId)).map(({ type }) => type)
    expect(log.toSorted()).toEqual(['bulk.finished', 'bulk.ordered'])
    expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
    expect(view(await order(wanted, { headers }))).toEqual(ended)
  })

  test('is canceled: what is done stays, nobody else is changed', async () => {
    const { organization } = await crowd('Canceled', 60)
    const action = { do: 'suspend' }
    const { id } = view(await order({ action, filter: { organizationId: organization.id } }))
    const cut = await go(id, shortly(20))
    const canceled = view(await people.call('POST', `/bulk/${id}/cancel`), 200)
    expect(canceled).toMatchObject({ state: 'canceled', done: cut.done })
    expect(await go(id)).toEqual(canceled)
    const answer = await people.call('GET', '/users', {
      query: { organizationId: organization.id, status: 'suspended', limit: '100' },
    })
    const suspended = z.object({ items: z.array(UserView) }).parse(expected(200, answer)).items
    expect(suspended.map(({ id: one }) => one).toSorted()).toEqual(
      (await rows(id)).map(({ userId }) => userId).toSorted(),
    )
    expect(suspended.length).toBe(cut.done)
    expect(outcome(await people.call('POST', `/bulk/${id}/cancel`))).toBe('200')
  })

  test('is done by the job', async () => {
    const { organization } = await crowd('Job', 55)
    const { id } = view(
      await order({ action: { do: 'archive' }, filter: { organizationId: organization.id } }),
    )
    const scheduledAt = readClock()
    await Promise.all([1, 2].map(() => api.run('runBulkChanges', scheduledAt)))
    expect(await get(id)).toMatchObject({ state: 'finished', counts: { changed: 55 } })
    expect(outcome(await people.call('POST', `/bulk/${id}/cancel`))).toBe('409 TRANSITION_NOT_ALLOWED')
  })

  test('is done by the job whatever is wrong with another, on which the job fails at its end', async () => {
    const { client, name: TableName } = api.table
    const Key = { pk: 'no bulk change', sk: 'at all' }
    // It is the oldest, so it comes first.
    const Item = { ...Key, entity: 'bulk', kindPk: KIND.bulks, kindSk: '2000-01-01' }
    await client.send(new PutCommand({ TableName, Item }))
    const { organization, users } = await crowd('Beside', 51)
    const { id } = view(
      await order({ action: { do: 'suspend' }, filter: { organizationId: organization.id } }),
    )
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    await expect(api.run('runBulkChanges')).rejects.toThrow('1 bulk changes failed')
    expect(logged.mock.calls).toEqual([[expect.objectContaining({ subject: Key.pk })]])
    logged.mockRestore()
    expect(await get(id)).toMatchObject({ state: 'finished', counts: { changed: 51 } })
    await client.send(new DeleteCommand({ TableName, Key }))

    // A module that is gone before everybody was selected: those that were are changed, and it ends.
    const { id: cut } = view(await order({ action: { do: 'reactivate' }, users }))
    const { Item: row } = await client.send(
      new GetCommand({ TableName, Key: bulkKey(people.tenantId, BulkId.parse(cut)) }),
    )
    const filter = { product: 'gone', module: 'gone' }
    await client.send(new PutCommand({ TableName, Item: { ...row, state: 'selecting', filter } }))
    expect(await go(cut, shortly(400))).toMatchObject({ state: 'finished', counts: { changed: 51 } })
  })
})

test.each([true, false])(
  'who was selected twice is told of and counted once (dryRun: %s)',
  async (dryRun) => {
    const { users } = await crowd(`Twice ${dryRun}`, 51)
    const { id, tenantId } = view(await order({ action: { do: 'suspend' }, users, dryRun }))
    const bulk = await readBulk(api.table, tenantId, id)
    if (bulk === undefined) throw new Error(`${id} is gone`)
    // As it comes of one who moves within the index while it is read.
    const [again] = users.map((one) => UserId.parse(one)).slice(-1)
    const { after, puts } = withPeople(bulk, again ? [again] : [])
    await transact(api.table, { bulk: writeBulk(bulk, after), ...puts })
    expect(await go(id)).toMatchObject({ state: 'finished', selected: 51, done: 51 })
  },
)

describe('a small set', () => {
  test('is done in the request, as foreseen, with what was refused and why', async () => {
    const top = await people.organize('Small')
    const below = await people.organize('Below', top.id)
    const [first, second, gone] = [
      await people.add({ name: 'A', organizationId: below.id, roles: ['observer'] }),
      await people.add({ name: 'B', organizationId: top.id }),
      await people.add({ name: 'C', organizationId: below.id }),
    ]
    await people.archive(gone.id)
    const action = { do: 'move', organizationId: below.id }
    const users = [first.id, second.id, gone.id, `usr_${'0'.repeat(26)}`]
    const [foreseen, done] = [
      view(await order({ action, users, dryRun: true })),
      view(await order({ action, users, reason: 'a new department' })),
    ]
    expect(done).toMatchObject({ state: 'finished', counts: { changed: 1, unchanged: 1, refused: 2 } })
    const [before, after] = [await rows(foreseen.id), await rows(done.id)]
    expect(before.map(meaning)).toEqual(after.map(meaning))
    const codeOf = (userId: string | undefined) => after.find((row) => row.userId === userId)?.code
    expect([codeOf(gone.id), codeOf(users[3])]).toEqual(['ARCHIVED', 'NOT_FOUND'])
    expect(await people.read(second.id)).toMatchObject({ organizationId: below.id })

    const role = {
      action: { do: 'remove-roles', roles: ['observer'] },
      filter: { withRole: 'observer', organizationId: top.id },
    }
    const removed = view(await order(role))
    expect(removed).toMatchObject({ state: 'finished', selected: 1, counts: { changed: 1 } })
    expect((await rows(removed.id))[0]?.lost).toMatchObject([{ metric: 'observers', modules: ['observe'] }])
    const back = view(await order({ action: { do: 'reactivate' }, users: [gone.id, second.id] }))
    expect(back.counts).toMatchObject({ changed: 1, unchanged: 1 })
    expect(await people.read(gone.id)).toMatchObject({ status: 'active' })
  })

  test('is only of those, and in that organization, that the caller may know of', async () => {
    const own = await people.organize('Owned')
    const [mine, other] = [await people.add({ organizationId: own.id }), await people.add({})]
    const body = { name: 'k', role: 'org:admin', tenantId: people.tenant.id, organizationId: own.id }
    const made = await api.call('POST', '/v1/tokens', { token: await api.token('vendor:admin'), body })
    const { token } = z.object({ token: z.string() }).parse(expected(201, made))
    const away = { action: { do: 'move', organizationId: null }, users: [mine.id] }
    expect(outcome(await order(away, { token }))).toBe('404 NOT_FOUND')
    const done = view(await order({ action: { do: 'suspend' }, users: [mine.id, other.id] }, { token }))
    expect(done.counts).toMatchObject({ changed: 1, refused: 1 })
    expect(await people.read(other.id)).toMatchObject({ status: 'active' })
    const theirs = view(await order({ action: { do: 'suspend' }, users: [other.id] }))
    expect(outcome(await people.call('GET', `/bulk/${theirs.id}`, { token }))).toBe('404 NOT_FOUND')
    expect(outcome(await people.call('GET', `/bulk/${done.id}`, { token }))).toBe('200')
  })

  test.each([
    [{ action: { do: 'archive' } }, '400 INVALID_REQUEST'],
    [{ action: { do: 'archive' }, filter: {} }, '400 INVALID_REQUEST'],
    [{ action: { do: 'assign-roles', roles: [] }, filter: { withRole: 'author' } }, '400 INVALID_REQUEST'],
    [{ action: { do: 'archive' }, filter: { product: 'nothing', module: 'learn' } }, '404 NOT_FOUND'],
    [
      { action: { do: 'move', organizationId: `org_${'0'.repeat(26)}` }, filter: { withRole: 'a' } },
      '404 NOT_FOUND',
    ],
  ])('%j is refused', async (body, code) => {
    expect(outcome(await order(body))).toBe(code)
  })
})
