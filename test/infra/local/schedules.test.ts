import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { scheduleEvent } from '../../../infra/local/schedules/input.ts'
import { currentSlot, nextSlot, ratePeriod } from '../../../infra/local/schedules/rate.ts'
import { type Schedule, Scheduler } from '../../../infra/local/schedules/scheduler.ts'
import { epochMilliseconds, fromEpochMilliseconds, Instant } from '../../../shared/platform/time.ts'

const milliseconds = (text: string) => epochMilliseconds(Instant.parse(text))

describe('rate', () => {
  test.each([
    ['rate(1 minute)', 60_000],
    ['rate(5 minutes)', 300_000],
    ['rate(1 hour)', 3_600_000],
    ['rate(2 days)', 172_800_000],
  ])('%s', (expression, period) => {
    expect(ratePeriod(expression)).toBe(period)
  })

  test.each([
    'cron(0 3 * * ? *)',
    'at(2026-01-01T00:00:00)',
    'rate(0 minutes)',
    'rate(5 weeks)',
    'rate(minutes)',
    '',
  ])('%s is none', (expression) => {
    expect(ratePeriod(expression)).toBeUndefined()
  })

  test.each([
    [5, '2026-11-21T10:02:03.000Z', '2026-11-21T10:00:00.000Z', '2026-11-21T10:05:00.000Z'],
    [5, '2026-11-21T10:05:00.000Z', '2026-11-21T10:05:00.000Z', '2026-11-21T10:10:00.000Z'],
    [5, '2026-11-21T10:04:59.999Z', '2026-11-21T10:00:00.000Z', '2026-11-21T10:05:00.000Z'],
    [60, '2026-12-31T23:59:59.999Z', '2026-12-31T23:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    [1440, '2026-02-28T10:00:00.000Z', '2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
  ])('every %i minutes, at %s: the slot is %s, the next %s', (minutes, now, current, next) => {
    const period = minutes * 60_000
    expect(fromEpochMilliseconds(currentSlot(period, milliseconds(now)))).toBe(current)
    expect(fromEpochMilliseconds(nextSlot(period, milliseconds(now)))).toBe(next)
  })
})

describe('the event of a schedule', () => {
  const delivery = {
    scheduleArn: 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/nightly',
    scheduledTime: '2026-11-21T10:00:00Z',
    executionId: 'e-1',
    attempt: 2,
  }

  test('is its input with every context attribute filled in, each time it occurs', () => {
    const input =
      '{"at":"<aws.scheduler.scheduled-time>","again":"<aws.scheduler.scheduled-time>","n":"<aws.scheduler.attempt-number>","id":"<aws.scheduler.execution-id>","arn":"<aws.scheduler.schedule-arn>","other":"<aws.scheduler.nothing>"}'
    expect(JSON.parse(scheduleEvent(input, delivery))).toEqual({
      at: '2026-11-21T10:00:00Z',
      again: '2026-11-21T10:00:00Z',
      n: '2',
      id: 'e-1',
      arn: delivery.scheduleArn,
      other: '<aws.scheduler.nothing>',
    })
  })
})

describe('timers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-schedules-'))
  const received: string[] = []
  const schedule: Schedule = {
    name: 'often',
    arn: 'arn:often',
    period: 300_000,
    input: '<aws.scheduler.scheduled-time>',
    maximumRetryAttempts: 0,
    deadLetterQueue: undefined,
    invoke: async (event) => {
      received.push(event)
      return 'null'
    },
  }
  let scheduler: Scheduler

  const begin = (changes: Partial<Schedule> = {}) => {
    scheduler = new Scheduler([{ ...schedule, ...changes }], folder, () => undefined)
    scheduler.start()
  }

  beforeEach(() => {
    received.length = 0
    vi.useFakeTimers({ now: milliseconds('2026-11-21T10:02:00Z') })
  })
  afterEach(() => {
    scheduler.close()
    vi.useRealTimers()
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('fire at the slots and not before', () => {
    begin()
    vi.advanceTimersByTime(179_999)
    expect(received).toEqual([])
    vi.advanceTimersByTime(1)
    expect(received).toEqual(['2026-11-21T10:05:00Z'])
    vi.advanceTimersByTime(600_000)
    expect(received).toEqual(['2026-11-21T10:05:00Z', '2026-11-21T10:10:00Z', '2026-11-21T10:15:00Z'])
  })

  test('fire once for the newest slot after the machine slept', () => {
    begin()
    vi.setSystemTime(milliseconds('2026-11-21T12:34:00Z'))
    vi.advanceTimersByTime(180_000)
    expect(received).toEqual(['2026-11-21T12:35:00Z'])
  })

  test('wait longer than one timer can', () => {
    begin({ period: 40 * 86_400_000 })
    const slot = nextSlot(40 * 86_400_000, milliseconds('2026-11-21T10:02:00Z'))
    vi.advanceTimersByTime(slot - milliseconds('2026-11-21T10:02:00Z'))
    expect(received).toEqual([fromEpochMilliseconds(slot).replace('.000Z', 'Z')])
  })

  test('do not fire without a period, or once closed', () => {
    begin({ period: undefined })
    vi.advanceTimersByTime(86_400_000)
    begin()
    scheduler.close()
    vi.advanceTimersByTime(86_400_000)
    expect(received).toEqual([])
  })
})
