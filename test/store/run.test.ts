import { expect, test } from 'vitest'
import { DAY, epochSeconds, Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { runKey } from '../../shared/store/keys.ts'
import { readItem } from '../../shared/store/read.ts'
import { resumeRun, saveRun } from '../../shared/store/run.ts'
import { localTable } from './local-table.ts'

const table = await localTable()
const SCHEDULED = Instant.parse('2026-03-01T12:00:00.000Z')
const FINISHED = plusMilliseconds(SCHEDULED, 90_000)

test('a run goes on where it stopped, and is over once', async () => {
  expect(await resumeRun(table, 'sweep', SCHEDULED)).toEqual({ checked: 0, changed: 0 })
  const half = { checked: 7, changed: 2, from: { pk: 'a', sk: 'b', kindPk: 'c', kindSk: 'd' } }
  await saveRun(table, 'sweep', SCHEDULED, half)
  expect(await resumeRun(table, 'sweep', SCHEDULED)).toEqual(half)
  const whole = { checked: 9, changed: 3, finishedAt: FINISHED }
  await saveRun(table, 'sweep', SCHEDULED, whole)
  expect(await resumeRun(table, 'sweep', SCHEDULED)).toEqual(whole)
})

test('a run is known by its job and the time it was scheduled for', async () => {
  await saveRun(table, 'known', SCHEDULED, { checked: 1, changed: 1, finishedAt: FINISHED })
  const fresh = { checked: 0, changed: 0 }
  expect(await resumeRun(table, 'known', plusMilliseconds(SCHEDULED, 3_600_000))).toEqual(fresh)
  expect(await resumeRun(table, 'other', SCHEDULED)).toEqual(fresh)
})

test('a run is remembered longer than the scheduler tries, and then forgotten', async () => {
  await saveRun(table, 'forgotten', SCHEDULED, { checked: 0, changed: 0 })
  const item = await readItem(table, runKey('forgotten', SCHEDULED))
  expect(item?.['ttl']).toBe(epochSeconds(plusMilliseconds(SCHEDULED, 7 * DAY)))
})
