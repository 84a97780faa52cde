import { describe, expect, test } from 'vitest'
import { machineTerms } from '../../shared/domain/activation-terms.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const NOW = at('2026-07-01T00:00:00Z')

/** Within what the components of a machine are unique, asked without a license key. */
function scopeOf(...licenses: LicenseOverrides[]): string {
  const rules = { fingerprints: { match: 'any', unique: 'license' } } as const
  const all = licenses.map((one, index) =>
    aLicense({
      ...{ id: licenseId(index + 1), allocation: 'node-locked', limits: { machines: 5 }, rules },
      ...one,
    }),
  )
  const terms = machineTerms(holdingsOf(all), undefined, NOW, () => true)
  return isRefusal(terms) ? terms.refused : terms.scope
}

test('the renewal of one of several licenses leaves a machine where it is', () => {
  const [sooner, later] = [{ expiresAt: '2027-01-01T00:00:00Z' }, { expiresAt: '2028-01-01T00:00:00Z' }]
  const own = `license:${licenseId(1)}`
  expect([scopeOf(sooner, sooner), scopeOf(sooner, later), scopeOf(later, sooner)]).toEqual([own, own, own])
  const inGrace = { expiresAt: '2026-06-20T00:00:00Z', graceDays: 30, graceEndsAt: '2026-07-20T00:00:00Z' }
  expect(scopeOf(inGrace, later)).toBe(own)
  expect(scopeOf({ ...later, type: 'TRIAL', term: 'trial' }, sooner)).toBe(`license:${licenseId(2)}`)
})

describe('what machines get places of', () => {
  const LOCKED = { allocation: 'node-locked', limits: { machines: 5 } } satisfies LicenseOverrides
  const OVER = { expiresAt: '2026-06-30T00:00:00Z' }
  const terms = (asking: number | undefined, ...licenses: LicenseOverrides[]) => {
    const all = licenses.map((one, index) => aLicense({ id: licenseId(index + 1), ...LOCKED, ...one }))
    return machineTerms(
      holdingsOf(all),
      asking === undefined ? undefined : licenseId(asking),
      NOW,
      () => true,
    )
  }
  const numbers = (all: readonly { id: string }[]) => all.map(({ id }) => Number(id.slice(-2)))
  const ADDS = { limits: { seats: 5 } }

  /** The license that asks, those there are; places, under which one is activated, those of which one covers the place. */
  test.each<[string, number | undefined, LicenseOverrides[], number, number, number[]]>([
    ['of all that are in force', undefined, [{}, {}, OVER], 10, 1, [1, 2]],
    ['of node-locked licenses alone', undefined, [{ allocation: 'floating' }, {}], 5, 2, [2]],
    [
      'of what adds to one',
      undefined,
      [{}, { allocation: 'floating', type: 'TOPUP', extends: licenseId(1) }],
      10,
      1,
      [1, 2],
    ],
    ['not of what gives no machines', undefined, [{}, ADDS], 5, 1, [1]],
    ['of all, whichever asks', 2, [{}, {}], 10, 2, [2]],
    ['of all, where the one that asks gives none', 2, [{}, ADDS], 5, 2, [1]],
  ])('%s', (_, asking, licenses, capacity, under, givers) => {
    const found = terms(asking, ...licenses)
    if (isRefusal(found)) throw new Error(found.refused)
    expect(found.size.capacity).toBe(capacity)
    expect(numbers([found.license])).toEqual([under])
    expect(numbers(found.givers)).toEqual(givers)
  })

  test.each<[string, number | undefined, LicenseOverrides[]]>([
    ['no license is in force', undefined, [OVER]],
    ['none that is in force is for machines', undefined, [{ allocation: 'floating' }, OVER]],
    ['the one that asks is not in force', 2, [{}, OVER]],
    ['the one that asks is not known', 3, [{}, {}]],
  ])('is nothing where %s', (_, asking, licenses) => {
    expect(terms(asking, ...licenses)).toMatchObject({ refused: 'LICENSE_NOT_IN_FORCE' })
  })

  test('the first in the order of precedence that has a rule decides it', () => {
    const rule = (allowed: number) => ({ rules: { deactivations: { allowed, period: 'P1M' } } })
    const trial = { type: 'TRIAL', term: 'trial', ...rule(1) } as const
    expect(terms(undefined, trial, {}, rule(7))).toMatchObject({
      deactivations: { allowed: 7 },
      match: 'any',
    })
    const match = { rules: { fingerprints: { match: 'all' } } } as const
    expect(terms(undefined, {}, match)).toMatchObject({ match: 'all', scope: 'product' })
  })
})
