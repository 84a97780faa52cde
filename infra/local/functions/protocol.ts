/** What the thread of a function is told at its start. */
export type Boot = {
  readonly file: string
  readonly exportName: string
  readonly context: {
    readonly functionName: string
    readonly functionVersion: string
    readonly invokedFunctionArn: string
    readonly memoryLimitInMB: string
    readonly logGroupName: string
    readonly logStreamName: string
  }
}

export type Invocation = {
  readonly id: string
  /** JSON, as Lambda has it: nothing but JSON gets in or out. */
  readonly event: string
  readonly timeoutMilliseconds: number
}

/** An error in the form in which Lambda answers it to a caller. */
export type ErrorReport = {
  readonly errorType: string
  readonly errorMessage: string
  readonly trace: readonly string[]
}

/** What the thread answers; `ready` or `broken` once, then one `done` or `failed` per invocation. */
export type Message =
  | { readonly type: 'ready' }
  | { readonly type: 'broken'; readonly error: ErrorReport }
  | { readonly type: 'done'; readonly id: string; readonly payload: string }
  | { readonly type: 'failed'; readonly id: string; readonly error: ErrorReport }

export function reportOf(error: unknown): ErrorReport {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] }
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] }
}
