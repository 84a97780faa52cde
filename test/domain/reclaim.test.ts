import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commonOf, isOpen, ReclaimCase, reclaimAtOf } from '../../shared/domain/reclaim-case.ts'
import { type ReclaimStep, reclaimStep } from '../../shared/domain/reclaim-decision.ts'
import { isActivityReported, outlookOf } from '../../shared/domain/reclaim-outlook.ts'
import { ReclaimRule, type ReclaimTerms, reclaimTerms } from '../../shared/domain/reclaim-rule.ts'
import type { Seat } from '../../shared/domain/seat.ts'
import { User } from '../../shared/domain/user.ts'
import { OrganizationId, UserId } from '../../shared/platform/ids.ts'
import { DAY, Duration, type Instant, plusMilliseconds, TimeZone } from '../../shared/platform/time.ts'
import { at, PRODUCT, TENANT } from '../support/licenses.ts'

const START = at('2026-01-01T00:00:00.000Z')
const UTC = TimeZone.parse('UTC')
const day = (days: number) => plusMilliseconds(START, days * DAY)
const USER = UserId.parse(`usr_${'1'.padStart(26, '0')}`)
const organization = (number: number) => OrganizationId.parse(`org_${String(number).padStart(26, '0')}`)
const [school, faculty] = [organization(1), organization(2)]

const person = (facts: object = {}) =>
  User.parse({
    id: USER,
    tenantId: TENANT,
    name: 'Ada',
    roles: ['author'],
    status: 'active',
    direct: [],
    withheld: [],
    pending: [],
    holds: [],
    createdAt: START,
    revision: 1,
    version: 1,
    ...facts,
  })
const seat = (metric = 'learners', facts: Partial<Seat> = {}): Seat => ({
  userId: USER,
  productId: PRODUCT,
  metric,
  modules: [metric === 'learners' ? 'learn' : 'exam'],
  sources: ['role:author'],
  assignedAt: START,
  pinned: false,
  ...facts,
})
const MODULES = [
  {
    code: 'learn',
    name: 'Learn',
    metrics: [],
    features: [],
    seat: { metric: 'learners', roles: ['author'] },
  },
  {
    code: 'exam',
    name: 'Exam',
    metrics: [],
    features: [],
    seat: { metric: 'exams', roles: [], requires: ['learn'] },
  },
]
const terms = (rule: object = {}): ReclaimTerms => {
  const found = reclaimTerms([ReclaimRule.parse(rule)], PRODUCT, [], [])
  if (found === undefined) throw new Error('this rule takes nothing')
  return found
}
const outlook = (user: User, now: Instant, rule: object = {}, seats = [seat()]) =>
  outlookOf(user, seats, { modules: MODULES }, terms(rule), now, UTC)

describe('the most specific rule', () => {
  const rules = [
    { inactiveDays: 1 },
    { inactiveDays: 2, productId: PRODUCT },
    { inactiveDays: 3, organizationId: school },
    { inactiveDays: 4, organizationId: school, productId: PRODUCT },
    { inactiveDays: 5, organizationId: faculty, enabled: false },
  ].map((rule) => ReclaimRule.parse(rule))
  const sold = [{}, { reclaim: { inactiveFor: Duration.parse('P2M'), noticeDays: [] } }]

  test.each([
    ['of the organization and product', rules, [school], 'P4D'],
    ['of a nearer organization, which may take nothing', rules, [faculty, school], undefined],
    ['of the organization above', rules.slice(0, 3), [faculty, school], 'P3D'],
    ['of the product', rules, [], 'P2D'],
    ['of the tenant', rules.slice(0, 1), [faculty], 'P1D'],
    ['of the plan, where the tenant says nothing', [], [faculty], 'P2M'],
    ['of the plan, where the tenant says nothing of this', rules.slice(2), [], 'P2M'],
  ] as const)('%s', (_, own, path, expected) => {
    expect(reclaimTerms(own, PRODUCT, path, sold)?.inactiveFor).toBe(expected)
  })

  test('is none where nobody says any; and nobody can say that it goes untold', () => {
    expect(reclaimTerms([], PRODUCT, [], [{}])).toBeUndefined()
    expect(reclaimTerms([], PRODUCT, [], sold)?.noticeDays).toEqual([7, 1])
    const absurd = { reclaim: { inactiveFor: Duration.parse('P2M'), noticeDays: [9_000_000, 7] } }
    expect(reclaimTerms([], PRODUCT, [], [absurd])?.noticeDays).toEqual([3650, 7])
    expect(ReclaimRule.safeParse({ noticeDays: [] }).success).toBe(false)
  })
})

