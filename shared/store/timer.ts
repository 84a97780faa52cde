import { createHash } from 'node:crypto'
import * as z from 'zod'
import { Instant, MINUTE, plusMilliseconds } from '../platform/time.ts'
import { CorruptItemError, entity, type Item } from './codec.ts'
import { KIND, timerKey, timersOf } from './keys.ts'
import { readItem, readPages } from './read.ts'
import type { Put, Remove, Table, Update } from './transact.ts'
import { writeRow } from './write.ts'

/** Each shard is a partition of the index, which takes 1,000 write units a second (AWS). */
const TIMER_SHARDS = 8

/** That something becomes due. There is one per kind and subject; filing it again moves it. */
export const Timer = z.strictObject({
  /** What becomes due: `seat-reclaim`, … */
  kind: z.string(),
  /** Whose it is, in parts that hold no `#`. */
  subject: z.array(z.string()).min(1),
  dueAt: Instant,
  /** How far its work came. */
  place: z.record(z.string(), z.string()).optional(),
  /** That its work failed, how often in a row and why the last time. */
  failed: z
    .strictObject({
      times: z.int().positive(),
      reason: z.string(),
      at: Instant,
      /** It failed so often that it is not tried any more, until somebody says so or it is filed anew. */
      isSetAside: z.literal(true).optional(),
    })
    .optional(),
})
export type Timer = z.infer<typeof Timer>
type Whose = Pick<Timer, 'kind' | 'subject'>

export const timerEntity = entity('timer', 1, Timer)

/**
 * Files a timer, or moves it, whatever it was. It is filed for the earliest instant at which there could be something
 * to do; what keeps the subject alive meanwhile leaves it alone, and who finds it due and the subject alive files it anew.
 */
export function fileTimer(timer: Timer): Put {
  const { kind, subject, dueAt, failed } = timer
  const indexes = failed?.isSetAside
    ? { kindPk: KIND.setAsideTimers, kindSk: [failed.at, kind, ...subject].join('#') }
    : { kindPk: timersOf(kind, shardOf(subject)), kindSk: `${dueAt}#${subject.join('#')}` }
  return { kind: 'put', item: timerEntity.encode(timerKey(kind, subject), timer, indexes) }
}

const asRead = ({ dueAt }: Timer) => ({ condition: 'dueAt = :dueAt', values: { ':dueAt': dueAt } })

/** Waits before its work is tried again, in minutes. What fails once more is set aside: by then it has for nine hours. */
const PATIENCE = [1, 5, 30, 120, 360]

/**
 * After its work failed: tries it later, or sets it aside. One that was moved since it was found due comes at its own time.
 *
 * @param timer as it is now
 */
export function setBackTimer(timer: Timer, found: Timer, reason: string, now: Instant): Put {
  const times = (timer.failed?.times ?? 0) + 1
  const wait = PATIENCE[times - 1]
  const isMoved = timer.dueAt !== found.dueAt
  return {
    ...fileTimer({
      ...timer,
      dueAt: isMoved || wait === undefined ? timer.dueAt : plusMilliseconds(now, wait * MINUTE),
      failed: { times, reason: reason.slice(0, 500), at: now, ...(!wait && { isSetAside: true as const }) },
    }),
    ...asRead(timer),
  }
}

/** Moves a timer that is as it was read. Whoever does this first has it; the others' condition fails. */
export const moveTimer = (timer: Timer, dueAt: Instant, place?: Timer['place']): Put => ({
  ...fileTimer({ kind: timer.kind, subject: timer.subject, dueAt, ...(place && { place }) }),
  ...asRead(timer),
})

/** Ends a timer that is as it was read. */
export const endTimer = (timer: Timer): Remove => ({
  kind: 'remove',
  key: timerKey(timer.kind, timer.subject),
  ...asRead(timer),
})

/**
 * For work that is no transaction: takes a due timer until then, or not at all if somebody else did. Who does not end it
 * by then has failed, and it is due again.
 */
export async function claimTimer(table: Table, timer: Timer, until: Instant): Promise<Timer | undefined> {
  const claimed = { ...timer, dueAt: until }
  // What failed before stays known: it may fail again.
  return (await writeRow(table, { ...fileTimer(claimed), ...asRead(timer) })) ? claimed : undefined
}

/** The timer as it is, strongly consistent; one that comes from a list may have moved since. */
export async function readTimer(table: Table, { kind, subject }: Whose): Promise<Timer | undefined> {
  const item = await readItem(table, timerKey(kind, subject))
  return item && timerEntity.decode(item)
}

/**
 * Pages of timers that are due, the longest due first within each shard. It reads what is due and nothing else; the
 * index lags by a second or so, so one that was moved just now may come again.
 *
 * @param onUnreadable told of a row that is none: it keeps none of the others from being done
 */
export async function* dueTimers(
  table: Table,
  kind: string,
  now: Instant,
  onUnreadable: (row: Item, error: CorruptItemError) => Promise<void>,
): AsyncGenerator<Timer[]> {
  // `~` sorts after every subject, so what is due at this very instant is among them.
  const below = `${now}#~`
  const shards = Array.from({ length: TIMER_SHARDS }, (_, shard) =>
    readPages(table, { index: 'kind', pk: timersOf(kind, shard), below }),
  )
  // Mostly nothing is due: one wait and not eight.
  const first = await Promise.all(shards.map((pages) => pages.next()))
  for (const [shard, pages] of shards.entries())
    for (let page = first[shard]; page !== undefined && !page.done; page = await pages.next()) {
      const timers: Timer[] = []
      for (const item of page.value.items) {
        try {
          timers.push(timerEntity.decode(item))
        } catch (error) {
          if (!(error instanceof CorruptItemError)) throw error
          await onUnreadable(item, error)
        }
      }
      if (timers.length > 0) yield timers
    }
}

/** Puts a row that cannot be read where people look for it, as it is. */
export const setAsideUnreadable = ({ pk, sk, kindSk }: Item, now: Instant): Update => ({
  kind: 'update',
  key: { pk: String(pk), sk: String(sk) },
  update: 'SET kindPk = :aside, kindSk = :since',
  condition: 'kindSk = :found',
  values: {
    ':aside': KIND.setAsideTimers,
    ':since': [now, ...String(pk).split('#').slice(1)].join('#'),
    ':found': kindSk,
  },
})

const isSetAside = { condition: 'kindPk = :aside', values: { ':aside': KIND.setAsideTimers } }

/** Files a timer anew that was set aside, whether its row can be read or not. */
export const retryTimer = (timer: Timer): Put => ({ ...fileTimer(timer), ...isSetAside })

/** Ends a timer that was set aside. */
export const discardTimer = ({ kind, subject }: Whose): Remove => ({
  kind: 'remove',
  key: timerKey(kind, subject),
  ...isSetAside,
})

const shardOf = (subject: readonly string[]) =>
  (createHash('sha256').update(subject.join('#')).digest()[0] ?? 0) % TIMER_SHARDS
