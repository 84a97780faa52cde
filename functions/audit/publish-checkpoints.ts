import { checkpointText, type LogName, LogName as LogNameSchema } from '../../shared/domain/checkpoint.ts'
import { verifyCheckpoint } from '../../shared/platform/signing/note.ts'
import { readClock } from '../../shared/platform/time.ts'
import { appendEntries, type NewEntry } from '../../shared/store/append-to-log.ts'
import {
  readCheckpoint,
  readPlace,
  removeUnanchored,
  seenHead,
  unanchoredEntity,
  unanchoredRange,
} from '../../shared/store/audit-log.ts'
import { readableOf } from '../../shared/store/codec.ts'
import { readPages } from '../../shared/store/read.ts'
import { endTimer } from '../../shared/store/timer.ts'
import { transact } from '../../shared/store/transact.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Delivery, type JobRun, runJob } from '../job.ts'
import { CHECKPOINT_TIMER } from '../logs/sequence-events.ts'
import { sweep } from '../sweep.ts'
import { InconsistentLogError, publish } from './publish.ts'
import { noteKeyOf, type PublishServices } from './services.ts'

/** Signs what grew, puts what was signed into the log of all checkpoints, and signs that. */
export function publishCheckpoints(delivery: Delivery, services: PublishServices): Promise<void> {
  return runJob('publishCheckpoints', delivery, services, async (run) => {
    const { requestId } = run
    await sweep(CHECKPOINT_TIMER, run, services, async (timer, now) => {
      const log = LogNameSchema.parse(timer.subject[0])
      const published = await publish(log, { now, requestId }, services)
      const size = published?.checkpoint.size ?? 0
      // A log that grew since stays due.
      await transact(services.table, { timer: endTimer(timer), head: seenHead(log, { size }) })
      return published?.isNew ? 1 : 0
    })
    const wrong = await anchor(run, services)
    const all = await publish('checkpoints', { now: readClock(), requestId }, services)
    run.count(0, all?.isNew ? 1 : 0)
    if (wrong.length > 0)
      throw new AggregateError(wrong, `${wrong.length} checkpoints are not what was signed`)
  })
}

/** The name of a checkpoint in the log of all of them. */
export const checkpointName = (origin: string, size: number) => `${origin} ${size}`

/** Every signed checkpoint becomes an entry of the log of all of them, once. @returns why some could not */
async function anchor(run: JobRun, services: PublishServices): Promise<readonly unknown[]> {
  const { table, log } = services
  const wrong: unknown[] = []
  for await (const { items } of readPages(table, unanchoredRange)) {
    const waiting = readableOf(items, unanchoredEntity, (error) => {
      wrong.push(error)
      log('error', 'checkpoint', { requestId: run.requestId, job: run.job }, error)
    })
    const entries: NewEntry[] = []
    for (const one of waiting) {
      try {
        const entry = await entryOf(one.log, one.size, services)
        if ((await readPlace(table, 'checkpoints', entry.name)) === undefined) entries.push(entry)
        else await writeRow(table, removeUnanchored(one.log, one.size))
      } catch (error) {
        // The others go on.
        wrong.push(error)
        log('error', 'checkpoint', { requestId: run.requestId, job: run.job, subject: one.log }, error)
      }
    }
    run.count(0, await appendEntries(table, 'checkpoints', entries))
    await run.checkTime()
  }
  return wrong
}

/** Nothing but what was signed comes into that log. */
async function entryOf(log: LogName, size: number, services: PublishServices): Promise<NewEntry> {
  const kept = await readCheckpoint(services.table, log, size)
  const signed = kept && verifyCheckpoint(kept.note, noteKeyOf(log, services))
  if (signed?.size !== size)
    throw new InconsistentLogError(`the checkpoint of ${log} of size ${size} is not what was signed`)
  return {
    name: checkpointName(signed.origin, size),
    entry: Buffer.from(checkpointText(signed)),
    along: removeUnanchored(log, size),
  }
}
