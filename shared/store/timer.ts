import { createHash } from 'node:crypto'
import * as z from 'zod'
import { Instant } from '../platform/time.ts'
import { entity } from './codec.ts'
import { timerKey, timersOf } from './keys.ts'
import { readItem, readPages } from './read.ts'
import type { Action, Table } from './transact.ts'
import { writeRow } from './write.ts'

/** Each shard is a partition of the index, which takes 1,000 write units a second (AWS). */
export const TIMER_SHARDS = 8

/** That something becomes due. There is one per kind and subject; filing it again moves it. */
export const Timer = z.strictObject({
  /** What becomes due: `seat-reclaim`, … */
  kind: z.string(),
  /** Whose it is, in parts that hold no `#`. */
  subject: z.array(z.string()).min(1),
  dueAt: Instant,
  /** How far its work came. */
  place: z.record(z.string(), z.string()).optional(),
})
export type Timer = z.infer<typeof Timer>
type Put = Extract<Action, { kind: 'put' }>
type Whose = Pick<Timer, 'kind' | 'subject'>

export const timerEntity = entity('timer', 1, Timer)

/**
 * Files a timer, or moves it, whatever it was. It is filed for the earliest instant at which there could be something
 * to do; what keeps the subject alive meanwhile leaves it alone, and who finds it due and the subject alive files it anew.
 */
export function fileTimer(timer: Timer): Put {
  const { kind, subject, dueAt } = timer
  const indexes = { kindPk: timersOf(kind, shardOf(subject)), kindSk: `${dueAt}#${subject.join('#')}` }
  return { kind: 'put', item: timerEntity.encode(timerKey(kind, subject), timer, indexes) }
}

const asRead = ({ dueAt }: Timer) => ({ condition: 'dueAt = :dueAt', values: { ':dueAt': dueAt } })

/** Moves a timer that is as it was read. Whoever does this first has it; the others' condition fails. */
export const moveTimer = (timer: Timer, dueAt: Instant, place?: Timer['place']): Put => ({
  ...fileTimer({ kind: timer.kind, subject: timer.subject, dueAt, ...(place && { place }) }),
  ...asRead(timer),
})

/** Ends a timer that is as it was read. */
export const endTimer = (timer: Timer): Extract<Action, { kind: 'remove' }> => ({
  kind: 'remove',
  key: timerKey(timer.kind, timer.subject),
  ...asRead(timer),
})

/**
 * For work that is no transaction: takes a due timer until then, or not at all if somebody else did. Who does not end it
 * by then has failed, and it is due again.
 */
export async function claimTimer(table: Table, timer: Timer, until: Instant): Promise<Timer | undefined> {
  const moved = await writeRow(table, moveTimer(timer, until, timer.place))
  return moved ? { ...timer, dueAt: until } : undefined
}

/** The timer as it is, strongly consistent; one that comes from a list may have moved since. */
export async function readTimer(table: Table, { kind, subject }: Whose): Promise<Timer | undefined> {
  const item = await readItem(table, timerKey(kind, subject))
  return item && timerEntity.decode(item)
}

/**
 * Pages of timers that are due, the longest due first within each shard. It reads what is due and nothing else; the
 * index lags by a second or so, so one that was moved just now may come again.
 */
export async function* dueTimers(table: Table, kind: string, now: Instant): AsyncGenerator<Timer[]> {
  for (let shard = 0; shard < TIMER_SHARDS; shard += 1) {
    // `~` sorts after every subject, so what is due at this very instant is among them.
    const range = { index: 'kind', pk: timersOf(kind, shard), below: `${now}#~` } as const
    for await (const { items } of readPages(table, range))
      if (items.length > 0) yield items.map(timerEntity.decode)
  }
}

const shardOf = (subject: readonly string[]) =>
  (createHash('sha256').update(subject.join('#')).digest()[0] ?? 0) % TIMER_SHARDS
