// The thread of one function: what the Node.js runtime is on Lambda. It loads the bundle once and runs the handler for
// each event. It imports nothing but types and the protocol, so that a cold start is the function's own.
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { parentPort, workerData } from 'node:worker_threads'
import { type Boot, type Invocation, type Message, reportOf } from './protocol.ts'

const boot: Boot = workerData

// One line for each entry of the log, as in CloudWatch.
inspect.defaultOptions.breakLength = Number.POSITIVE_INFINITY
inspect.defaultOptions.compact = true

function send(message: Message): void {
  parentPort?.postMessage(message)
}

async function loadHandler(): Promise<(event: unknown, context: unknown) => unknown> {
  const loaded: unknown = await import(pathToFileURL(boot.file).href)
  const handler: unknown =
    typeof loaded === 'object' && loaded !== null && Reflect.get(loaded, boot.exportName)
  if (typeof handler !== 'function') {
    throw new Error(`${boot.file} exports no function named ${boot.exportName}`)
  }
  return (event, context) => Reflect.apply(handler, undefined, [event, context])
}

function contextOf({ id, timeoutMilliseconds }: Invocation) {
  const deadline = performance.now() + timeoutMilliseconds
  return {
    ...boot.context,
    awsRequestId: id,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, Math.ceil(deadline - performance.now())),
  }
}

try {
  const handler = await loadHandler()
  parentPort?.on('message', async (invocation: Invocation) => {
    const { id } = invocation
    try {
      const result = await handler(JSON.parse(invocation.event), contextOf(invocation))
      send({ type: 'done', id, payload: JSON.stringify(result) ?? 'null' })
    } catch (error) {
      console.error('Invoke Error', error)
      send({ type: 'failed', id, error: reportOf(error) })
    }
  })
  send({ type: 'ready' })
} catch (error) {
  send({ type: 'broken', error: reportOf(error) })
}
