import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { CONFIDENCES, Countries } from '../../shared/domain/country.ts'
import { type Place, placeOf, visitOf } from '../../shared/domain/place.ts'
import { placeFindings } from '../../shared/domain/place-findings.ts'
import { type Shown, sightingsOf } from '../../shared/domain/sighting.ts'
import { forgottenOn, type Visit, withVisit } from '../../shared/domain/visits.ts'
import { Day, Duration, dayOf, shiftDay, TimeZone } from '../../shared/platform/time.ts'
import { at } from '../support/licenses.ts'

const day = (text: string) => Day.parse(text)
const duration = (text: string) => Duration.parse(text)
const inDe = (more: object = {}): Countries => Countries.parse({ allow: ['DE'], ...more })
const ip = (country: string, confidence: (typeof CONFIDENCES)[number]) => ({ country, confidence })
const TODAY = day('2026-07-01')

describe('what is known of a country', () => {
  // What is shown, and in which order it counts.
  test.each<[string, Partial<Shown>, string[]]>([
    ['nothing', {}, []],
    ['the edge alone', { edge: 'FR' }, ['edge FR high']],
    ['a declaration alone', { declared: 'FR' }, ['declared FR medium']],
    ['the edge against a declaration', { edge: 'FR', declared: 'DE' }, ['edge FR high', 'declared DE low']],
    ['both the same', { edge: 'DE', declared: 'DE' }, ['edge DE high', 'declared DE medium']],
    ['the edge before a database', { edge: 'FR', ip: ip('DE', 'high') }, ['edge FR high']],
    ['a good database', { ip: ip('FR', 'medium'), declared: 'DE' }, ['ip FR medium', 'declared DE low']],
    ['a poor database', { ip: ip('FR', 'low'), declared: 'DE' }, ['ip FR low', 'declared DE low']],
    ['a poor one that agrees', { ip: ip('DE', 'low'), declared: 'DE' }, ['declared DE medium', 'ip DE low']],
    ['a back end', { edge: 'US', declared: 'DE', relayed: true }, ['declared DE medium', 'edge US low']],
    ['a silent back end', { ip: ip('US', 'high'), relayed: true }, ['ip US low']],
  ])('%s', (_, shown, expected) => {
    const seen = sightingsOf({ relayed: false, ...shown })
    expect(seen.map(({ source, country, confidence }) => [source, country, confidence].join(' '))).toEqual(
      expected,
    )
  })
})

