import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  begunTerm,
  type Dated,
  effectiveTerm,
  isInForce,
  nextChange,
  type Status,
  statusAt,
  statusByDates,
} from '../../shared/domain/status.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { at } from '../support/licenses.ts'
import { nearTick, tick } from './arbitraries.ts'

/** A license, or an extension, that runs from one tick to another, with grace after it. */
function dated(from: number, to?: number, grace?: number, more: Partial<Dated> = {}): Dated {
  return {
    validFrom: tick(from),
    ...(to !== undefined && { expiresAt: tick(to) }),
    ...(to !== undefined && grace !== undefined && { graceEndsAt: tick(to + grace) }),
    ...more,
  }
}

describe('statusAt', () => {
  const year = {
    validFrom: at('2026-01-01T00:00:00Z'),
    expiresAt: at('2027-01-01T00:00:00Z'),
    graceEndsAt: at('2027-01-15T00:00:00Z'),
  }

  test.each<[string, Status]>([
    ['2000-01-01T00:00:00.000Z', 'PENDING'],
    ['2025-12-31T23:59:59.999Z', 'PENDING'],
    ['2026-01-01T00:00:00.000Z', 'ACTIVE'],
    ['2026-12-31T23:59:59.999Z', 'ACTIVE'],
    ['2027-01-01T00:00:00.000Z', 'GRACE'],
    ['2027-01-14T23:59:59.999Z', 'GRACE'],
    ['2027-01-15T00:00:00.000Z', 'EXPIRED'],
    ['9999-12-31T23:59:59.999Z', 'EXPIRED'],
  ])('at %s: %s', (now, status) => {
    expect(statusAt(year, at(now))).toBe(status)
  })

  test.each<[string, Dated, Status]>([
    ['without grace it expires at its end', dated(0, 10), 'EXPIRED'],
    ['with grace it works on', dated(0, 10, 1), 'GRACE'],
    ['without an end it stays active', dated(0), 'ACTIVE'],
    ['a start at this very instant counts', dated(10, 20), 'ACTIVE'],
    ['a start one tick later does not', dated(11, 20), 'PENDING'],
  ])('%s', (_, license, status) => {
    expect(statusAt(license, tick(10))).toBe(status)
  })

  describe('first match wins', () => {
    const suspendedAt = tick(1)
    const revokedAt = tick(2)
    const phases: [Status, Dated][] = [
      ['PENDING', dated(50, 60, 5)],
      ['ACTIVE', dated(0, 60, 5)],
      ['GRACE', dated(0, 9, 5)],
      ['EXPIRED', dated(0, 5, 1)],
    ]
    test.each(phases)('%s by dates', (phase, license) => {
      const seen = (more: Partial<Dated>) => statusAt({ ...license, ...more }, tick(10))
      expect(seen({})).toBe(phase)
      expect(seen({ suspendedAt })).toBe('SUSPENDED')
      expect(seen({ revokedAt })).toBe('REVOKED')
      expect(seen({ suspendedAt, revokedAt })).toBe('REVOKED')
      expect(statusByDates({ ...license, suspendedAt, revokedAt }, tick(10))).toBe(phase)
    })

    test('suspended and revoked are facts, whenever they were recorded', () => {
      expect(statusAt(dated(0, 60, 5, { suspendedAt: tick(30) }), tick(10))).toBe('SUSPENDED')
      expect(statusAt(dated(0, 60, 5, { revokedAt: tick(30) }), tick(10))).toBe('REVOKED')
    })
  })

  test.each<[Status, boolean]>([
    ['REVOKED', false],
    ['SUSPENDED', false],
    ['PENDING', false],
    ['ACTIVE', true],
    ['GRACE', true],
    ['EXPIRED', false],
  ])('%s in force: %s', (status, inForce) => {
    expect(isInForce(status)).toBe(inForce)
  })
})

