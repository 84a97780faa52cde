import { describe, expect, test } from 'vitest'
import { type Denial, judge, whoOf } from '../../shared/domain/denial.ts'
import { denialSeries } from '../../shared/domain/denial-series.ts'
import { plusMilliseconds } from '../../shared/platform/time.ts'
import { at } from '../support/licenses.ts'

const NOON = at('2026-06-01T12:00:00Z')
const later = (seconds: number) => plusMilliseconds(NOON, seconds * 1000)

const denial = (changes: Partial<Denial> = {}): Denial => ({
  who: 'user ada',
  first: changes.last ?? NOON,
  last: NOON,
  requests: 1,
  units: 1,
  because: 'capacity',
  holder: { userId: 'ada' },
  ...changes,
})
/** `class reason denials units`, of each part. */
const judged = (denials: readonly Denial[], now = later(3600), waiting: readonly string[] = []) =>
  judge(denials, now, (ticket) => waiting.includes(ticket)).map((one) =>
    one.judged.map((part) => `${part.class} ${part.reason} ${part.denials} ${part.units}`),
  )

describe('a denial', () => {
  test.each<[string, Partial<Denial>, string[]]>([
    ['after which nothing came', {}, ['true capacity 1 1']],
    ['whose holder got a place soon after', { granted: later(59), grantedBy: 'retry' }, ['false retry 1 1']],
    ['whose holder got one elsewhere', { granted: later(5), grantedBy: 'failover' }, ['false failover 1 1']],
    ['whose holder had got one before', { granted: later(-5), grantedBy: 'retry' }, ['true capacity 1 1']],
    [
      'of several requests within a minute',
      { requests: 4, units: 2 },
      ['false duplicate 3 6', 'true capacity 1 2'],
    ],
    ['of who knows whom', { who: undefined, holder: {}, requests: 4, units: 7 }, ['true capacity 4 7']],
    [
      'because places are kept for others',
      { because: 'reserved-elsewhere' },
      ['true reserved-elsewhere 1 1'],
    ],
    ['because the own share is used up', { because: 'quota' }, ['true quota 1 1']],
    ['in the wrong place', { because: 'place', status: 'COUNTRY_NOT_ALLOWED' }, ['not-capacity place 1 1']],
    ['without a license', { because: 'license', requests: 2 }, ['not-capacity license 2 2']],
    ['that led to a ticket which ended', { ticket: 't', queued: later(1) }, ['true capacity 1 1']],
    [
      'that led to a ticket which was served an hour later',
      { ticket: 't', queued: later(1), granted: later(3600), grantedBy: 'queued-then-served' },
      ['false queued-then-served 1 1'],
    ],
  ])('%s', (_, changes, expected) => {
    expect(judged([denial(changes)])).toEqual([expected])
  })

  test('is open until the minute is over, and the record of a grant would be here', () => {
    expect(judged([denial()], later(89))).toEqual([['open capacity 1 1']])
    expect(judged([denial()], later(90))).toEqual([['true capacity 1 1']])
  })

  test('is open as long as its ticket waits', () => {
    const waits = denial({ ticket: 't', queued: later(1) })
    expect(judged([waits], later(36_000), ['t'])).toEqual([['open capacity 1 1']])
  })

  test('that comes again within a minute is one, the last; of another holder it is another', () => {
    const series = [0, 50, 110, 171].map((second) => denial({ last: later(second) }))
    const ben = denial({ who: 'user ben', last: later(20) })
    expect(judged([series[3] ?? ben, ben, ...series.slice(0, 3)])).toEqual([
      ['false duplicate 1 1'],
      ['true capacity 1 1'],
      ['false duplicate 1 1'],
      ['true capacity 1 1'],
      ['true capacity 1 1'],
    ])
  })

  test('that was tried until it worked is none at all', () => {
    const tries = [
      denial({ requests: 3 }),
      denial({ last: later(55), granted: later(65), grantedBy: 'retry' }),
    ]
    expect(
      judged(tries)
        .flat()
        .filter((one) => one.startsWith('true')),
    ).toEqual([])
  })
})

test('who asks is the person, else the machine, else the process of a credential, else the name it chose', () => {
  const holder = { userId: 'ada', machine: 'ws-1', process: '47' }
  expect([
    whoOf(holder, 'tok_1', 'r'),
    whoOf({ machine: 'ws-1', process: '47' }, 'tok_1', 'r'),
    whoOf({ process: '47' }, 'tok_1', 'r'),
    whoOf({}, 'tok_1', 'r'),
    whoOf({}, 'tok_1', undefined),
  ]).toEqual(['user ada', 'machine ws-1', 'process tok_1 47', 'lease r', undefined])
})

test('a series tells classes and reasons by stretch and key, and leaves out what is empty', () => {
  const all = [
    denial({ department: 'R&D' }),
    denial({ who: 'user ben', department: 'R&D', last: later(1800), units: 3 }),
    denial({ who: 'user cyd', last: later(7200), because: 'quota' }),
  ]
  const marks = [0, 3600, 7200, 10_800].map(later)
  const series = denialSeries(
    judge(all, later(36_000), () => false),
    marks,
    ({ department }) => department ?? null,
  )
  const tally = (denials: number, units: number) => ({ denials, units })
  expect(series).toEqual([
    {
      from: NOON,
      until: later(3600),
      key: 'R&D',
      byClass: { true: tally(2, 4) },
      byReason: { capacity: tally(2, 4) },
    },
    {
      from: later(7200),
      until: later(10_800),
      key: null,
      byClass: { true: tally(1, 1) },
      byReason: { quota: tally(1, 1) },
    },
  ])
})