describe('where somebody is', () => {
  const verdictOf = (rule: Countries, shown: Partial<Shown>) =>
    placeOf(rule, sightingsOf({ relayed: false, ...shown }), [], TODAY)

  test.each<[string, Countries, Partial<Shown>, string, string | undefined]>([
    ['allowed', inDe(), { edge: 'DE' }, 'inside', undefined],
    ['not allowed', inDe(), { edge: 'FR' }, 'outside', 'COUNTRY_NOT_ALLOWED'],
    ['denied', Countries.parse({ deny: ['FR'] }), { edge: 'FR' }, 'outside', 'COUNTRY_NOT_ALLOWED'],
    ['not denied', Countries.parse({ deny: ['FR'] }), { edge: 'DE' }, 'inside', undefined],
    ['unknown', inDe(), {}, 'unknown', 'COUNTRY_REQUIRED'],
    ['unknown, which is allowed', inDe({ unknown: 'allow' }), {}, 'unknown', 'COUNTRY_UNKNOWN'],
    ['declared outside', inDe(), { declared: 'FR' }, 'outside', 'COUNTRY_NOT_ALLOWED'],
    ['a poor database says outside', inDe(), { ip: ip('FR', 'low') }, 'outside', 'COUNTRY_DOUBTFUL'],
    [
      'the same, and the plan is strict',
      inDe({ minimumConfidence: 'low' }),
      { ip: ip('FR', 'low') },
      'outside',
      'COUNTRY_NOT_ALLOWED',
    ],
    ['a poor database says inside', inDe(), { ip: ip('DE', 'low') }, 'inside', undefined],
    [
      'declared, and only the edge is certain enough',
      inDe({ minimumConfidence: 'high' }),
      { declared: 'FR' },
      'outside',
      'COUNTRY_DOUBTFUL',
    ],
    [
      'the edge belies what is declared',
      inDe(),
      { edge: 'FR', declared: 'DE' },
      'outside',
      'COUNTRY_NOT_ALLOWED',
    ],
    [
      'declared, which is ignored',
      inDe({ declared: 'ignore' }),
      { declared: 'DE' },
      'unknown',
      'COUNTRY_REQUIRED',
    ],
    ['travel', inDe({ travel: { days: 1, window: 'P1Y' } }), { edge: 'FR' }, 'travel', 'TRAVELING'],
    [
      'not certain enough to use up travel',
      inDe({ travel: { days: 1, window: 'P1Y' } }),
      { ip: ip('FR', 'low') },
      'outside',
      'COUNTRY_DOUBTFUL',
    ],
    [
      'no travel to what is denied by name',
      inDe({ deny: ['KP'], travel: { days: 1, window: 'P1Y' } }),
      { edge: 'KP' },
      'outside',
      'COUNTRY_NOT_ALLOWED',
    ],
  ])('%s', (_, rule, shown, verdict, code) => {
    const place = verdictOf(rule, shown)
    const [finding, ...others] = placeFindings(rule, place)
    expect([place.verdict, finding?.code, others]).toEqual([verdict, code, []])
    expect(place.refused).toBe(finding?.severity === 'error')
  })

  test('says what it was decided on, and what was said besides', () => {
    const rule = inDe()
    const [finding] = placeFindings(rule, verdictOf(rule, { edge: 'FR', declared: 'DE' }))
    expect(finding).toMatchObject({
      detail: 'The license does not cover FR (seen by the edge, high confidence; declared: DE).',
      cure: 'Use it in DE.',
    })
  })

  test('properties: what the network shows for certain decides, and only what is outside is noted', () => {
    const country = fc.constantFrom('DE', 'FR', 'CH')
    const some = fc.option(country, { nil: undefined })
    fc.assert(
      fc.property(
        some,
        some,
        fc.constantFrom(...CONFIDENCES),
        fc.constantFrom(...CONFIDENCES),
        fc.boolean(),
        (declared, network, confidence, minimumConfidence, relayed) => {
          const rule = inDe({ minimumConfidence })
          const shown = { declared, relayed, ip: network && ip(network, confidence) }
          const place = placeOf(rule, sightingsOf(shown), [], TODAY)
          expect(visitOf(place) !== undefined).toBe(place.verdict === 'outside')
          expect(place.verdict === 'unknown').toBe(declared === undefined && network === undefined)
          // What the network shows for certain is where an application is, whatever it says.
          const surer = { ...shown, ip: network && ip(network, 'high') }
          const isSure = network !== undefined && !relayed
          if (isSure && network === 'DE')
            expect(placeOf(rule, sightingsOf(surer), [], TODAY).verdict).toBe('inside')
          if (isSure && network !== 'DE')
            expect(placeOf(rule, sightingsOf(surer), [], TODAY).refused).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })
})

/** Uses a license outside, on these days one after the other; the days that were refused. */
function travel(
  rule: Countries,
  days: readonly Day[],
): { visits: Visit[]; refused: Day[]; last: Place | undefined } {
  let visits: Visit[] = []
  const refused: Day[] = []
  let last: Place | undefined
  for (const today of days) {
    last = placeOf(rule, sightingsOf({ edge: 'FR', relayed: false }), visits, today)
    const visit = visitOf(last)
    visits = (visit && withVisit(rule, visits, visit)) ?? visits
    if (last.refused) refused.push(today)
  }
  return { visits, refused, last }
}

describe('travel', () => {
  const rule = inDe({ travel: { days: 3, window: 'P7D' } })
  const days = (...numbers: number[]) => numbers.map((number) => shiftDay(TODAY, duration(`P${number}D`), 1))

  test('day by day: three days of seven, and a day is free again when one leaves the window', () => {
    expect(travel(rule, days(1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)).refused).toEqual(days(4, 5, 6, 7, 11))
    expect(travel(rule, days(1, 3, 5, 6)).last).toMatchObject({
      verdict: 'outside',
      travel: { used: 3, allowed: 3, window: 'P7D', freeOn: days(8)[0] },
    })
  })

  test('of calendar months: free on the first day whose own window has room', () => {
    const monthly = inDe({ travel: { days: 1, window: 'P1M' } })
    const used = travel(monthly, [day('2026-01-31'), day('2026-02-27')])
    expect(used.refused).toEqual([day('2026-02-27')])
    expect(used.last?.travel?.freeOn).toBe('2026-03-01')
    expect(travel(monthly, [day('2026-01-31'), day('2026-03-01')]).refused).toEqual([])
  })

  test('properties: no window has more days than allowed, none is refused while there is room', () => {
    const offsets = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 })
    fc.assert(
      fc.property(
        offsets,
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom('P7D', 'P2W', 'P1M'),
        (list, allowed, window) => {
          const own = inDe({ travel: { days: allowed, window } })
          const asked = days(...list.toSorted((a, b) => a - b))
          const { visits, refused, last } = travel(own, asked)
          const used = new Set(visits.filter(({ verdict }) => verdict === 'travel').map((one) => one.day))
          const within = (end: Day) =>
            [...used].filter((one) => one <= end && one > shiftDay(end, duration(window), -1)).length
          for (const end of new Set(asked)) {
            expect(within(end)).toBeLessThanOrEqual(allowed)
            if (refused.includes(end)) expect(within(end)).toBe(allowed)
            else expect(used.has(end)).toBe(true)
          }
          const free = last?.travel?.freeOn
          if (free === undefined) return
          expect(travel(own, [...asked, free]).last?.verdict).toBe('travel')
          const eve = shiftDay(free, duration('P1D'), -1)
          expect(travel(own, [...asked, eve]).last?.verdict).toBe('outside')
        },
      ),
      { numRuns: 200 },
    )
  })

  test('a function whose clock is a day behind finds the day taken that another one gave', () => {
    const once = inDe({ travel: { days: 1, window: 'P7D' } })
    expect(travel(once, days(2, 1)).refused).toEqual(days(1))
  })

  test('the same country on the same day is noted once; a doubtful sighting can become a certain one', () => {
    const doubtful = placeOf(rule, sightingsOf({ ip: ip('FR', 'low'), relayed: false }), [], TODAY)
    const certain = placeOf(rule, sightingsOf({ edge: 'FR', relayed: false }), [], TODAY)
    const noted = (visits: readonly Visit[], place: Place) => {
      const visit = visitOf(place)
      return visit && withVisit(rule, visits, visit)
    }
    const first = noted([], doubtful) ?? []
    expect(noted(first, doubtful)).toBeUndefined()
    const second = noted(first, certain) ?? []
    expect(second).toEqual([
      { day: TODAY, country: 'FR', source: 'edge', confidence: 'high', verdict: 'travel', refused: false },
    ])
    expect(noted(second, certain)).toBeUndefined()
    expect(noted(second, doubtful)).toBeUndefined()
  })

  test('a row stays small, whatever countries are told, and keeps the days that count', () => {
    const some: Visit[] = []
    let visits = some
    for (const number of Array.from({ length: 120 }, (_, index) => index)) {
      const today = shiftDay(TODAY, duration(`P${number + 1}D`), 1)
      for (const country of ['FR', 'CH', 'AT', 'IT', 'ES', 'PT', 'BE', 'NL', 'LU', 'PL', 'CZ', 'DK']) {
        const visit = visitOf(placeOf(rule, sightingsOf({ edge: country, relayed: false }), visits, today))
        visits = (visit && withVisit(rule, visits, visit)) ?? visits
      }
    }
    const travelled = new Set(visits.filter(({ verdict }) => verdict === 'travel').map((one) => one.day))
    // Three days of each seven.
    expect(travelled.size).toBe(52)
    expect(visits.filter(({ verdict }) => verdict === 'outside')).toHaveLength(100)
    expect(visits.length).toBeLessThan(52 * 10 + 101)
  })

  test('what is noted is kept for as long as the allowance asks for it', () => {
    expect(forgottenOn(inDe(), TODAY)).toBe(shiftDay(TODAY, duration('P400D'), 1))
    expect(forgottenOn(inDe({ travel: { days: 3, window: 'P2Y' } }), TODAY)).toBe('2028-07-01')
  })
})

describe('days', () => {
  test.each([
    ['Europe/Berlin', '2026-07-01T21:59:59.999Z', '2026-07-01'],
    ['Europe/Berlin', '2026-07-01T22:00:00.000Z', '2026-07-02'],
    ['Pacific/Auckland', '2026-07-01T12:00:00.000Z', '2026-07-02'],
    ['America/Los_Angeles', '2026-01-01T07:59:59.999Z', '2025-12-31'],
    ['UTC', '2028-02-29T23:59:59.999Z', '2028-02-29'],
  ])('in %s, %s is on %s', (zone, instant, expected) => {
    expect(dayOf(at(instant), TimeZone.parse(zone))).toBe(expected)
  })

  test('are shifted as Temporal shifts them', () => {
    const some = (max: number) => fc.integer({ min: 0, max })
    const text = fc.oneof(
      fc.integer({ min: 1, max: 60 }).map((weeks) => `P${weeks}W`),
      fc.tuple(some(3), some(30), some(400)).map(([y, m, d]) => `P${y}Y${m}M${d + 1}D`),
      fc.integer({ min: 1, max: 30 }).map((months) => `P${months}M`),
    )
    fc.assert(
      fc.property(some(30_000), text, fc.constantFrom<1 | -1>(1, -1), (days, length, direction) => {
        const from = Temporal.PlainDate.from('1988-01-01').add({ days })
        const expected = direction === 1 ? from.add(length) : from.subtract(length)
        expect(shiftDay(day(from.toString()), duration(length), direction)).toBe(expected.toString())
      }),
      { numRuns: 300 },
    )
  })
})
