// The process of one arm: what the Node.js runtime is on Lambda. It loads a bundle and calls its handler with events
// that come in as JSON and answers that leave as JSON. It imports nothing but types, so that a start is the bundle's own.
import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Answer, Effort, Task } from './arm-protocol.ts'

type Handle = (event: unknown, context: unknown) => unknown

/** API Gateway: 30 s a request, so that is what the function of a context has. */
const REQUEST_MILLISECONDS = 29_000

function contextFor(milliseconds: number) {
  const end = performance.now() + milliseconds
  return { getRemainingTimeInMillis: () => end - performance.now() }
}

// Lambda's runtime replaces the console (LogFormat JSON): an entry is a line of JSON. Node's own lays objects out for a
// reader, which costs a multiple.
function log(level: string) {
  return (message: unknown) => {
    const timestamp = performance.timeOrigin + performance.now()
    // What went wrong is to be seen, whoever else reads nothing.
    writeSync(level === 'ERROR' ? 2 : 1, `${JSON.stringify({ timestamp, level, message })}\n`)
  }
}
Object.assign(console, { debug: log('DEBUG'), info: log('INFO'), warn: log('WARN'), error: log('ERROR') })

function answer(message: Answer): void {
  process.send?.(message)
}

function handlerOf(bundle: unknown): Handle {
  const handler: unknown = typeof bundle === 'object' && bundle !== null && Reflect.get(bundle, 'handler')
  if (typeof handler !== 'function') throw new Error('the bundle exports no handler')
  return (event, context) => Reflect.apply(handler, undefined, [event, context])
}

async function invoke(handle: Handle, event: string): Promise<string> {
  const result: unknown = await handle(JSON.parse(event), contextFor(REQUEST_MILLISECONDS))
  const status: unknown = typeof result === 'object' && result !== null && Reflect.get(result, 'statusCode')
  const text = JSON.stringify(result)
  // A refusal is cheaper than an answer; it must not pass for one.
  if (typeof status !== 'number' || status >= 300) throw new Error(`the handler answered ${text}`)
  return text
}

async function run(handle: Handle, { events, calls, clients }: Task & { type: 'run' }): Promise<Effort> {
  let next = 0
  const client = async () => {
    while (next < calls) {
      const event = events[next % events.length] ?? ''
      next += 1
      await invoke(handle, event)
    }
  }
  const cpu = process.cpuUsage()
  const start = performance.now()
  await Promise.all(Array.from({ length: clients }, client))
  const wall = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { wall: (wall * 1000) / calls, cpu: (user + system) / calls }
}

async function deliver(handle: Handle, { event, milliseconds }: Task & { type: 'job' }): Promise<Answer> {
  try {
    await handle(JSON.parse(event), contextFor(milliseconds))
    return { type: 'delivered' }
  } catch (error) {
    return { type: 'delivered', failure: error instanceof Error ? error.message : String(error) }
  }
}

async function perform(handle: Handle, task: Task): Promise<Answer> {
  try {
    // libuv: in kilobytes.
    if (task.type === 'memory') return { type: 'peak', bytes: process.resourceUsage().maxRSS * 1024 }
    if (task.type === 'job') return await deliver(handle, task)
    if (task.type === 'run') return { type: 'ran', effort: await run(handle, task) }
    const start = performance.now()
    const result = await invoke(handle, task.event)
    return { type: 'invoked', result, milliseconds: performance.now() - start }
  } catch (error) {
    return { type: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

const file = pathToFileURL(process.argv[2] ?? '').href
const start = performance.now()
const loaded: unknown = await import(file)
const importMilliseconds = performance.now() - start
const handle = handlerOf(loaded)
// Connections to DynamoDB would keep it alive after whoever asked is gone.
process.on('disconnect', () => process.exit())
process.on('message', (task: Task) => void perform(handle, task).then(answer))
answer({ type: 'ready', importMilliseconds })
