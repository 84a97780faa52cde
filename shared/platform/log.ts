import type { Caller } from '../domain/access.ts'

/**
 * One line of log. The fields are a closed list, so that no header, key, token, body or address can get into a log by
 * accident. Lambda writes objects as JSON lines (LogFormat JSON), so there is no logger to load at a cold start.
 */
export type LogFields = {
  readonly requestId: string
  readonly operationId?: string | undefined
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly milliseconds?: number | undefined
  readonly callerKind?: Caller['kind'] | undefined
  readonly subject?: string | undefined
  readonly tenantId?: string | undefined
  readonly job?: string | undefined
  readonly counts?: Readonly<Record<string, number>> | undefined
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type Log = (level: LogLevel, message: string, fields: LogFields, cause?: unknown) => void

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

export function createLog(least: LogLevel): Log {
  return (level, message, fields, cause) => {
    if (RANK[level] < RANK[least]) return
    console[level]({ level, message, ...fields, ...(cause !== undefined && { cause: describe(cause) }) })
  }
}

/** The chain of causes, as text. */
function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const own = cause.stack ?? `${cause.name}: ${cause.message}`
  return cause.cause === undefined ? own : `${own}\ncaused by ${describe(cause.cause)}`
}
