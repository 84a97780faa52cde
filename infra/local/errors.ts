/**
 * Something on this machine keeps the local stack from starting. The message is one sentence for the person at the
 * keyboard: what is wrong and what to do about it.
 */
export class LocalStackError extends Error {
  override name = 'LocalStackError'
}

/** What a thrown value says of itself. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The system's name of an error, such as `EADDRINUSE` or `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
