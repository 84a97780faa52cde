import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { standings } from '../../shared/domain/holdings.ts'
import { DEFAULT_SETTINGS } from '../../shared/domain/notice-settings.ts'
import {
  type Deadline,
  deadlinesOf,
  type ReminderTerms,
  stageAt,
  stagesOf,
} from '../../shared/domain/reminders.ts'
import { DAY, HOUR, type Instant, plusMilliseconds, TimeZone } from '../../shared/platform/time.ts'
import { aLicense, at, holdingsOf } from '../support/licenses.ts'

const UTC = TimeZone.parse('UTC')
const BERLIN = TimeZone.parse('Europe/Berlin')
const END = at('2027-01-01T00:00:00.000Z')

const license = (facts: object = {}) =>
  aLicense({ expiresAt: END, graceDays: 0, graceEndsAt: undefined, ...facts })
const deadline = (facts: Partial<Deadline> = {}): Deadline => ({
  kind: 'expiry',
  license: license(),
  endsAt: END,
  length: 365 * DAY,
  ...facts,
})

/** What a job tells that looks at these instants: a stage is told once. */
function told(of: Deadline, looks: readonly Instant[], terms: ReminderTerms = DEFAULT_SETTINGS, zone = UTC) {
  const stages = stagesOf(of, terms, zone)
  const names = looks.flatMap((now) => stageAt(stages, now).stage?.name ?? [])
  return [...new Set(names)]
}

const year = (step: number) =>
  Array.from({ length: Math.ceil((420 * DAY) / step) }, (_, index) =>
    plusMilliseconds(at('2026-01-01T00:00:00.000Z'), index * step),
  )

describe('the stages of an end', () => {
  test('each begins so many days before it, and ends with the next', () => {
    const stages = stagesOf(deadline(), DEFAULT_SETTINGS, UTC)
    expect(stages.map(({ name, from }) => `${name} ${from.slice(0, 10)}`)).toEqual([
      '90 2026-10-03',
      '60 2026-11-02',
      '30 2026-12-02',
      '14 2026-12-18',
      '7 2026-12-25',
      '3 2026-12-29',
      '1 2026-12-31',
      '0 2027-01-01',
    ])
    expect(stages.slice(1).map(({ from }) => from)).toEqual(stages.slice(0, -1).map(({ until }) => until))
  })

  test('days are those of the calendar: at the same time of day, whatever the clocks did', () => {
    const endsAt = at('2026-11-10T10:00:00.000Z')
    const stages = stagesOf(deadline({ endsAt }), DEFAULT_SETTINGS, BERLIN)
    // 25 October 2026: Berlin puts its clocks back.
    expect(stages.find(({ name }) => name === '30')?.from).toBe('2026-10-11T09:00:00.000Z')
  })

  test('grace has its own, and none before it begins', () => {
    const graceEndsAt = plusMilliseconds(END, 5 * DAY)
    const last = stagesOf(deadline({ graceEndsAt }), DEFAULT_SETTINGS, UTC).slice(-3)
    expect(last.map(({ name, phase }) => [name, phase])).toEqual([
      ['0', 'grace'],
      ['grace-1', 'grace'],
      ['grace-0', 'over'],
    ])
  })

  test.each([
    [365, '90'],
    [31, '14'],
    [14, '7'],
    [1, '0'],
  ])('of a term of %i days the first is %s', (days, first) => {
    expect(stagesOf(deadline({ length: days * DAY }), DEFAULT_SETTINGS, UTC)[0]?.name).toBe(first)
  })
})

