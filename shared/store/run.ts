import * as z from 'zod'
import { DAY, epochSeconds, Instant, plusMilliseconds } from '../platform/time.ts'
import { entity } from './codec.ts'
import { LAST_SUCCESSES, lastSuccessKey, runKey } from './keys.ts'
import { readFirst, readItem, readRange } from './read.ts'
import type { Table } from './transact.ts'
import { writeRow } from './write.ts'

/** How long a run is remembered; the scheduler gives up on an event after a day. */
const REMEMBERED_FOR = 7 * DAY

/** One run of a job, known by the time it was scheduled for: how far it came, and that it is over. */
export const Run = z.strictObject({
  checked: z.int(),
  changed: z.int(),
  /** Where to go on. */
  from: z.record(z.string(), z.string()).optional(),
  finishedAt: Instant.optional(),
})
export type Run = z.infer<typeof Run>

export const runEntity = entity('run', 1, Run)

/** When a run of a job was last brought to its end. */
export const LastSuccess = z.strictObject({ job: z.string(), at: Instant })
export type LastSuccess = z.infer<typeof LastSuccess>

export const lastSuccessEntity = entity('last-success', 1, LastSuccess)

/** Of runs that end at the same time the later one counts. */
export async function rememberSuccess(table: Table, job: string, at: Instant): Promise<void> {
  const item = lastSuccessEntity.encode(lastSuccessKey(job), { job, at })
  await writeRow(table, {
    kind: 'put',
    item,
    condition: 'attribute_not_exists(pk) OR #at < :at',
    names: { '#at': 'at' },
    values: { ':at': at },
  })
}

/** Of each job that ever was brought to its end. */
export async function readLastSuccesses(table: Table): Promise<LastSuccess[]> {
  return (await readRange(table, { pk: LAST_SUCCESSES })).map(lastSuccessEntity.decode)
}

/** The run as far as it came, or a new one. */
export async function resumeRun(table: Table, job: string, scheduledAt: Instant): Promise<Run> {
  const item = await readItem(table, runKey(job, scheduledAt))
  return item === undefined ? { checked: 0, changed: 0 } : runEntity.decode(item)
}

/** Where the run before this one was given up: the pages behind have their turn before it is begun anew. */
export async function placeLeft(table: Table, job: string, scheduledAt: Instant): Promise<Run['from']> {
  const { pk, sk } = runKey(job, scheduledAt)
  const [item] = await readFirst(table, { pk, below: sk, newestFirst: true }, 1)
  return item && runEntity.decode(item).from
}

/** Notes how far a run came, or that it is over. */
export async function saveRun(table: Table, job: string, scheduledAt: Instant, run: Run): Promise<void> {
  const ttl = epochSeconds(plusMilliseconds(scheduledAt, REMEMBERED_FOR))
  await writeRow(table, { kind: 'put', item: runEntity.encode(runKey(job, scheduledAt), run, { ttl }) })
}
