import { Sandbox, type SandboxOptions } from './sandbox.ts'

/** A function of the template, started at its first event, as Lambda does. */
export class LocalFunction {
  readonly logicalId: string
  readonly name: string
  readonly environment: Readonly<Record<string, string>>
  private readonly options: SandboxOptions
  private readonly sandboxes = new Set<Sandbox>()
  private current: Sandbox | undefined
  private closed = false

  constructor(logicalId: string, options: SandboxOptions) {
    this.logicalId = logicalId
    this.name = options.boot.context.functionName
    this.environment = options.environment
    this.options = options
  }

  /**
   * Runs the function for an event given as JSON and answers with what it returned, as JSON.
   *
   * @throws FunctionError when it throws, crashes or runs out of time
   */
  async invoke(event: string): Promise<string> {
    if (this.closed) throw new Error('The local stack is closed')
    const sandbox = this.current === undefined || this.current.retired ? this.newSandbox() : this.current
    this.current = sandbox
    return sandbox.run(event)
  }

  async close(): Promise<void> {
    this.closed = true
    await Promise.all([...this.sandboxes].map((sandbox) => sandbox.close()))
  }

  private newSandbox(): Sandbox {
    const sandbox = new Sandbox(this.options)
    this.sandboxes.add(sandbox)
    void sandbox.exited.then(() => this.sandboxes.delete(sandbox))
    return sandbox
  }
}