describe('what a person’s facts say', () => {
  test.each([
    ['not seen for 90 days', { lastActiveAt: day(10) }, {}, 'INACTIVE', 100],
    ['seen before the seat was given', { lastActiveAt: plusMilliseconds(START, -DAY) }, {}, 'INACTIVE', 90],
    ['never seen', {}, { neverSeenDays: 30 }, 'NEVER_SEEN', 30],
    ['back from leave', { lastActiveAt: day(1), onLeaveUntil: day(50) }, {}, 'INACTIVE', 140],
    ['suspended', { lastActiveAt: day(1), status: 'suspended', suspendedAt: day(2) }, {}, 'SUSPENDED', 32],
    ['left', { lastActiveAt: day(1), leftDirectoryAt: day(3) }, {}, 'LEFT_DIRECTORY', 3],
    [
      'suspended, which takes nothing',
      { lastActiveAt: day(1), status: 'suspended', suspendedAt: day(2) },
      { suspendedDays: null },
      'INACTIVE',
      91,
    ],
    [
      'left, which takes nothing',
      { lastActiveAt: day(1), leftDirectoryAt: day(3) },
      { leftDays: null },
      'INACTIVE',
      91,
    ],
    ['at the end of leave', { lastActiveAt: day(1), onLeaveUntil: day(200) }, {}, 'INACTIVE', 290],
  ])('%s', (_, facts, rule, reason, due) => {
    const found = outlook(person(facts), day(200), rule)
    expect(found).toMatchObject({ reason, dueAt: day(due) })
    expect(found?.excludedBy).toBeUndefined()
  })

  test.each([
    ['EXEMPT', { reclaimExempt: true }, {}, [seat()]],
    ['EXEMPT_ROLE', {}, { exemptRoles: ['author'] }, [seat()]],
    ['ON_LEAVE', { onLeaveUntil: day(300) }, {}, [seat()]],
    ['PINNED', {}, {}, [seat('learners', { pinned: true })]],
    ['PINNED', {}, {}, [seat(), seat('exams', { pinned: true })]],
  ])('is overruled: %s', (excludedBy, facts, rule, seats) => {
    const found = outlook(person({ lastActiveAt: START, ...facts }), day(200), rule, seats)
    expect(found?.excludedBy).toBe(excludedBy)
  })

  test('no leave lasts for so long that nothing can be counted from its end', () => {
    expect(() => person({ onLeaveUntil: '9999-12-31T00:00:00Z' })).toThrow('before the year 7000')
  })

  test('a pinned seat stays, and the others go', () => {
    const found = outlook(person(), day(200), {}, [seat('learners', { pinned: true }), seat('exams')])
    expect(found?.seats.map(({ metric }) => metric)).toEqual(['exams'])
  })

  test('a seat stays of which a pinned one needs a part', () => {
    const both = seat('learners', { modules: ['learn', 'practice'] })
    const found = outlook(person(), day(200), {}, [both, seat('exams', { pinned: true })])
    expect(found).toMatchObject({ excludedBy: 'PINNED' })
  })

  test('a reason that was taken away is none', () => {
    expect(outlook(person({ lastActiveAt: START }), day(200), { inactiveDays: null })).toBeUndefined()
  })
})

/** What happens to one person, day by day. */
type Life = {
  readonly seen: readonly number[]
  readonly runs: (day: number) => boolean
  readonly keeps?: readonly number[]
}
type Told = {
  readonly day: number
  readonly does: ReclaimStep['does'] | 'keep'
  readonly days?: number
  readonly because?: string
}

