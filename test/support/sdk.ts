import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

/** A call to AWS as an SDK client is about to put it on the network; the SDK's own tries are around it. */
export type SdkCall = {
  /** `UpdateItemCommand`, `SignCommand`, … */
  readonly command: string
  /** As it is sent: rows of DynamoDB with their types. */
  readonly input: unknown
}

/** Stands between an SDK client and the network. */
type Interposed = <T>(call: SdkCall, send: () => Promise<T>) => Promise<T>

/** As all clients of the SDK have it. */
type Client = Pick<DynamoDBDocumentClient, 'middlewareStack'>

/** Puts something between one client and the network: the innermost step, where the SDK has it for an answer. */
export function interpose({ middlewareStack }: Client, by: Interposed): void {
  middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) =>
        by({ command: commandName, input: args.input }, () => next(args)),
    { step: 'deserialize', priority: 'high' },
  )
}

const everywhere = new Set<Interposed>()

/**
 * Puts something between every client of this process, also those to come, and the network; what is put last is next to
 * the network. Undone by calling what it returns.
 */
export function interposeAll(by: Interposed): () => void {
  changeEveryClient(interposeEverywhere)
  everywhere.add(by)
  return () => everywhere.delete(by)
}

function interposeEverywhere(client: Client): void {
  interpose(client, (call, go) => {
    let next = go
    for (const one of [...everywhere].toReversed()) {
      const inner = next
      next = () => one(call, inner)
    }
    return next()
  })
}

/** Who asks, as Signature Version 4 says it; of what follows nothing is looked at here. */
const AUTHORIZATION =
  'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0'

/**
 * Has clients of this process send their requests unsigned: neither DynamoDB Local nor the KMS of tests looks at
 * signatures, and making them is a tenth of what a test's process does. What is bundled signs, in the local stack, too.
 */
export function signNothing(): void {
  changeEveryClient(leaveUnsigned)
}

function leaveUnsigned({ middlewareStack }: Client): void {
  if (!middlewareStack.remove('httpSigningMiddleware')) return
  middlewareStack.add(
    (next) => (args) => {
      Object(args.request).headers['authorization'] = AUTHORIZATION
      return next(args)
    },
    { step: 'finalizeRequest', priority: 'low' },
  )
}

const changes = new Set<(client: Client) => void>()
const changed = new WeakMap<Client['middlewareStack'], Set<(client: Client) => void>>()

/** Makes a change of each client, before its next call. */
function changeEveryClient(change: (client: Client) => void): void {
  if (changes.size === 0) reachEveryClient()
  changes.add(change)
}

function reachEveryClient(): void {
  const base: { send(this: Client, ...given: unknown[]): unknown } = Object.getPrototypeOf(
    DynamoDBClient.prototype,
  )
  const { send } = base
  base.send = function (...given) {
    const made = changed.get(this.middlewareStack) ?? new Set()
    changed.set(this.middlewareStack, made)
    for (const change of changes)
      if (!made.has(change)) {
        made.add(change)
        change(this)
      }
    return send.apply(this, given)
  }
}
