import { afterAll, afterEach, expect, test, vi } from 'vitest'
import {
  DAY,
  epochMilliseconds,
  HOUR,
  Instant,
  plusMilliseconds,
  readClock,
} from '../../../shared/platform/time.ts'
import { startApi } from '../../support/api.ts'
import { setClock, stopClock } from '../../support/clock.ts'
import { eventStream } from '../../support/events-told.ts'
import { startInbox } from '../../support/inbox.ts'
import { createScenario } from '../../support/scenario.ts'

const inbox = await startInbox()
const api = await startApi({ mail: inbox.mail })
afterAll(async () => {
  await api.stop()
  await inbox.stop()
})
afterEach(() => vi.useRealTimers())

const START = Instant.parse('2026-01-01T10:00:00Z')
const day = (days: number) => plusMilliseconds(START, days * DAY)

test('a year of a license, its job fired twice, late, and skipped: each notice once to each who is to get it', async () => {
  stopClock(START)
  const scenario = await createScenario(api)
  const { tenant } = scenario
  const vendor = await api.token('vendor:admin')
  const path = `/v1/tenants/${tenant.id}`
  const contacts = [
    { name: 'Ada', email: 'ada@example.edu', role: 'owner' },
    { name: 'Bo', email: 'Bo@example.edu', role: 'billing' },
    { name: 'Ada again', email: 'ADA@example.edu', role: 'administrator' },
    { name: 'Cy', email: 'cy@example.edu', role: 'technical' },
  ]
  await api.call('PATCH', path, { token: vendor, body: { contacts }, headers: { 'if-match': '"1"' } })
  const edited = await api.call('PATCH', `${path}/notifications`, {
    token: vendor,
    body: { digestMinutes: 0, graceDays: [7, 0] },
    headers: { 'if-match': '"1"' },
  })
  expect(edited.status).toBe(200)
  const tell = eventStream(api.table, [tenant.id])
  const { license } = await scenario.issue()
  const end = 365

  const told: string[] = []
  /** The job looks, and what came of it is written down: by which day, to whom. */
  async function look(at: Instant, ways: ('twice' | 'late')[] = []): Promise<void> {
    setClock(at)
    await tell()
    const slot = ways.includes('late') ? plusMilliseconds(at, -5 * HOUR) : at
    await Promise.all([
      api.run('sendNotices', slot),
      ...(ways.includes('twice') ? [api.run('sendNotices', slot)] : []),
    ])
    for (const { subject, to } of inbox.take()) {
      const who = Array.isArray(to) ? '' : to?.value[0]?.address
      told.push(
        `${Math.floor((epochMilliseconds(at) - epochMilliseconds(START)) / DAY)} ${who?.split('@')[0]}: ${subject?.replace(/^[^:]*: /, '')}`,
      )
    }
  }

  await look(day(0))
  // What begins at day 60 is told when it wakes at day 31; others come a little late, or with their run twice.
  await look(plusMilliseconds(day(end - 90), -1))
  await look(day(end - 90), ['twice'])
  for (const days of [31, 30]) await look(plusMilliseconds(day(end - days), 3 * HOUR), ['late'])
  await tell(true)
  await look(day(end - 13), ['twice', 'late'])
  for (const days of [7, 6, 3, 1]) await look(day(end - days), ['twice'])
  for (const days of [0, 1, 23, 30, 31]) await look(day(end + days), ['late'])
  await tell(true)

  const both = (line: string) =>
    told
      .filter((one) => one.endsWith(line))
      .map((one) => one.split(':')[0])
      .toSorted()
  const lines = [...new Set(told.map((line) => line.replace(/^\d+ \w+: /, '')))]
  expect(lines).toEqual([
    'license ends in 90 days',
    'license ends in 31 days',
    'license ends in 30 days',
    'license ends in 13 days',
    'license ends in 7 days',
    'license ends in 3 days',
    'license ends tomorrow',
    'license has ended, grace until 31 January 2027',
    'license has ended',
  ])
  expect(both('in 90 days')).toEqual(['275 Bo', '275 ada'])
  expect(told).toHaveLength(lines.length * 2 + 2)
  // Grace is told twice, at its beginning and before its end.
  expect(both('grace until 31 January 2027')).toEqual(['365 Bo', '365 ada', '388 Bo', '388 ada'])

  // Renewed: told once, and what waits for the old end is over.
  const renewed = await scenario.act(license.id, 'renew', { reason: 'paid' })
  expect(renewed.status).toBe(200)
  told.length = 0
  for (const days of [32, 60]) await look(day(end + days))
  expect(told.map((line) => line.split(': ')[1])).toEqual(['license was renewed'])
  expect(readClock() > day(end)).toBe(true)
})
