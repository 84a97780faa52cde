import { expect, test } from 'vitest'
import { DAY, HOUR, Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { fileEarlier } from '../../shared/store/license-timers.ts'
import {
  claimTimer,
  dueTimers,
  endTimer,
  fileTimer,
  moveTimer,
  readTimer,
  type Timer,
} from '../../shared/store/timer.ts'
import { transact } from '../../shared/store/transact.ts'
import { writeRow } from '../../shared/store/write.ts'
import { times } from '../support/parallel.ts'
import { localTable } from './local-table.ts'

const table = await localTable()
const NOW = Instant.parse('2026-03-01T12:00:00.000Z')
const after = (hours: number) => plusMilliseconds(NOW, hours * HOUR)
const timer = (kind: string, name: string, dueAt = NOW): Timer => ({ kind, subject: ['ten', name], dueAt })
const file = (one: Timer) => writeRow(table, fileTimer(one))
const due = async (kind: string, now = NOW) => {
  const all: string[] = []
  for await (const page of dueTimers(table, kind, now, async () => {}))
    all.push(...page.map(({ subject }) => subject.join()))
  return all.toSorted()
}

test('what is due is found, over all shards, up to this very instant and of this kind alone', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `u${index}`)
  await Promise.all(names.map((name) => file(timer('found', name, plusMilliseconds(NOW, -DAY)))))
  await file(timer('found', 'exactly'))
  await file(timer('found', 'later', plusMilliseconds(NOW, 1)))
  await file(timer('found-too', 'other'))
  expect(await due('found')).toEqual(['exactly', ...names].map((name) => `ten,${name}`).toSorted())
  expect(await due('found', plusMilliseconds(NOW, 1))).toContain('ten,later')
})

test('there is one of a kind and subject: filing it again moves it, and ending it ends it', async () => {
  await file(timer('one', 'a'))
  await file(timer('one', 'a', after(5)))
  expect(await due('one')).toEqual([])
  expect(await due('one', after(5))).toEqual(['ten,a'])
  expect(await writeRow(table, endTimer(timer('one', 'a')))).toBe(false)
  expect(await writeRow(table, endTimer(timer('one', 'a', after(5))))).toBe(true)
  expect(await readTimer(table, timer('one', 'a'))).toBeUndefined()
})

test('one that was set aside is filed anew by whoever needs it, and one that waits stays', async () => {
  const failed = { times: 6, reason: 'a test', at: NOW }
  await file({ ...timer('earlier', 'waits'), failed })
  await file({ ...timer('earlier', 'set aside'), failed: { ...failed, isSetAside: true } })
  expect(await due('earlier')).toEqual(['ten,waits'])
  const filed = ['waits', 'set aside'].map((name) => fileEarlier(table, timer('earlier', name, after(1))))
  expect(await Promise.all(filed)).toEqual([false, true])
  expect(await due('earlier', after(1))).toEqual(['ten,set aside', 'ten,waits'])
})

test('of those who find it at once one claims it, and if that one fails it is due again', async () => {
  const found = timer('claimed', 'a')
  await file(found)
  const claims = (await times(5, () => claimTimer(table, found, after(1)))).filter((one) => one !== undefined)
  expect(claims).toEqual([timer('claimed', 'a', after(1))])
  expect(await due('claimed')).toEqual([])
  expect(await due('claimed', after(1))).toEqual(['ten,a'])
})

test('work that moves it in its transaction is done once, and goes on where it stopped', async () => {
  const found = timer('moved', 'a')
  await file(found)
  const work = () => transact(table, { timer: moveTimer(found, after(2), { pk: 'there' }) })
  const outcomes = await times(3, work)
  expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
  const lost = { ok: false, failed: ['timer'] }
  expect(outcomes.filter(({ ok }) => !ok)).toEqual([lost, lost])
  expect(await readTimer(table, found)).toEqual({ ...timer('moved', 'a', after(2)), place: { pk: 'there' } })
})
