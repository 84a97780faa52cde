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
export type Interposed = <T>(call: SdkCall, send: () => Promise<T>) => Promise<T>

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
  if (everywhere.size === 0) reachEveryClient()
  everywhere.add(by)
  return () => everywhere.delete(by)
}

const reached = new WeakSet<Client['middlewareStack']>()
let isReaching = false

function reachEveryClient(): void {
  if (isReaching) return
  isReaching = true
  const base: { send(this: Client, ...given: unknown[]): unknown } = Object.getPrototypeOf(
    DynamoDBClient.prototype,
  )
  const { send } = base
  base.send = function (...given) {
    if (!reached.has(this.middlewareStack)) {
      reached.add(this.middlewareStack)
      interpose(this, (call, go) => {
        let next = go
        for (const one of [...everywhere].toReversed()) {
          const inner = next
          next = () => one(call, inner)
        }
        return next()
      })
    }
    return send.apply(this, given)
  }
}
