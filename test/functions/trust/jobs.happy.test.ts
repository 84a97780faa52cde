import { afterAll, expect, test } from 'vitest'
import * as z from 'zod'
import { jobs } from '../../../functions/jobs.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { KIND } from '../../../shared/store/keys.ts'
import { fileTimer, readTimer, type Timer } from '../../../shared/store/timer.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { outcome, startApi } from '../../support/api.ts'
import { eventsOf } from '../../support/events.ts'

const api = await startApi()
afterAll(api.stop)
const token = await api.token('vendor:admin')

const Listed = z.object({ items: z.array(z.object({ id: z.string(), subject: z.array(z.string()) })) })
const listed = async () => {
  const { body } = await api.call('GET', '/v1/jobs/dead', { token })
  return new Map(Listed.parse(body).items.map(({ id, subject }) => [subject.join(), id]))
}
const act = (id: string | undefined, action: 'retry' | 'discard') =>
  api.call('POST', `/v1/jobs/dead/${id}/${action}`, {
    token,
    ...(action === 'discard' && { body: { reason: 'of no use any more' } }),
  })
const timer = (name: string): Timer => ({
  kind: 'test',
  subject: [name],
  dueAt: readClock(),
  failed: { times: 6, reason: 'Error: no', at: readClock(), isSetAside: true },
})

test('the jobs are listed with what they are for, to vendor staff', async () => {
  const { body } = await api.call('GET', '/v1/jobs', { token: await api.token('vendor:support') })
  expect(
    z
      .object({ items: z.array(z.object({ job: z.string() })) })
      .parse(body)
      .items.map(({ job }) => job),
  ).toEqual(Object.keys(jobs))
})

test('what is set aside is listed with its reason, tried again or discarded, once, and told', async () => {
  for (const name of ['again', 'over']) await writeRow(api.table, fileTimer(timer(name)))
  const { item } = fileTimer(timer('garbled'))
  await writeRow(api.table, {
    kind: 'put',
    item: { ...item, dueAt: 7, kindPk: KIND.setAsideTimers, kindSk: 'x' },
  })
  const found = await listed()
  expect([...found.keys()].toSorted()).toEqual(['again', 'garbled', 'over'])

  const support = await api.token('vendor:support')
  const refused = await api.call('POST', `/v1/jobs/dead/${found.get('again')}/retry`, { token: support })
  expect(outcome(refused)).toBe('403 FORBIDDEN')
  for (const name of ['again', 'garbled']) expect(outcome(await act(found.get(name), 'retry'))).toBe('200')
  expect(outcome(await act(found.get('over'), 'discard'))).toBe('200')
  expect(outcome(await act(found.get('again'), 'retry'))).toBe('409 NOT_SET_ASIDE')
  expect(outcome(await act(found.get('over'), 'discard'))).toBe('404 NOT_FOUND')
  expect(await listed()).toEqual(new Map())
  for (const name of ['again', 'garbled']) {
    const filed = await readTimer(api.table, timer(name))
    expect(filed?.failed).toBeUndefined()
  }
  expect(await readTimer(api.table, timer('over'))).toBeUndefined()
  const told = await Promise.all(
    ['again', 'over', 'garbled'].map((name) => eventsOf(api.table, `test#${name}`)),
  )
  expect(told.flat().map(({ type, reason }) => [type, reason])).toEqual([
    ['job.retried', undefined],
    ['job.discarded', 'of no use any more'],
    ['job.retried', undefined],
  ])
})
