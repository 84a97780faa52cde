import { randomBytes } from 'node:crypto'
import { eventEntry, SALT_BYTES } from '../../shared/domain/audit-entry.ts'
import { logOf } from '../../shared/domain/checkpoint.ts'
import type { Event } from '../../shared/domain/event.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { appendEntries } from '../../shared/store/append-to-log.ts'
import { fileTimer } from '../../shared/store/timer.ts'
import type { Action, Table } from '../../shared/store/transact.ts'

/** That a log grew and its checkpoint is to be signed; its subject is the name of the log. */
export const CHECKPOINT_TIMER = 'audit-checkpoint'

/**
 * Puts events of one log at its end, in their order; those that are in it already stay where they are. With each
 * transaction a timer says that there is something to sign: it is due at once, and the job that looks for it comes every
 * few minutes, so a log that grows all the time has its checkpoint put off no further than that.
 *
 * @param along what becomes true with each transaction
 * @returns how many are new
 */
export async function sequenceEvents(
  table: Table,
  events: readonly Event[],
  now: Instant,
  along: Readonly<Record<string, Action>> = {},
): Promise<number> {
  const [first] = events
  if (first === undefined) return 0
  const log = logOf(first.tenantId)
  const entries = events.map((event) => {
    if (logOf(event.tenantId) !== log) throw new RangeError('the events are of more than one log')
    const salt = randomBytes(SALT_BYTES)
    return { name: event.id, entry: eventEntry(event, salt), salt }
  })
  const timer = fileTimer({ kind: CHECKPOINT_TIMER, subject: [log], dueAt: now })
  return appendEntries(table, log, entries, { timer, ...along })
}
