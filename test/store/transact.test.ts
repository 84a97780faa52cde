import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { describe, expect, test } from 'vitest'
import type { Item } from '../../shared/store/codec.ts'
import { readItem } from '../../shared/store/read.ts'
import {
  type Action,
  checkLive,
  isConditionFailed,
  putOnce,
  putRevision,
  type Table,
  TRANSACTION_LIMIT,
  transact,
} from '../../shared/store/transact.ts'
import { writeRow } from '../../shared/store/write.ts'
import { interpose } from '../support/sdk.ts'
import { exists, localTable, newClient, put } from './local-table.ts'

const table = await localTable()

let count = 0
const fresh = (fields: Item = {}) => {
  count += 1
  return { pk: `ITEM#${count}`, sk: 'ITEM', ...fields }
}

const keyOf = ({ pk, sk }: { pk: string; sk: string }) => ({ pk, sk })

/** The same table through a client whose transactions answer as told, in turn; `sent` counts them. */
function scripted(...script: ('send' | 'lose the answer' | Error)[]) {
  const client = newClient()
  const state = { sent: 0 }
  // Behind the SDK's own retries, which repeat what is serialized: the ClientRequestToken stays.
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== TransactWriteItemsCommand.name) return next(args)
        const step = script[state.sent] ?? 'send'
        state.sent += 1
        if (step instanceof Error) throw step
        const answer = await next(args)
        if (step === 'lose the answer')
          throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
        return answer
      },
    { step: 'deserialize', priority: 'low' },
  )
  return { table: { client, name: table.name } satisfies Table, state }
}

const canceled = (...codes: string[]) =>
  new TransactionCanceledException({
    message: 'Transaction canceled',
    CancellationReasons: codes.map((Code) => ({ Code })),
    $metadata: {},
  })

describe('a condition that fails', () => {
  const held = fresh({ revision: 3, archivedAt: '2026-01-01T00:00:00.000Z' })
  const absent = fresh()
  const failing: Record<string, Action> = {
    'putOnce of what is there': putOnce(held),
    'putRevision of another revision': putRevision({ ...held, revision: 3 }, 2),
    'putRevision of what is not there': putRevision({ ...absent, revision: 2 }, 1),
    'checkLive of what is archived': checkLive(keyOf(held)),
    'checkLive of what is not there': checkLive(keyOf(absent)),
    'a conditional update': {
      kind: 'update',
      key: keyOf(held),
      update: 'SET #name = :name',
      condition: 'revision < :most',
      names: { '#name': 'name' },
      values: { ':name': 'x', ':most': 3 },
    },
    'a conditional removal': {
      kind: 'remove',
      key: keyOf(held),
      condition: 'attribute_not_exists(archivedAt)',
    },
    'a check with names and values': {
      kind: 'check',
      key: keyOf(held),
      condition: '#revision = :revision',
      names: { '#revision': 'revision' },
      values: { ':revision': 4 },
    },
  }

  test.each(Object.entries(failing))('%s: its label, and nothing is written', async (label, action) => {
    if (!(await exists(table, keyOf(held)))) await put(table, held)
    const other = fresh()
    const outcome = await transact(table, { other: putOnce(other), [label]: action })
    expect(outcome).toEqual({ ok: false, failed: [label] })
    expect(await exists(table, keyOf(other))).toBe(false)
    expect(await readItem(table, keyOf(held))).toEqual(held)
  })

  test('several at once: all their labels, in the order they were given', async () => {
    const [a, b, c] = [fresh(), fresh(), fresh()]
    await put(table, a, c)
    const outcome = await transact(table, { third: putOnce(c), second: putOnce(b), first: putOnce(a) })
    expect(outcome).toEqual({ ok: false, failed: ['third', 'first'] })
    expect(await exists(table, keyOf(b))).toBe(false)
  })
})