describe('VALIDITY extensions', () => {
  const suspendedAt = tick(0)
  const revokedAt = tick(0)
  test.each<[string, Dated, Dated[], Record<number, Status>]>([
    [
      'an adjoining one carries on',
      dated(0, 10),
      [dated(10, 20)],
      { 9: 'ACTIVE', 10: 'ACTIVE', 19: 'ACTIVE', 20: 'EXPIRED' },
    ],
    [
      'over a gap it comes back',
      dated(0, 10),
      [dated(15, 20)],
      { 9: 'ACTIVE', 10: 'EXPIRED', 14: 'EXPIRED', 15: 'ACTIVE', 20: 'EXPIRED' },
    ],
    [
      'grace bridges a gap as far as it reaches',
      dated(0, 10, 2),
      [dated(15, 20)],
      { 10: 'GRACE', 11: 'GRACE', 12: 'EXPIRED', 15: 'ACTIVE' },
    ],
    [
      'it has grace of its own',
      dated(0, 10),
      [dated(10, 20, 3)],
      { 20: 'GRACE', 22: 'GRACE', 23: 'EXPIRED' },
    ],
    [
      'the later grace lasts',
      dated(0, 10, 9),
      [dated(10, 12, 1)],
      { 11: 'ACTIVE', 12: 'GRACE', 18: 'GRACE', 19: 'EXPIRED' },
    ],
    ['one without an end is for ever', dated(0, 10), [dated(10)], { 10: 'ACTIVE', 9999: 'ACTIVE' }],
    [
      'several chain',
      dated(0, 10),
      [dated(20, 30), dated(10, 20)],
      { 15: 'ACTIVE', 29: 'ACTIVE', 30: 'EXPIRED' },
    ],
    ['one that began earlier starts it earlier', dated(5, 10), [dated(0, 5)], { 0: 'ACTIVE', 5: 'ACTIVE' }],
    ['one still to come does not end a wait', dated(5, 10), [dated(7, 9)], { 4: 'PENDING', 5: 'ACTIVE' }],
    ['a suspended one adds nothing', dated(0, 10), [dated(10, 20, 5, { suspendedAt })], { 10: 'EXPIRED' }],
    ['a revoked one adds nothing', dated(0, 10), [dated(10, 20, 5, { revokedAt })], { 10: 'EXPIRED' }],
    [
      'a suspended license is not saved by one',
      dated(0, 10, 0, { suspendedAt }),
      [dated(10, 20)],
      { 15: 'SUSPENDED' },
    ],
    [
      'a revoked license is not saved by one',
      dated(0, 10, 0, { revokedAt }),
      [dated(10, 20)],
      { 15: 'REVOKED' },
    ],
  ])('%s', (_, license, extensions, expected) => {
    const seen = Object.keys(expected).map((tickNumber) => [
      tickNumber,
      statusAt(license, tick(Number(tickNumber)), extensions),
    ])
    expect(Object.fromEntries(seen)).toEqual(expected)
  })
})

describe('effectiveTerm and begunTerm', () => {
  test.each<[string, Dated, Dated[], object, object]>([
    [
      'alone',
      dated(0, 10, 2),
      [],
      { expiresAt: tick(10), graceEndsAt: tick(12) },
      { expiresAt: tick(10), graceEndsAt: tick(12) },
    ],
    ['extended', dated(0, 10, 2), [dated(8, 20)], { expiresAt: tick(20) }, { expiresAt: tick(20) }],
    [
      'shorter extension, longer grace',
      dated(0, 10, 9),
      [dated(8, 12, 1)],
      { expiresAt: tick(12), graceEndsAt: tick(19) },
      { expiresAt: tick(12), graceEndsAt: tick(19) },
    ],
    ['never by extension', dated(0, 10, 2), [dated(8)], {}, {}],
    [
      'suspended extension',
      dated(0, 10),
      [dated(8, 20, 1, { suspendedAt: tick(1) })],
      { expiresAt: tick(10) },
      { expiresAt: tick(10) },
    ],
    [
      'still to come',
      dated(0, 10, 2),
      [dated(15, 20)],
      { expiresAt: tick(20) },
      { expiresAt: tick(10), graceEndsAt: tick(12) },
    ],
  ])('%s', (_, license, extensions, whole, begun) => {
    expect(effectiveTerm(license, extensions)).toEqual(whole)
    expect(begunTerm(license, tick(11), extensions)).toEqual(begun)
  })
})

