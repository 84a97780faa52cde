import { DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** A call to AWS as an SDK client is about to put it on the network; the SDK's own tries are around it. */
export type SdkCall = {
  /** `UpdateItemCommand`, `SignCommand`, … */
  readonly command: string
  /** As it is sent: rows of DynamoDB with their types. */
  readonly input: unknown
}

/** Stands between an SDK client and the network. */
export type Interposed = <T>(call: SdkCall, send: () => Promise<T>) => Promise<T>

type Next = (args: { readonly input: unknown }) => Promise<unknown>
type Stack = {
  add(
    middleware: (next: Next, context: { readonly commandName?: string }) => Next,
    options: { readonly step: 'deserialize'; readonly priority: 'high' },
  ): void
}

/** Puts something between one client and the network: the innermost step, where the SDK has it for an answer. */
export function interpose({ middlewareStack }: { readonly middlewareStack: Stack }, by: Interposed): void {
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

const reached = new WeakSet<Stack>()
let isReaching = false

function reachEveryClient(): void {
  if (isReaching) return
  isReaching = true
  const base: { send(this: { middlewareStack: Stack }, ...given: unknown[]): unknown } =
    Object.getPrototypeOf(DynamoDBClient.prototype)
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