/** The job over the days of a life, as functions/seats/reclaim-person.ts does it. */
function live({ seen, runs, keeps = [] }: Life, days: number, rule: object = {}, isReported = true): Told[] {
  const told: Told[] = []
  let last: ReclaimCase | undefined
  let seats = [seat()]
  for (let today = 0; today < days; today += 1) {
    const now = day(today)
    const lastSeen = seen.filter((one) => one <= today).toSorted((a, b) => b - a)[0]
    const user = person(lastSeen === undefined ? {} : { lastActiveAt: day(lastSeen) })
    if (keeps.includes(today) && last !== undefined && isOpen(last)) {
      last = {
        ...commonOf(last),
        state: 'kept',
        endedAt: now,
        by: USER,
        quietUntil: plusMilliseconds(now, 90 * DAY),
      }
      told.push({ day: today, does: 'keep' })
    }
    for (let more = runs(today); more; ) {
      const step = reclaimStep(user, last, outlook(user, now, rule, seats), terms(rule), { isReported }, now)
      more = step.does !== 'wait' && step.does !== 'reclaim'
      if (step.does !== 'wait')
        told.push({
          day: today,
          does: step.does,
          ...(step.does === 'notify' && { days: step.days }),
          ...(step.does === 'cancel' && { because: step.because }),
        })
      if ('to' in step) last = step.to
      if (step.does === 'wait') expect(step.lookAt === undefined || step.lookAt > now).toBe(true)
      if (step.does === 'reclaim') {
        expect(reclaimAtOf(step.of, step.of.dueAt) <= now).toBe(true)
        seats = []
        return told
      }
    }
  }
  return told
}
const story = (told: readonly Told[]) =>
  told.map(({ day, does, days, because }) =>
    [day, does, days, because].filter((one) => one !== undefined).join(' '),
  )
const daily = () => true

