import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Caller } from '../../shared/domain/access.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { isRefusal, refuse } from '../../shared/domain/refusal.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { DAY, epochSeconds, Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { commit, type Decision, type Request, replay } from '../../shared/store/commit.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { eventLog, type Key, replyKey } from '../../shared/store/keys.ts'
import { readItem, readRange } from '../../shared/store/read.ts'
import { putOnce, putRevision, type Table } from '../../shared/store/transact.ts'
import { TENANT } from '../support/licenses.ts'
import { times } from '../support/parallel.ts'
import { exists, localTable, newClient } from './local-table.ts'

const table = await localTable()
const SEALING_KEY = randomBytes(32)
const NOW = Instant.parse('2026-03-01T12:00:00.000Z')
const STAFF: Caller = { kind: 'vendor', role: 'vendor:issuer', subject: 'tok_staff', alias: 'staff_1' }

const aRequest = (changes: Partial<Request> = {}): Request => ({
  caller: STAFF,
  now: NOW,
  requestId: randomUUID(),
  idempotencyKey: randomUUID(),
  fingerprint: 'POST /things',
  ...changes,
})

type Reply = { name: string; secret?: string }

/** Puts a thing that is not there yet, and tells of it in the tenant's log. */
function aThing(name: string = randomUUID()) {
  const key = { pk: `THING#${name}`, sk: 'THING' }
  return {
    key,
    writes: { thing: putOnce({ ...key, revision: 1 }) },
    events: [{ type: 'product.created', tenantId: TENANT, subject: { type: 'thing', id: name } }],
    reply: { name },
    refusals: { thing: refuse('CODE_TAKEN', `There is a ${name}.`) },
  } satisfies Decision<Reply, 'thing'> & { key: Key }
}

const eventsOf = async (name: string, tenantId: TenantId | undefined = TENANT) =>
  (await readRange(table, { pk: eventLog(tenantId) }))
    .map(eventEntity.decode)
    .filter(({ subject }) => subject.id === name)
const keyOf = ({ idempotencyKey }: Request) => replyKey('tok_staff', idempotencyKey ?? '')
const send = (request: Request, decision: Decision<Reply, 'thing' | 'shelf'>, at: Table = table) =>
  commit(at, SEALING_KEY, request, decision)

describe('a commit', () => {
  test('is the change, its event and its reply', async () => {
    const [request, decision] = [aRequest(), aThing('lamp')]
    expect(await send(request, decision)).toEqual({ name: 'lamp' })
    expect(await exists(table, decision.key)).toBe(true)
    expect(await eventsOf('lamp')).toEqual([
      {
        id: expect.stringMatching(/^evt_/),
        type: 'product.created',
        at: NOW,
        tenantId: TENANT,
        actor: { kind: 'vendor', subject: 'staff_1', role: 'vendor:issuer' },
        subject: { type: 'thing', id: 'lamp' },
        requestId: request.requestId,
      },
    ])
    expect(await readItem(table, keyOf(request))).toMatchObject({
      entity: 'reply',
      ttl: epochSeconds(plusMilliseconds(NOW, DAY)),
    })
  })

  test('without an idempotency key keeps no reply', async () => {
    const [decision, caller] = [aThing(), { ...STAFF, subject: 'tok_without_keys' }]
    await send(aRequest({ caller, idempotencyKey: undefined }), decision)
    expect(await eventsOf(decision.reply.name)).toHaveLength(1)
    expect(await readRange(table, { pk: replyKey(caller.subject, 'any').pk })).toEqual([])
  })

  test('that fails leaves no change, no event and no reply', async () => {
    const [first, second] = [aThing(), aThing()]
    await send(aRequest(), first)
    const both = { ...second, writes: { shelf: second.writes.thing, thing: first.writes.thing } }
    const request = aRequest()
    expect(await send(request, { ...both, refusals: { ...first.refusals } })).toEqual(first.refusals.thing)
    expect(await exists(table, second.key)).toBe(false)
    expect(await eventsOf(second.reply.name)).toEqual([])
    expect(await exists(table, keyOf(request))).toBe(false)
  })

  test('of several events has them all, in the log of whom they concern', async () => {
    const decision = aThing()
    const { name } = decision.reply
    const vendors: EventDraft = { type: 'product.created', subject: { type: 'thing', id: name } }
    await send(aRequest(), { ...decision, events: [...decision.events, ...decision.events, vendors] })
    const own = await eventsOf(name)
    expect(own).toHaveLength(2)
    expect(new Set(own.map(({ id }) => id)).size).toBe(2)
    const other = (await readRange(table, { pk: eventLog(undefined) })).map(eventEntity.decode)
    expect(other.filter(({ subject }) => subject.id === name)).toHaveLength(1)
  })

  test('tells by whom: an anonymous caller and a job are the system', async () => {
    const anonymous = aThing()
    await send(aRequest({ caller: { kind: 'anonymous' } }), anonymous)
    const job = aThing()
    await send(aRequest({ caller: { kind: 'system', subject: 'sweep' } }), job)
    expect((await eventsOf(anonymous.reply.name))[0]?.actor).toEqual({ kind: 'system', subject: 'anonymous' })
    expect((await eventsOf(job.reply.name))[0]?.actor).toEqual({ kind: 'system', subject: 'sweep' })
  })

  test('of nothing, by nobody who asks again, writes nothing', async () => {
    const decision = { writes: {}, events: [], reply: { name: 'x' }, refusals: {} }
    expect(await send(aRequest({ idempotencyKey: undefined }), decision)).toEqual({ name: 'x' })
  })
})

describe('a condition that fails', () => {
  test('gives the refusal of its write, the first one written where several fail', async () => {
    const decision = aThing()
    await send(aRequest(), decision)
    const shelf = { pk: 'SHELF', sk: 'SHELF' }
    const refusals = { ...decision.refusals, shelf: refuse('REVISION_OUTDATED', 'The shelf was moved.') }
    const moved = { shelf: putRevision({ ...shelf, revision: 2 }, 1), ...decision.writes }
    expect(await send(aRequest(), { ...decision, writes: moved, refusals })).toEqual(refusals.shelf)
  })

  test('that has no refusal is a fault that names it', async () => {
    const decision = aThing()
    await send(aRequest(), decision)
    await expect(send(aRequest(), { ...decision, refusals: {} })).rejects.toThrow(
      'A condition failed that nobody expected: thing',
    )
  })
})

describe('the same request again', () => {
  test('gets the first reply and changes nothing', async () => {
    const [request, decision] = [aRequest(), aThing()]
    await send(request, decision)
    expect(await replay(table, SEALING_KEY, request)).toEqual({ replayed: decision.reply })
    const later = { ...request, requestId: randomUUID(), now: plusMilliseconds(NOW, 1_000) }
    expect(await send(later, decision)).toEqual({ replayed: decision.reply })
    expect(await eventsOf(decision.reply.name)).toHaveLength(1)
  })

  test('with another fingerprint is refused, also once it is committed', async () => {
    const [request, decision, other] = [aRequest(), aThing(), aThing()]
    await send(request, decision)
    const changed = { ...request, fingerprint: 'POST /others' }
    const refused = expect.objectContaining({ refused: 'IDEMPOTENCY_MISMATCH' })
    expect(await replay(table, SEALING_KEY, changed)).toEqual(refused)
    expect(await send(changed, other)).toEqual(refused)
    expect(await exists(table, other.key)).toBe(false)
  })

  test('by another caller, or under another key, is another request', async () => {
    const request = aRequest()
    await send(request, aThing())
    const stranger: Caller = { kind: 'tenant', role: 'tenant:app', tenantId: TENANT, subject: 'tok_other' }
    expect(await replay(table, SEALING_KEY, { ...request, caller: stranger })).toBeUndefined()
    expect(await replay(table, SEALING_KEY, aRequest())).toBeUndefined()
    expect(await send({ ...request, caller: stranger }, aThing('by a stranger'))).toEqual({
      name: 'by a stranger',
    })
  })

  test('without an idempotency key is none', async () => {
    expect(await replay(table, SEALING_KEY, aRequest({ idempotencyKey: undefined }))).toBeUndefined()
  })

  test('ten times at once is done once: all get the same', async () => {
    const [request, decision] = [aRequest(), aThing()]
    const outcomes = await times(10, () => send({ ...request, requestId: randomUUID() }, decision))
    const replies = outcomes.map((outcome) => ('replayed' in outcome ? outcome.replayed : outcome))
    expect(replies.every((reply) => !isRefusal(reply))).toBe(true)
    expect(new Set(replies.map((reply) => JSON.stringify(reply)))).toEqual(
      new Set([JSON.stringify(decision.reply)]),
    )
    expect(await eventsOf(decision.reply.name)).toHaveLength(1)
  })

  test('at the same time as its twin gets the reply of the twin, whatever the twin decided', async () => {
    // Both found nothing to replay, and decided on what they saw: each would make a thing of its own.
    const [request, first, second] = [aRequest(), aThing(), aThing()]
    const outcomes = await Promise.all([send(request, first), send(request, second)])
    const replies = outcomes.map((outcome) => ('replayed' in outcome ? outcome.replayed : outcome))
    expect(replies[0]).toEqual(replies[1])
    const made = await Promise.all([first, second].map(({ key }) => exists(table, key)))
    expect(made.filter(Boolean)).toHaveLength(1)
  })
})

test('a commit whose answer was lost is not committed twice: one event, the plain reply', async () => {
  const client = newClient()
  let lost = 0
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args)
        if (commandName !== 'TransactWriteItemsCommand' || lost > 0) return answer
        lost += 1
        throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
      },
    { step: 'deserialize', priority: 'low' },
  )
  const [request, decision] = [aRequest(), aThing()]
  expect(await send(request, decision, { client, name: table.name })).toEqual(decision.reply)
  expect(lost).toBe(1)
  expect(await eventsOf(decision.reply.name)).toHaveLength(1)
  client.destroy()
})
