import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runJob } from '../../functions/job.ts'
import { sweep, type TimerWork } from '../../functions/sweep.ts'
import { HOUR, Instant, MINUTE, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readRange } from '../../shared/store/read.ts'
import { readLastSuccesses } from '../../shared/store/run.ts'
import { claimTimer, endTimer, fileTimer, readTimer, type Timer } from '../../shared/store/timer.ts'
import { writeRow } from '../../shared/store/write.ts'
import { localTable } from '../store/local-table.ts'
import { advanceClock, stopClock } from '../support/clock.ts'
import { eventsOf } from '../support/events.ts'

const table = await localTable()
const START = Instant.parse('2026-03-01T12:00:00.000Z')

/** Each test has a kind of its own: all share one table. */
let kind: string
let tests = 0
beforeEach(() => {
  tests += 1
  kind = `test-${tests}`
  stopClock(plusMilliseconds(START, tests * 1000 * HOUR))
})
afterEach(() => void vi.useRealTimers())

const timerOf = (name: string): Timer => ({ kind, subject: [name], dueAt: readClock() })
const file = (...names: string[]) =>
  Promise.all(names.map((name) => writeRow(table, fileTimer(timerOf(name)))))
const stored = (name: string) => readTimer(table, timerOf(name))
const setAside = async () =>
  (await readRange(table, { index: 'kind', pk: KIND.setAsideTimers })).map(({ subject }) => subject)

/** What runs told of how late they were, in milliseconds. */
const lags: number[] = []
beforeEach(() => void lags.splice(0))

/** A run of the job that does what the work says, and a log of nothing. */
function run(work: TimerWork, { scheduledAt = readClock(), milliseconds = 60_000 } = {}) {
  const services = { table, log: () => undefined }
  const delivery = { scheduledAt, remaining: () => milliseconds }
  const measureLag = (_: string, lag: number) => lags.push(lag)
  return runJob('reclaimSeats', delivery, services, (job) =>
    sweep(kind, { ...job, measureLag }, services, work),
  )
}

/** Ends its timer, unless its name says that it is poisoned. */
const done: string[] = []
const work: TimerWork = async (timer) => {
  const [name = ''] = timer.subject
  if (name.startsWith('poisoned')) throw new RangeError(`${name} cannot be done`)
  if (!(await writeRow(table, endTimer(timer)))) return 0
  done.push(name)
  return 1
}
beforeEach(() => void done.splice(0))