describe('over months', () => {
  test('who is not seen any more is told 7 days and 1 day before', () => {
    expect(story(live({ seen: [3], runs: daily }, 200))).toEqual([
      '86 open',
      '86 notify 7',
      '92 notify 1',
      '93 reclaim',
    ])
  })

  test('who is seen while waiting keeps the seat, and is told anew the next time', () => {
    expect(story(live({ seen: [0, 89], runs: daily }, 400))).toEqual([
      '83 open',
      '83 notify 7',
      '89 cancel ACTIVITY',
      '172 open',
      '172 notify 7',
      '178 notify 1',
      '179 reclaim',
    ])
  })

  test('who keeps the seat is left alone for the cooldown', () => {
    const told = live({ seen: [0], runs: daily, keeps: [85] }, 400)
    expect(story(told)).toEqual([
      '83 open',
      '83 notify 7',
      '85 keep',
      '175 open',
      '175 notify 7',
      '181 notify 1',
      '182 reclaim',
    ])
  })

  test('after an outage of two weeks nobody loses a seat without the last day’s notice', () => {
    const runs = (today: number) => today < 84 || today >= 98
    expect(story(live({ seen: [0], runs }, 200))).toEqual([
      '83 open',
      '83 notify 7',
      '98 notify 1',
      '99 reclaim',
    ])
    expect(story(live({ seen: [0], runs: (today) => today >= 300 }, 400))).toEqual([
      '300 open',
      '300 notify 7',
      '306 notify 1',
      '307 reclaim',
    ])
  })

  test('where nobody’s activity is reported, nobody is taken for inactive', () => {
    expect(live({ seen: [0], runs: daily }, 200, {}, false)).toEqual([])
  })

  test('a rule that is off, or wider, ends what was begun', () => {
    const open = live({ seen: [0], runs: daily }, 84).at(-1)
    expect(open?.does).toBe('notify')
    const user = person({ lastActiveAt: START })
    const first = reclaimStep(user, undefined, outlook(user, day(84)), terms(), { isReported: true }, day(84))
    const last = 'to' in first ? first.to : undefined
    const stepBy = (rule: ReclaimTerms | undefined) =>
      reclaimStep(
        user,
        last,
        outlookOf(user, [seat()], { modules: MODULES }, rule, day(85), UTC),
        rule,
        { isReported: true },
        day(85),
      )
    expect(stepBy(undefined)).toMatchObject({ does: 'cancel', because: 'RULES_CHANGED' })
    expect(stepBy(terms({ inactiveDays: 120 }))).toMatchObject({ does: 'cancel', because: 'RULES_CHANGED' })
    expect(stepBy(terms({ inactiveDays: 88 }))).toMatchObject({ does: 'notify', days: 7 })
  })

  test('what ends a case is told', () => {
    const seen = { lastActiveAt: day(2) }
    const step = (last: ReclaimCase | undefined, facts: object, now: Instant, seats?: Seat[]) => {
      const user = person({ ...seen, ...facts })
      return reclaimStep(user, last, outlook(user, now, {}, seats), terms(), { isReported: true }, now)
    }
    const opened = step(undefined, {}, day(86))
    const last = 'to' in opened ? opened.to : undefined
    const because = (facts: object, seats?: Seat[]) => {
      const next = step(last, facts, day(86), seats)
      return next.does === 'cancel' ? next.because : next.does
    }
    expect(because({})).toBe('notify')
    expect(because({ lastActiveAt: day(3) })).toBe('ACTIVITY')
    // An earlier day is a correction.
    expect(because({ lastActiveAt: day(1) })).toBe('FACTS_CHANGED')
    // Leave that is over is no activity.
    expect(because({ onLeaveUntil: day(80) })).toBe('FACTS_CHANGED')
    expect(because({ status: 'suspended', suspendedAt: day(3) })).toBe('FACTS_CHANGED')
    expect(because({}, [])).toBe('FACTS_CHANGED')
    expect(because({}, [seat(), seat('exams')])).toBe('FACTS_CHANGED')
    expect(because({ reclaimExempt: true })).toBe('EXCLUDED')
  })

  test.each(['kept', 'restored'] as const)(
    'after its seats were %s nothing begins within the cooldown',
    (state) => {
      const opened = reclaimStep(
        person(),
        undefined,
        outlook(person(), day(90)),
        terms(),
        { isReported: true },
        day(90),
      )
      if (opened.does !== 'open') throw new Error('not opened')
      const last = ReclaimCase.parse({
        ...commonOf(opened.to),
        state,
        endedAt: day(90),
        by: USER,
        quietUntil: day(150),
      })
      const step = (now: Instant) =>
        reclaimStep(person(), last, outlook(person(), now), terms(), { isReported: true }, now)
      const within = { does: 'wait', excludedBy: 'COOLDOWN', lookAt: day(150) }
      expect(step(plusMilliseconds(day(150), -1))).toEqual(within)
      expect(step(day(150))).toMatchObject({ does: 'open', to: { version: opened.to.version + 2 } })
    },
  )

  test.each([
    ['INACTIVE', { lastActiveAt: START }, 'ACTIVITY_NOT_REPORTED'],
    ['NEVER_SEEN', {}, 'ACTIVITY_NOT_REPORTED'],
    ['SUSPENDED', { status: 'suspended', suspendedAt: START }, undefined],
    ['LEFT_DIRECTORY', { leftDirectoryAt: START }, undefined],
  ])('where nobody’s activity is reported: %s', (reason, facts, excludedBy) => {
    const user = person(facts)
    const found = outlook(user, day(200))
    expect(found?.reason).toBe(reason)
    const step = reclaimStep(user, undefined, found, terms(), { isReported: false }, day(200))
    expect('excludedBy' in step ? step.excludedBy : undefined).toBe(excludedBy)
  })

  test.each([
    ['nothing asks for it', null, undefined, true],
    ['nobody was ever seen', 30, undefined, false],
    ['somebody was, just within', 30, '2026-05-02', true],
    ['somebody was, before', 30, '2026-05-01', false],
  ])('activity is reported or not: %s', (_, days, lastDay, reported) => {
    expect(isActivityReported(days, lastDay, (some) => (some === 30 ? '2026-05-02' : 'none'))).toBe(reported)
  })

  test('is not canceled by a clock that is behind the one that opened it', () => {
    const user = person({ lastActiveAt: START })
    const step = (last: ReclaimCase | undefined, now: Instant) =>
      reclaimStep(user, last, outlook(user, now), terms(), { isReported: true }, now)
    const opened = step(undefined, day(83))
    expect(opened).toMatchObject({ does: 'open' })
    const behind = plusMilliseconds(day(83), -1)
    expect(step('to' in opened ? opened.to : undefined, behind)).toEqual({ does: 'wait', lookAt: day(83) })
  })

  test('whatever happens: told before, each notice once, in time, and never who was seen since', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(300), { maxLength: 6 }),
        fc.uniqueArray(fc.nat(300), { maxLength: 3 }),
        fc.uniqueArray(fc.nat(40), { maxLength: 12 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }),
        (seen, keeps, outages, noticeDays) => {
          const runs = (today: number) => !outages.includes(Math.floor(today / 10))
          const told = live({ seen, runs, keeps }, 400, { noticeDays })
          const opened = told.findLastIndex(({ does }) => does === 'open')
          const end = told.at(-1)
          if (end?.does !== 'reclaim') return
          const notices = told.slice(opened).filter(({ does }) => does === 'notify')
          expect(notices.map(({ days }) => days)).toEqual(noticeDays.toSorted((a, b) => b - a))
          for (const one of notices) expect(end.day - one.day).toBeGreaterThanOrEqual(one.days ?? 0)
          const since = Math.max(0, ...seen.filter((one) => one <= end.day))
          expect(end.day - since).toBeGreaterThanOrEqual(90)
          expect(keeps.some((one) => one > (told[opened]?.day ?? 0) && one < end.day)).toBe(false)
        },
      ),
    )
  })
})
