import { type Refusal, refuse } from '../shared/domain/refusal.ts'
import { pause } from '../shared/store/pause.ts'

const ATTEMPTS = 8

/**
 * Repeats load, decide and commit while the resource was written in between (`outdated`), so that the decision is always
 * made on what is there: a caller that lost a race gets the same answer as one that came later. An edit whose caller
 * named another revision is `stale`, which is an answer.
 *
 * @returns CONTENDED if others were faster each time
 */
export async function untilFresh<T>(attempt: () => Promise<T | Refusal>): Promise<T | Refusal> {
  for (let tries = 1; ; tries += 1) {
    const result = await attempt()
    if (result !== outdated) return result
    if (tries === ATTEMPTS) return contended
    if (tries > 1) await pause(tries)
  }
}

/** The refusal of a commit whose license or usage was written by somebody else since it was read: try again. */
export const outdated = refuse('REVISION_OUTDATED', 'The resource was changed at the same time.')

/** The refusal of an edit that was made on another revision than the present one. */
export const stale = refuse('REVISION_OUTDATED', 'It was changed since the revision that If-Match names.')

/** The refusal of what was tried too often: others were faster each time. */
export const contended = refuse('CONTENDED', 'Others changed the same resource each time this was tried.', {
  retryAfter: 1,
})
