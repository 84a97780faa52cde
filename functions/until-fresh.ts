import { isRefusal, type Refusal, refuse } from '../shared/domain/refusal.ts'

const ATTEMPTS = 6

/**
 * Repeats load, decide and commit while the resource was written in between (REVISION_OUTDATED), so that the decision
 * is always made on what is there: a caller that lost a race gets the same answer as one that came later. Not for
 * edits, whose caller named the revision they were made on.
 */
export async function untilFresh<T>(attempt: () => Promise<T | Refusal>): Promise<T | Refusal> {
  for (let tries = 1; ; tries += 1) {
    const result = await attempt()
    if (!isRefusal(result) || result.refused !== 'REVISION_OUTDATED' || tries === ATTEMPTS) return result
  }
}

/** The refusal of a commit whose license or usage was written by somebody else since it was read. */
export const outdated = refuse('REVISION_OUTDATED', 'The resource was changed at the same time.')
