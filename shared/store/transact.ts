import {
  type CancellationReason,
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb'
import {
  type DynamoDBDocumentClient,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb'
import type { Item } from './codec.ts'
import type { Key } from './keys.ts'
import { pause } from './pause.ts'

/** A table and the client that reaches it. */
export type Table = { readonly client: DynamoDBDocumentClient; readonly name: string }

type Condition = {
  condition?: string
  names?: Record<string, string>
  values?: Record<string, unknown>
}

/** One write of a transaction. A failed condition is told by the label it was given. */
export type Action =
  | ({ kind: 'put'; item: Item } & Condition)
  | ({ kind: 'update'; key: Key; update: string } & Condition)
  | ({ kind: 'remove'; key: Key } & Condition)
  | ({ kind: 'check'; key: Key; condition: string } & Condition)

export type Put = Extract<Action, { kind: 'put' }>
export type Update = Extract<Action, { kind: 'update' }>
export type Remove = Extract<Action, { kind: 'remove' }>

export const putOnce = (item: Item): Put => ({ kind: 'put', item, condition: 'attribute_not_exists(pk)' })

/** Replaces an item only if it still has the version it was read with; puts it once where it had none. */
export const putVersion = (item: Item, version: number | undefined): Put =>
  version === undefined
    ? putOnce(item)
    : { kind: 'put', item, condition: 'version = :version', values: { ':version': version } }

/** Replaces an item only if it still has the revision it was read with. */
export const putRevision = (item: Item, revision: number): Put => ({
  kind: 'put',
  item,
  condition: 'revision = :revision',
  values: { ':revision': revision },
})

/** The item must be there and not be archived. */
export const checkLive = (key: Key): Action => ({
  kind: 'check',
  key,
  condition: 'attribute_exists(pk) AND attribute_not_exists(archivedAt)',
})

type Outcome<Label extends string> = { ok: true } | { ok: false; failed: Label[] }

/** AWS: at most 100 items in a transaction. */
export const TRANSACTION_LIMIT = 100
const ATTEMPTS = 8

/**
 * Writes all or nothing. Resolves with the labels whose conditions failed; a conflict with another transaction is tried
 * again (a conflict says nothing about the conditions) and thrown if it persists. The SDK repeats a timed-out call with
 * the same ClientRequestToken, so a commit whose answer was lost is not committed twice.
 */
export async function transact<Label extends string>(
  { client, name }: Table,
  actions: Readonly<Record<Label, Action>>,
): Promise<Outcome<Label>> {
  const labels = Object.keys(actions).filter((label): label is Label => label in actions)
  if (labels.length === 0) return { ok: true }
  const items = labels.map((label) => request(name, actions[label]))
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.send(new TransactWriteCommand({ TransactItems: items }))
      return { ok: true }
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error
      const reasons = error.CancellationReasons ?? []
      const failed = labels.filter((_, index) => reasons[index]?.Code === 'ConditionalCheckFailed')
      if (failed.length > 0) return { ok: false, failed }
      if (attempt === ATTEMPTS || !reasons.every(isTransient)) throw error
      await pause(attempt)
    }
  }
}

const TRANSIENT: ReadonlySet<string | undefined> = new Set([
  'None',
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
])
const isTransient = (reason: CancellationReason) => TRANSIENT.has(reason.Code)

/**
 * Sends a write by itself. A transaction on the same item at the same time says nothing about the write's condition, and
 * the SDK does not try again by itself: it is waited for, and thrown if it persists.
 */
export async function sendAlone<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof TransactionConflictException) || attempt === ATTEMPTS) throw error
      await pause(attempt)
    }
  }
}

/** Is this the failed condition of a single write? */
export function isConditionFailed(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof ConditionalCheckFailedException
}

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number]

function request(table: string, action: Action): TransactItem {
  const condition = {
    TableName: table,
    ...(action.condition && { ConditionExpression: action.condition }),
    ...(action.names && { ExpressionAttributeNames: action.names }),
    ...(action.values && { ExpressionAttributeValues: action.values }),
  }
  switch (action.kind) {
    case 'put':
      return { Put: { ...condition, Item: action.item } }
    case 'update':
      return { Update: { ...condition, Key: action.key, UpdateExpression: action.update } }
    case 'remove':
      return { Delete: { ...condition, Key: action.key } }
    case 'check':
      return { ConditionCheck: { ...condition, Key: action.key, ConditionExpression: action.condition } }
  }
}