describe('a sweep', () => {
  test('does all that is due once, though it comes twice at once, and again, and says when it did', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `t${index}`)
    await file(...names)
    await Promise.all([run(work), run(work, { scheduledAt: plusMilliseconds(readClock(), -MINUTE) })])
    await run(work)
    expect(done.toSorted()).toEqual(names.toSorted())
    expect(await readLastSuccesses(table)).toEqual([{ job: 'reclaimSeats', at: readClock() }])
  })

  test('goes on with the rest when time was up, for the same scheduled time, and tells how late it is', async () => {
    await file(...Array.from({ length: 20 }, (_, index) => `t${index}`))
    const scheduledAt = readClock()
    advanceClock(MINUTE)
    await expect(run(work, { scheduledAt, milliseconds: 10 })).rejects.toThrow('ran out of time')
    const before = done.length
    await run(work, { scheduledAt })
    expect(before).toBeLessThan(20)
    expect(done).toHaveLength(20)
    expect(lags).toEqual([MINUTE, MINUTE])
  })

  test('leaves a poisoned timer for later, then sets it aside with its reason; the others go on', async () => {
    await file('poisoned', 'well')
    await run(work)
    expect(done).toEqual(['well'])
    const reason = 'RangeError: poisoned cannot be done'
    expect(await stored('poisoned')).toMatchObject({
      failed: { times: 1, reason },
      dueAt: plusMilliseconds(readClock(), MINUTE),
    })
    // Due after 1, 5, 30, 120 and 360 minutes, and never again.
    for (let hours = 0; hours < 24; hours += 1) {
      advanceClock(HOUR)
      await run(work)
    }
    expect((await stored('poisoned'))?.failed).toMatchObject({ times: 6, reason, isSetAside: true })
    expect(await setAside()).toEqual([['poisoned']])
    expect(await eventsOf(table, `${kind}#poisoned`)).toMatchObject([
      { type: 'job.failed', after: { job: 'reclaimSeats', kind, subject: ['poisoned'], times: 6, reason } },
    ])
  })

  test('leaves work for later that takes longer than there is time, and does the others of its shard first then', async () => {
    await file('endless')
    advanceClock(1)
    await file(...Array.from({ length: 20 }, (_, index) => `t${index}`))
    const endless: TimerWork = (timer, now) =>
      timer.subject[0] === 'endless' ? new Promise(() => {}) : work(timer, now)
    await expect(run(endless, { milliseconds: 2_100 })).rejects.toThrow('ran out of time')
    expect(await stored('endless')).toMatchObject({
      dueAt: plusMilliseconds(readClock(), MINUTE),
      failed: { times: 1, reason: 'Error: There was no time to bring it to its end.' },
    })
    await run(endless)
    expect(done).toHaveLength(20)
  })

  test('sets a row aside that is no timer, and tells of it once', async () => {
    await file('well')
    const { item } = fileTimer(timerOf('garbled'))
    await writeRow(table, { kind: 'put', item: { ...item, dueAt: 'yesterday' } })
    await Promise.all([run(work), run(work, { scheduledAt: plusMilliseconds(readClock(), -MINUTE) })])
    await run(work, { scheduledAt: plusMilliseconds(readClock(), MINUTE) })
    expect(done).toEqual(['well'])
    expect(await setAside()).toContainEqual(['garbled'])
    expect(await eventsOf(table, `${kind}#garbled`)).toHaveLength(1)
  })

  test('tries what was set aside once it is filed anew', async () => {
    await file('poisoned-once')
    for (let hours = 0; hours < 24; hours += 1) {
      await run(work)
      advanceClock(HOUR)
    }
    expect(await setAside()).toContainEqual(['poisoned-once'])
    await file('poisoned-once')
    await run(async (timer) => ((await writeRow(table, endTimer(timer))) ? 1 : 0))
    expect(await stored('poisoned-once')).toBeUndefined()
    expect(await setAside()).not.toContainEqual(['poisoned-once'])
  })

  test('counts the failures of work that claims its timer, and tries it when the claim ends', async () => {
    await file('poisoned-claimed')
    const until = plusMilliseconds(readClock(), 10 * MINUTE)
    await run(async (timer) => {
      if (!(await claimTimer(table, timer, until))) return 0
      throw new Error('in the middle of it')
    })
    expect(await stored('poisoned-claimed')).toMatchObject({
      dueAt: until,
      failed: { times: 1, reason: 'Error: in the middle of it' },
    })
  })
})

test('a run by pages goes on where its time was up, or the one before was given up, and is over behind the last page', async () => {
  const services = { table, log: () => undefined }
  const seen: unknown[] = []
  const deliver = (place?: { pk: string }) =>
    runJob(
      'watchTenants',
      { scheduledAt: readClock(), remaining: () => 10 },
      services,
      async ({ begin, note }) => {
        seen.push(await begin())
        await note(place)
      },
    )
  const [a, b, c] = [{ pk: 'a' }, { pk: 'b' }, { pk: 'c' }]
  for (const place of [a, b]) await expect(deliver(place)).rejects.toThrow('watchTenants ran out of time')
  advanceClock(HOUR)
  await expect(deliver(c)).rejects.toThrow('watchTenants ran out of time')
  await deliver()
  // Twice is once: it is over.
  await deliver()
  advanceClock(HOUR)
  await deliver()
  expect(seen).toEqual([undefined, a, b, c, undefined])
})
