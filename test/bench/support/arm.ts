import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import * as z from 'zod'
import type { Answer, Effort, Task } from './arm-protocol.ts'

/** A function under measurement, in a process of its own with nothing but its own environment. */
export type Arm = {
  readonly importMilliseconds: number
  /** One call; throws unless it succeeds. */
  invoke(event: string): Promise<{ readonly body: unknown; readonly milliseconds: number }>
  /** `calls` calls by `clients` clients at once, each with the next of the events. */
  run(events: readonly string[], calls: number, clients: number): Promise<Effort>
  /** A delivery of the scheduler; why it is to be delivered again, if it is. */
  deliver(event: object, milliseconds: number): Promise<string | undefined>
  /** The most memory that the process ever had, in bytes. */
  peak(): Promise<number>
  stop(): Promise<void>
}

type ArmOptions = {
  readonly bundle: string
  readonly environment: Readonly<Record<string, string>>
  /** Flags of Node.js. */
  readonly flags?: readonly string[]
}

const Result = z.object({ body: z.string() })

export async function startArm({ bundle, environment, flags = [] }: ArmOptions): Promise<Arm> {
  const child = fork(join(import.meta.dirname, 'arm-process.ts'), [bundle], {
    env: environment,
    execArgv: [...flags],
    // Its log lines are written, as on Lambda, and read by nobody.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ready = await nextAnswer(child)
  if (ready.type !== 'ready') throw new Error(`${bundle} did not load`)

  async function ask(task: Task): Promise<Answer> {
    const answer = nextAnswer(child)
    child.send(task)
    const got = await answer
    if (got.type === 'failed') throw new Error(`${bundle}: ${got.reason}`)
    return got
  }

  return {
    importMilliseconds: ready.importMilliseconds,
    async invoke(event) {
      const answer = await ask({ type: 'invoke', event })
      if (answer.type !== 'invoked') throw new TypeError(`unexpected answer ${answer.type}`)
      const { body } = Result.parse(JSON.parse(answer.result))
      return { body: JSON.parse(body), milliseconds: answer.milliseconds }
    },
    async run(events, calls, clients) {
      const answer = await ask({ type: 'run', events, calls, clients })
      if (answer.type !== 'ran') throw new TypeError(`unexpected answer ${answer.type}`)
      return answer.effort
    },
    async deliver(event, milliseconds) {
      const answer = await ask({ type: 'job', event: JSON.stringify(event), milliseconds })
      if (answer.type !== 'delivered') throw new TypeError(`unexpected answer ${answer.type}`)
      return answer.failure
    },
    async peak() {
      const answer = await ask({ type: 'memory' })
      if (answer.type !== 'peak') throw new TypeError(`unexpected answer ${answer.type}`)
      return answer.bytes
    },
    async stop() {
      const gone = once(child, 'exit')
      child.disconnect()
      await gone
    },
  }
}

function nextAnswer(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const exited = () => reject(new Error('the process of an arm ended'))
    child.once('exit', exited)
    child.once('message', (answer: Answer) => {
      child.off('exit', exited)
      resolve(answer)
    })
  })
}