describe('over time', () => {
  const period = fc
    .tuple(
      fc.nat(20),
      fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined }),
      fc.option(fc.nat(10), { nil: undefined }),
      fc.constantFrom<Partial<Dated>>({}, {}, {}, {}, { suspendedAt: tick(1) }, { revokedAt: tick(1) }),
    )
    .map(([from, length, grace, more]) =>
      dated(from, length === undefined ? undefined : from + length, grace, more),
    )
  const extensions = fc.array(period, { maxLength: 4 })
  const moment = nearTick(-2, 50)
  /** Every instant at which something could change, and those right beside it. */
  const probes = Array.from({ length: 55 }, (_, index) => index - 2).flatMap((position) =>
    [-1, 0, 1].map((beside) => tick(position, beside)),
  )

  test('exactly the first rule that matches gives the status', () => {
    fc.assert(
      fc.property(period, extensions, moment, (license, extending, now) => {
        const added = extending.filter((one) => !one.suspendedAt && !one.revokedAt)
        const covering = (lasts: (one: Dated) => Instant | undefined) =>
          [license, ...added].some((one) => one.validFrom <= now && now < (lasts(one) ?? 'never'))
        const rules: [Status, boolean][] = [
          ['REVOKED', license.revokedAt !== undefined],
          ['SUSPENDED', license.suspendedAt !== undefined],
          ['PENDING', [license, ...added].every((one) => now < one.validFrom)],
          ['ACTIVE', covering((one) => one.expiresAt)],
          ['GRACE', covering((one) => one.graceEndsAt ?? one.expiresAt)],
          ['EXPIRED', true],
        ]
        expect(statusAt(license, now, extending)).toBe(rules.find(([, holds]) => holds)?.[0])
      }),
      { numRuns: 2000 },
    )
  })

  test('the order of the extensions does not matter', () => {
    fc.assert(
      fc.property(period, extensions, moment, (license, extending, now) => {
        const turned = extending.toReversed()
        expect(statusAt(license, now, turned)).toBe(statusAt(license, now, extending))
        expect(effectiveTerm(license, turned)).toEqual(effectiveTerm(license, extending))
        expect(nextChange(license, now, turned)).toBe(nextChange(license, now, extending))
      }),
    )
  })

  test('the effective term says when a license that has begun ends', () => {
    fc.assert(
      fc.property(period, extensions, nearTick(20, 50), (license, extending, now) => {
        const { expiresAt, graceEndsAt } = effectiveTerm(license, extending)
        const status = statusByDates(license, now, extending)
        if (expiresAt !== undefined && now >= expiresAt) {
          expect(status).toBe(graceEndsAt !== undefined && now < graceEndsAt ? 'GRACE' : 'EXPIRED')
        }
        // Never ending, once the last period has begun.
        const isSettled = nextChange(license, now, extending) === undefined
        if (expiresAt === undefined && isSettled) expect(status).toBe('ACTIVE')
      }),
      { numRuns: 1000 },
    )
  })

  test('what has begun names the end that an EXPIRED or GRACE license has passed', () => {
    fc.assert(
      fc.property(period, extensions, moment, (license, extending, now) => {
        const status = statusByDates(license, now, extending)
        fc.pre(status === 'EXPIRED' || status === 'GRACE')
        const { expiresAt, graceEndsAt } = begunTerm(license, now, extending)
        expect(expiresAt).toBeDefined()
        expect((expiresAt ?? '') <= now).toBe(true)
        expect(graceEndsAt !== undefined && now < graceEndsAt).toBe(status === 'GRACE')
      }),
      { numRuns: 1000 },
    )
  })

  test('no status changes before the next change that was announced', () => {
    fc.assert(
      fc.property(period, extensions, moment, (license, extending, now) => {
        const change = nextChange(license, now, extending)
        const status = statusAt(license, now, extending)
        const until = probes.filter((probe) => probe > now && (change === undefined || probe < change))
        expect(new Set(until.map((probe) => statusAt(license, probe, extending)))).toEqual(
          new Set(until.length > 0 ? [status] : []),
        )
      }),
      { numRuns: 2000 },
    )
  })

  test('the next change is a date of the license or of what extends it, and lies ahead', () => {
    fc.assert(
      fc.property(period, extensions, moment, (license, extending, now) => {
        const change = nextChange(license, now, extending)
        if (change === undefined) return
        expect(change > now).toBe(true)
        expect(
          [license, ...extending].flatMap((one) => [one.validFrom, one.expiresAt, one.graceEndsAt]),
        ).toContain(change)
      }),
    )
  })

  test.each<[string, Dated, Dated[], number, number | undefined]>([
    ['start', dated(5, 10, 2), [], 4, 5],
    ['end', dated(5, 10, 2), [], 5, 10],
    ['end of grace', dated(5, 10, 2), [], 10, 12],
    ['nothing more', dated(5, 10, 2), [], 12, undefined],
    ['never', dated(5), [], 5, undefined],
    ['start of an extension', dated(0, 10), [dated(15, 20)], 10, 15],
    ['end of an extension', dated(0, 10), [dated(15, 20)], 15, 20],
    [
      'not that of a suspended one',
      dated(0, 10),
      [dated(15, 20, 1, { suspendedAt: tick(0) })],
      10,
      undefined,
    ],
  ])('next change: %s', (_, license, extending, now, change) => {
    expect(nextChange(license, tick(now), extending)).toBe(change === undefined ? undefined : tick(change))
  })
})
