import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { type Boot, type ErrorReport, type Invocation, type Message, reportOf } from './protocol.ts'

/** Lambda gives ten seconds to load a function; a developer's machine with other work to do may be slower. */
const INIT_MILLISECONDS = 30_000

/** The function threw, crashed, or ran out of time. */
export class FunctionError extends Error {
  override name = 'FunctionError'
  readonly report: ErrorReport
  constructor(report: ErrorReport) {
    super(`${report.errorType}: ${report.errorMessage}`)
    this.report = report
  }
}

type Pending = { resolve(payload: string): void; reject(error: FunctionError): void; timer: NodeJS.Timeout }

export type SandboxOptions = {
  readonly boot: Boot
  readonly environment: Readonly<Record<string, string>>
  readonly timeoutMilliseconds: number
  /** Receives each line the function prints. */
  readonly print: (line: string) => void
}

/**
 * One thread that runs one function, with its own environment. Unlike Lambda's, it takes several events at a time.
 * One that can no longer be trusted (timed out, crashed) is retired: it finishes what it has and gets nothing new.
 */
export class Sandbox {
  private readonly worker: Worker
  private readonly options: SandboxOptions
  private readonly pending = new Map<string, Pending>()
  private readonly ready = Promise.withResolvers<void>()
  /** Settles when the thread is gone. */
  readonly exited: Promise<void>
  retired = false

  constructor(options: SandboxOptions) {
    this.options = options
    this.worker = new Worker(join(import.meta.dirname, 'worker.ts'), {
      workerData: options.boot,
      env: { ...options.environment },
      // Flags of this process, a test runner's for example, are not the function's.
      execArgv: [],
      stdout: true,
      stderr: true,
    })
    for (const stream of [this.worker.stdout, this.worker.stderr]) {
      createInterface({ input: stream }).on('line', options.print)
    }
    const init = setTimeout(
      () => this.end(report('Sandbox.Timedout', `Init timed out after ${INIT_MILLISECONDS / 1000} seconds`)),
      INIT_MILLISECONDS,
    )
    const initialized = () => clearTimeout(init)
    // Whoever waits hears of a failure; when nobody does, it is no unhandled rejection.
    this.ready.promise.then(initialized, initialized)
    this.worker.on('message', (message: Message) => this.receive(message))
    this.worker.on('error', (error) => this.crash(reportOf(error)))
    this.exited = new Promise((resolve) => {
      this.worker.on('exit', () => {
        this.end(report('Runtime.ExitError', 'Runtime exited without providing a reason'))
        resolve()
      })
    })
  }

  /**
   * Runs the handler for one event and answers with what it returned, both as JSON.
   *
   * @throws FunctionError when the handler throws, the thread dies, or the function's time is over
   */
  async run(event: string): Promise<string> {
    await this.ready.promise
    const { timeoutMilliseconds } = this.options
    const id = randomUUID()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.timeOut(id), timeoutMilliseconds)
      this.pending.set(id, { resolve, reject, timer })
      this.worker.postMessage({ id, event, timeoutMilliseconds } satisfies Invocation)
    })
  }

  async close(): Promise<void> {
    this.end(report('Sandbox.Closed', 'The local stack is closing'))
    await this.worker.terminate()
  }

  private receive(message: Message): void {
    switch (message.type) {
      case 'ready':
        this.ready.resolve()
        break
      case 'broken':
        this.crash(message.error)
        break
      case 'done':
        this.take(message.id)?.resolve(message.payload)
        break
      case 'failed':
        this.take(message.id)?.reject(new FunctionError(message.error))
        break
    }
  }

  private timeOut(id: string): void {
    const seconds = (this.options.timeoutMilliseconds / 1000).toFixed(2)
    const message = `Task timed out after ${seconds} seconds`
    this.options.print(`${id} ${message}`)
    this.retired = true
    this.take(id)?.reject(new FunctionError(report('Sandbox.Timedout', `RequestId: ${id} Error: ${message}`)))
  }

  /** What a dying thread prints is lost with it, so its last words are printed here. */
  private crash(error: ErrorReport): void {
    for (const line of error.trace.length > 0 ? error.trace : [error.errorMessage]) this.options.print(line)
    this.end(error)
  }

  private take(id: string): Pending | undefined {
    const pending = this.pending.get(id)
    this.pending.delete(id)
    clearTimeout(pending?.timer)
    if (this.retired && this.pending.size === 0) void this.worker.terminate()
    return pending
  }

  private end(error: ErrorReport): void {
    this.retired = true
    this.ready.reject(new FunctionError(error))
    for (const id of this.pending.keys()) this.take(id)?.reject(new FunctionError(error))
    void this.worker.terminate()
  }
}

const report = (errorType: string, errorMessage: string): ErrorReport => ({
  errorType,
  errorMessage,
  trace: [],
})
