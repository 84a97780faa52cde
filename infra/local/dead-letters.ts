import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Instant, readClock } from '../../shared/platform/time.ts'

/** What nobody could process, and why; whoever gives up adds what it was. */
type Letter = {
  readonly queue: string | undefined
  readonly attempts: number
  readonly error: string
}

const FILE = 'dead-letters.jsonl'

/**
 * What a dead-letter queue is here: a line on the console and one in a file. Without a queue the line is all there is.
 *
 * @param what failed, as the subject of a sentence
 */
export function recordDeadLetter<L extends Letter>(
  folder: string,
  print: (line: string) => void,
  what: string,
  letter: L,
): L & { readonly at: Instant } {
  const recorded = { at: readClock(), ...letter }
  const { queue, error } = letter
  const attempts = letter.attempts === 1 ? '1 attempt' : `${letter.attempts} attempts`
  const fate = queue === undefined ? 'dropped, it has no dead-letter queue' : `dead letter in ${queue}`
  print(`${what} failed after ${attempts} (${fate}): ${error}`)
  if (queue !== undefined)
    appendFileSync(join(folder, FILE), `${JSON.stringify(recorded)}\n`, { mode: 0o600 })
  return recorded
}
