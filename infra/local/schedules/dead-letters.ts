import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Instant, readClock } from '../../../shared/platform/time.ts'

/** What nobody could process, and why. */
export type DeadLetter = {
  readonly at: Instant
  readonly queue: string | undefined
  readonly schedule: string
  readonly scheduledTime: string
  readonly attempts: number
  readonly error: string
  readonly input: string
}

const FILE = 'dead-letters.jsonl'

/** What a dead-letter queue is here: a line on the console and one in a file. Without a queue the line is all there is. */
export function recordDeadLetter(
  folder: string,
  print: (line: string) => void,
  letter: Omit<DeadLetter, 'at'>,
): DeadLetter {
  const recorded = { at: readClock(), ...letter }
  const attempts = letter.attempts === 1 ? '1 attempt' : `${letter.attempts} attempts`
  const fate =
    letter.queue === undefined ? 'dropped, it has no dead-letter queue' : `dead letter in ${letter.queue}`
  print(`Schedule ${letter.schedule} failed after ${attempts} (${fate}): ${letter.error}`)
  if (letter.queue !== undefined)
    appendFileSync(join(folder, FILE), `${JSON.stringify(recorded)}\n`, { mode: 0o600 })
  return recorded
}
