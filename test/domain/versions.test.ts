import fc from 'fast-check'
import compare from 'semver/functions/compare.js'
import { describe, expect, it } from 'vitest'
import { Release } from '../../shared/domain/release.ts'
import { Rules } from '../../shared/domain/terms.ts'
import { isFallback, notCovered, upgrades } from '../../shared/domain/versions.ts'
import { aLicense, PRODUCT } from '../support/licenses.ts'

const release = (version: string, releasedAt = '2026-01-01T00:00:00Z', extra: object = {}) =>
  Release.parse({ productId: PRODUCT, version, channel: 'stable', releasedAt, ...extra })

const ruled = (versions: unknown, extra: object = {}) =>
  aLicense({ rules: Rules.parse({ versions }), ...extra })

describe('by number', () => {
  it.each([
    ['^2.1.0', '2.1.0', true],
    ['^2.1.0', '2.9.9', true],
    ['^2.1.0', '3.0.0', false],
    ['^2.1.0', '2.0.9', false],
    ['^2.1.0', '2.3.0-beta.1', true],
    ['>=1.0.0 <3.0.0', '2.5.0', true],
    ['1.x || 3.x', '2.0.0', false],
  ])('range %s and %s: %s', (range, version, covered) => {
    expect(notCovered(ruled({ kind: 'range', range }), release(version))).toBe(
      covered ? undefined : 'VERSION_RULE',
    )
  })

  it.each([
    ['patch', '2.3.9', true],
    ['patch', '2.3.0', true],
    ['patch', '2.2.5', true],
    ['patch', '2.4.0', false],
    ['patch', '3.0.0', false],
    ['minor', '2.99.0', true],
    ['minor', '3.0.0', false],
    ['major', '9.0.0', true],
    ['minor', '1.9.0', true],
    ['patch', '1.9.0', true],
  ])('policy %s from 2.3.0 and %s: %s', (allow, version, covered) => {
    expect(notCovered(ruled({ kind: 'policy', base: '2.3.0', allow }), release(version))).toBe(
      covered ? undefined : 'VERSION_RULE',
    )
  })
})

describe('by date', () => {
  const license = aLicense({ maintenanceEndsAt: '2026-06-01T00:00:00Z' })
  it.each([
    ['2026-05-31T23:59:59.999Z', undefined],
    ['2026-06-01T00:00:00Z', 'MAINTENANCE_ENDED'],
  ])('released at %s: %s', (releasedAt, expected) => {
    expect(notCovered(license, release('5.0.0', releasedAt))).toBe(expected)
  })

  it('fallback keeps what came out before the end, and nothing else', () => {
    const rules = Rules.parse({
      maintenance: { duration: 'P1Y', fallback: true },
      versions: { kind: 'range', range: '2.x' },
    })
    const kept = aLicense({ rules, maintenanceEndsAt: '2026-06-01T00:00:00Z' })
    expect(isFallback(kept, release('2.5.0', '2026-05-01T00:00:00Z'))).toBe(true)
    expect(isFallback(kept, release('2.6.0', '2026-06-01T00:00:00Z'))).toBe(false)
    expect(isFallback(kept, release('3.0.0', '2026-05-01T00:00:00Z'))).toBe(false)
    expect(
      isFallback(aLicense({ rules: Rules.parse({ maintenance: { duration: 'P1Y' } }) }), release('2.5.0')),
    ).toBe(false)
  })
})

describe('upgrades', () => {
  const version = fc
    .tuple(fc.nat(4), fc.nat(4), fc.nat(4), fc.constantFrom('', '-beta.1', '-rc.2'))
    .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre}`)

  it('offers the newest covered release, never one that is older, withdrawn or not covered', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(version, { maxLength: 20 }),
        version,
        fc.nat(4),
        (versions, current, line) => {
          const license = ruled({ kind: 'range', range: `<=${line}.x` })
          const releases = versions.map((one, index) =>
            release(
              one,
              '2026-01-01T00:00:00Z',
              index % 5 === 0 ? { withdrawnAt: '2026-02-01T00:00:00Z' } : {},
            ),
          )
          const { answer, best, beyond } = upgrades(license, releases, current)
          const offered = releases.filter(
            (one) => one.withdrawnAt === undefined && compare(one.version, current) > 0,
          )
          const covered = offered.filter((one) => notCovered(license, one) === undefined)
          expect(best?.version).toBe(covered.toSorted((a, b) => compare(b.version, a.version))[0]?.version)
          expect(beyond).toHaveLength(offered.length - covered.length)
          expect(answer).toBe(covered.length > 0 ? 'allowed' : offered.length > 0 ? 'not-covered' : 'none')
        },
      ),
    )
  })
})
