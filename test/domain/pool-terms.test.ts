import { describe, expect, test } from 'vitest'
import { UNLIMITED } from '../../shared/domain/overdraft.ts'
import { offers, seconds, sizeAt } from '../../shared/domain/pool-terms.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const NOW = at('2026-06-01T12:00:00Z')
const MINUTES = 60_000
const genuine = () => true
const held = (...all: readonly LicenseOverrides[]) =>
  holdingsOf(
    all.map((one, index) =>
      aLicense({ allocation: 'floating', limits: { concurrent: 10 }, ...one, id: licenseId(index + 1) }),
    ),
  )
const percent = (of: number) => ({ overdraft: { kind: 'percent', percent: of } }) as const

const sizes: [string, LicenseOverrides[], number, number][] = [
  ['no license', [], 0, 0],
  ['two licenses', [{}, {}], 20, 20],
  ['a named one beside', [{}, { allocation: 'named' }], 10, 10],
  ['a top-up of a floating one', [{}, { type: 'TOPUP', extends: licenseId(1), allocation: 'named' }], 20, 20],
  ['an unlimited one', [{}, { limits: { concurrent: 'unlimited' } }], UNLIMITED, UNLIMITED],
  [
    'an absolute overdraft each',
    [
      { rules: { overdraft: { kind: 'absolute', units: 2 } } },
      { rules: { overdraft: { kind: 'absolute', units: 1 } } },
    ],
    20,
    23,
  ],
  ['a percentage of its own units alone', [{ rules: percent(25) }, {}], 20, 22],
]

test.each(sizes)('%s', (_, licenses, capacity, limit) => {
  expect(sizeAt(held(...licenses), 'concurrent', NOW, genuine)).toMatchObject({ capacity, limit })
})

describe('a lease of ten minutes', () => {
  const offered = (...licenses: readonly LicenseOverrides[]) =>
    offers(held(...licenses), 'concurrent', NOW, 10 * MINUTES, genuine).offers.map(
      ({ limit, until, overdraft }) => [
        limit,
        (until - seconds(NOW)) / 60,
        ...(overdraft ? ['overdraft'] : []),
      ],
    )
  const end = (time: string) => ({ expiresAt: `2026-06-01T${time}Z` })

  test('is offered whole while nothing ends', () => {
    expect(offered({})).toEqual([[10, 10]])
  })

  test('is offered within the capacity before the overdraft', () => {
    expect(offered({ rules: percent(20) })).toEqual([
      [10, 10],
      [12, 10, 'overdraft'],
    ])
  })

  test('is whole for as many as fit after a license has ended, and ends with it for the others', () => {
    expect(offered({}, { ...end('12:04:00'), limits: { concurrent: 3 } }, end('12:06:00'))).toEqual([
      [10, 10],
      [20, 6],
      [23, 4],
    ])
  })

  test('does not end at an expiry that grace goes on after', () => {
    const grace = { ...end('12:04:00'), graceDays: 1, graceEndsAt: '2026-06-02T12:04:00Z' }
    expect(offered(grace)).toEqual([[10, 10]])
  })

  test('is not given against capacity that is still to come', () => {
    expect(offered({}, { validFrom: '2026-06-01T12:02:00Z' })).toEqual([[10, 10]])
  })
})
