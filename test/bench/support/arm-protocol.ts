/** What an arm's process is asked, one thing at a time. */
export type Task =
  | { readonly type: 'invoke'; readonly event: string }
  /** A delivery of the scheduler, with so many milliseconds left. */
  | { readonly type: 'job'; readonly event: string; readonly milliseconds: number }
  | { readonly type: 'memory' }
  /** `calls` calls by `clients` loops at once, each with the next of the events. */
  | {
      readonly type: 'run'
      readonly events: readonly string[]
      readonly calls: number
      readonly clients: number
    }

/** Per call, in microseconds: `cpu` is that of the whole process, its compiler and garbage collector included. */
export type Effort = { readonly wall: number; readonly cpu: number }

/** What it answers: `ready` once at its start, then one answer per task. */
export type Answer =
  | { readonly type: 'ready'; readonly importMilliseconds: number }
  | { readonly type: 'invoked'; readonly result: string; readonly milliseconds: number }
  | { readonly type: 'ran'; readonly effort: Effort }
  /** Done, or cut off and to be delivered again. */
  | { readonly type: 'delivered'; readonly failure?: string }
  /** The most that the process ever had, in bytes. */
  | { readonly type: 'peak'; readonly bytes: number }
  | { readonly type: 'failed'; readonly reason: string }