describe('actions', () => {
  test('put, update, remove and check, all or nothing', async () => {
    const [old, kept, made] = [fresh(), fresh({ revision: 1 }), fresh({ name: 'new' })]
    await put(table, old, kept)
    const outcome = await transact(table, {
      made: putOnce(made),
      gone: { kind: 'remove', key: keyOf(old) },
      kept: checkLive(keyOf(kept)),
    })
    expect(outcome).toEqual({ ok: true })
    expect(await readItem(table, keyOf(made))).toEqual(made)
    expect(await exists(table, keyOf(old))).toBe(false)
    expect(await transact(table, { kept: putRevision({ ...kept, revision: 2 }, 1) })).toEqual({ ok: true })
    expect(await readItem(table, keyOf(kept))).toMatchObject({ revision: 2 })
  })

  test('of none write nothing and ask nobody', async () => {
    const { table: counted, state } = scripted()
    expect(await transact(counted, {})).toEqual({ ok: true })
    expect(state.sent).toBe(0)
  })

  test(`of more than ${TRANSACTION_LIMIT} are a fault, not a part of them`, async () => {
    const items = Array.from({ length: TRANSACTION_LIMIT + 1 }, () => fresh())
    const actions = Object.fromEntries(items.map((item, at) => [`${at}`, putOnce(item)]))
    await expect(transact(table, actions)).rejects.toThrow()
    for (const item of items.slice(0, 3)) expect(await exists(table, keyOf(item))).toBe(false)
  })
})

describe('a conflict with another transaction', () => {
  test('is tried again', async () => {
    const item = fresh()
    const { table: busy, state } = scripted(
      canceled('TransactionConflict', 'None'),
      canceled('None', 'ThrottlingError'),
    )
    expect(await transact(busy, { item: putOnce(item), other: putOnce(fresh()) })).toEqual({ ok: true })
    expect(state.sent).toBe(3)
    expect(await exists(table, keyOf(item))).toBe(true)
  })

  test('that persists is thrown, not taken for a failed condition', async () => {
    const conflict = canceled('TransactionConflict')
    const { table: busy, state } = scripted(...Array.from({ length: 20 }, () => conflict))
    await expect(transact(busy, { item: putOnce(fresh()) })).rejects.toBe(conflict)
    expect(state.sent).toBe(8)
  })

  test('beside a condition that failed: the condition counts, nothing is tried again', async () => {
    const { table: busy, state } = scripted(canceled('TransactionConflict', 'ConditionalCheckFailed'))
    const outcome = await transact(busy, { one: putOnce(fresh()), two: putOnce(fresh()) })
    expect(outcome).toEqual({ ok: false, failed: ['two'] })
    expect(state.sent).toBe(1)
  })

  test('of a single write is tried again, too, and thrown if it persists', async () => {
    const conflict = new TransactionConflictException({ message: 'busy', $metadata: {} })
    const client = newClient()
    let busy = 2
    interpose(client, async (_, send) => {
      busy -= 1
      if (busy >= 0) throw conflict
      return send()
    })
    const item = fresh()
    expect(await writeRow({ client, name: table.name }, putOnce(item))).toBe(true)
    expect(await writeRow({ client, name: table.name }, putOnce(item))).toBe(false)
    busy = Number.POSITIVE_INFINITY
    await expect(writeRow({ client, name: table.name }, putOnce(fresh()))).rejects.toBe(conflict)
  })
})

describe('an error', () => {
  test.each([
    ['of validation in the transaction', canceled('ValidationError')],
    ['of validation beside a conflict', canceled('TransactionConflict', 'ItemCollectionSizeLimitExceeded')],
    ['of another kind', Object.assign(new Error('no'), { name: 'AccessDeniedException' })],
  ])('%s is thrown at once', async (_, error) => {
    const { table: broken, state } = scripted(error)
    await expect(transact(broken, { item: putOnce(fresh()), other: putOnce(fresh()) })).rejects.toBe(error)
    expect(state.sent).toBe(1)
  })

  test('of DynamoDB itself is thrown: a table that is not there', async () => {
    const nowhere = { client: table.client, name: 'no-such-table' }
    await expect(transact(nowhere, { item: putOnce(fresh()) })).rejects.toThrow(/non-existent table/)
  })
})

test('a commit whose answer was lost is not committed twice', async () => {
  const counter = fresh({ amount: 1 })
  await put(table, counter)
  const add: Action = {
    kind: 'update',
    key: keyOf(counter),
    update: 'ADD amount :one',
    values: { ':one': 1 },
  }
  const { table: lossy, state } = scripted('lose the answer', 'lose the answer', 'send')
  // Without the ClientRequestToken the repeated putOnce would fail, and the addition count three times.
  const outcome = await transact(lossy, { once: putOnce(fresh()), counter: add })
  expect(outcome).toEqual({ ok: true })
  expect(state.sent).toBe(3)
  expect(await readItem(table, keyOf(counter))).toMatchObject({ amount: 2 })
})

test('the failed condition of a single write is told from other errors', () => {
  expect(isConditionFailed(new ConditionalCheckFailedException({ message: 'no', $metadata: {} }))).toBe(true)
  expect(isConditionFailed(canceled('ConditionalCheckFailed'))).toBe(false)
})