describe('a job that looks', () => {
  const all = ['90', '60', '30', '14', '7', '3', '1', '0']

  test('each hour of a year, twice, or late, tells each once and in order', () => {
    const hours = year(HOUR)
    expect(told(deadline(), hours)).toEqual(all)
    expect(
      told(
        deadline(),
        hours.flatMap((hour) => [hour, hour]),
      ),
    ).toEqual(all)
  })

  test('after it slept tells the latest only, and nothing that is no news any more', () => {
    const [before, after] = [at('2026-10-20T00:00:00.000Z'), at('2026-12-30T12:00:00.000Z')]
    expect(told(deadline(), [before, after])).toEqual(['90', '3'])
    expect(told(deadline(), [before, plusMilliseconds(END, 8 * DAY)])).toEqual(['90'])
  })

  test('at any instants tells a part of them, in order, none of them before its time', () => {
    const looks = fc.array(fc.integer({ min: 0, max: 420 * 24 }), { maxLength: 60 })
    const days = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { maxLength: 12 })
    const zones = fc.constantFrom(
      UTC,
      BERLIN,
      TimeZone.parse('America/St_Johns'),
      TimeZone.parse('Pacific/Apia'),
    )
    fc.assert(
      fc.property(
        looks,
        days,
        days,
        fc.integer({ min: 0, max: 40 }),
        zones,
        (hours, ahead, grace, graceDays, zone) => {
          const terms = { reminderDays: ahead, graceDays: grace, maintenanceDays: [] }
          const graceEndsAt = plusMilliseconds(END, graceDays * DAY)
          const one = deadline(graceDays > 0 ? { graceEndsAt } : {})
          const stages = stagesOf(one, terms, zone)
          for (const [index, { from, until }] of stages.entries()) {
            expect(from < until || stages[index + 1]?.from === from).toBe(true)
            if (index > 0) expect(from >= (stages[index - 1]?.until ?? from)).toBe(true)
          }
          const times = hours
            .toSorted((a, b) => a - b)
            .map((hour) => plusMilliseconds(at('2026-01-01T00:00:00.000Z'), hour * HOUR))
          const names = told(one, times, terms, zone)
          const order = stages.map(({ name }) => name)
          expect(names).toEqual(order.filter((name) => names.includes(name)))
          // Whoever looks at the next instant it is told to misses none.
          let now = times[0]
          const seen: string[] = []
          while (now !== undefined) {
            const { stage, next } = stageAt(stages, now)
            if (stage) seen.push(stage.name)
            now = next
          }
          if (times[0] !== undefined && times[0] < (stages[0]?.from ?? times[0]))
            expect(seen).toEqual(order.filter((_, index) => stages[index]?.from !== stages[index + 1]?.from))
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('what ends', () => {
  const ends = (licenses: Parameters<typeof holdingsOf>[0]) =>
    deadlinesOf(standings(holdingsOf(licenses), at('2026-06-01T00:00:00.000Z'), () => true).values()).map(
      ({ kind, endsAt }) => `${kind} ${endsAt.slice(0, 10)}`,
    )

  test.each<[string, object, string[]]>([
    ['a license', {}, ['expiry 2027-01-01']],
    ['one without end', { expiresAt: undefined }, []],
    ['a suspended one', { suspendedAt: at('2026-03-01T00:00:00.000Z') }, []],
    ['a revoked one', { revokedAt: at('2026-03-01T00:00:00.000Z') }, []],
    ['one that was not applied', { appliedAt: undefined }, []],
    ['a trial', { type: 'TRIAL', term: 'trial' }, ['trial 2027-01-01']],
    [
      'maintenance, apart from the license',
      { expiresAt: undefined, maintenanceEndsAt: at('2026-09-01T00:00:00.000Z') },
      ['maintenance 2026-09-01'],
    ],
    ['maintenance with the license', { maintenanceEndsAt: END }, ['expiry 2027-01-01']],
  ])('%s', (_, facts, expected) => {
    expect(ends([license(facts)])).toEqual(expected)
  })

  test('an extension moves the end, and has none of its own; a trial’s end is none once it was bought', () => {
    const base = license()
    const other = 'lic_00000000000000000000000009'
    const later = at('2027-06-01T00:00:00.000Z')
    const extension = license({ id: other, type: 'VALIDITY', extends: base.id, expiresAt: later })
    expect(ends([base, extension])).toEqual(['expiry 2027-06-01'])
    expect(ends([base, license({ id: other, type: 'TRIAL', term: 'trial' })])).toEqual(['expiry 2027-01-01'])
  })
})
