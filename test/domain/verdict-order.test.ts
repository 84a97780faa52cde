import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Countries } from '../../shared/domain/country.ts'
import { FINDINGS } from '../../shared/domain/finding.ts'
import { standings } from '../../shared/domain/holdings.ts'
import { placeOf } from '../../shared/domain/place.ts'
import type { AskedSeat } from '../../shared/domain/seat-findings.ts'
import { sightingsOf } from '../../shared/domain/sighting.ts'
import { judge, Verdict } from '../../shared/domain/verdict.ts'
import type { Visit } from '../../shared/domain/visits.ts'
import { Day, Duration, HOUR } from '../../shared/platform/time.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const NOW = at('2026-07-01T00:00:00Z')

/** The order as documented, written a second time: a change of it changes what callers branch on. */
const DOCUMENTED = [
  ['FILE_MALFORMED', 'error'],
  ['FILE_FORGED', 'error'],
  ['FILE_FOREIGN', 'error'],
  ['NOT_FOUND', 'error'],
  ['TAMPERED', 'error'],
  ['REVOKED', 'error'],
  ['SUSPENDED', 'error'],
  ['PENDING', 'error'],
  ['EXPIRED', 'error'],
  ['NOT_APPLIED', 'error'],
  ['BASE_NOT_IN_FORCE', 'error'],
  ['FILE_OUTDATED', 'error'],
  ['PRODUCT_MISMATCH', 'error'],
  ['FINGERPRINT_REQUIRED', 'error'],
  ['FINGERPRINT_MISMATCH', 'error'],
  ['NO_ACTIVATION', 'error'],
  ['HEARTBEAT_NOT_STARTED', 'error'],
  ['HEARTBEAT_DEAD', 'error'],
  ['COUNTRY_REQUIRED', 'error'],
  ['COUNTRY_NOT_ALLOWED', 'error'],
  ['TRAVEL_EXHAUSTED', 'error'],
  ['SITE_MEMBER_REQUIRED', 'error'],
  ['OUTSIDE_SITE', 'error'],
  ['USER_INACTIVE', 'error'],
  ['SEAT_PENDING', 'error'],
  ['SEAT_REQUIRED', 'error'],
  ['VERSION_REQUIRED', 'error'],
  ['VERSION_UNKNOWN', 'error'],
  ['VERSION_NOT_COVERED', 'error'],
  ['FEATURE_MISSING', 'error'],
  ['OVER_CAPACITY', 'warning'],
  ['VERSION_WITHDRAWN', 'warning'],
  ['COUNTRY_UNKNOWN', 'warning'],
  ['COUNTRY_DOUBTFUL', 'warning'],
  ['TRAVELING', 'warning'],
  ['GRACE_PERIOD', 'warning'],
  ['FALLBACK_VERSION', 'warning'],
  ['VALID', 'info'],
]

test('the codes and their order are the documented ones', () => {
  expect(FINDINGS).toEqual(DOCUMENTED)
})

const IN_DE = { allow: ['DE'] }
const RULES: (Countries | undefined)[] = [
  undefined,
  IN_DE,
  { deny: ['FR'] },
  { ...IN_DE, unknown: 'allow' },
  { ...IN_DE, minimumConfidence: 'high' },
  { ...IN_DE, travel: { days: 1, window: Duration.parse('P1Y') } },
]

/** Everything that can be the matter, drawn independently of everything else. */
const trouble = fc.record({
  tampered: fc.boolean(),
  revoked: fc.boolean(),
  suspended: fc.boolean(),
  phase: fc.constantFrom('PENDING', 'ACTIVE', 'GRACE', 'EXPIRED'),
  applied: fc.constantFrom('yes', 'never', 'deleted'),
  base: fc.constantFrom('none', 'in force', 'lapsed', 'missing', 'suspended'),
  fileRevision: fc.constantFrom(undefined, 1, 2, 3),
  product: fc.constantFrom(undefined, 'edu', 'crm'),
  fingerprints: fc.constantFrom<(string[] | undefined)[]>(undefined, ['machine-1']),
  fingerprint: fc.constantFrom(undefined, 'machine-1', 'machine-2'),
  countries: fc.constantFrom(...RULES),
  country: fc.constantFrom(undefined, 'DE', 'FR'),
  traveled: fc.boolean(),
  wanted: fc.constantFrom<string[][]>([], ['reports'], ['api']),
  used: fc.constantFrom(0, 150, 151, 1000),
  seat: fc.constantFrom('unmanaged', 'held', 'none', 'pending', 'suspended'),
})
type Trouble = typeof trouble extends fc.Arbitrary<infer Drawn> ? Drawn : never

const PHASES: Record<Trouble['phase'], LicenseOverrides> = {
  PENDING: { validFrom: '2026-08-01T00:00:00Z' },
  ACTIVE: {},
  GRACE: { expiresAt: '2026-06-20T00:00:00Z', graceDays: 30, graceEndsAt: '2026-07-20T00:00:00Z' },
  EXPIRED: { expiresAt: '2026-06-20T00:00:00Z' },
}

const SEATS: Record<Trouble['seat'], AskedSeat | undefined> = {
  unmanaged: undefined,
  held: { holder: { status: 'active', holds: true, pending: [] } },
  none: { holder: undefined },
  pending: {
    holder: { status: 'active', holds: false, pending: [{ metric: 'users', reason: 'NO_CAPACITY' }] },
  },
  suspended: { holder: { status: 'suspended', holds: true, pending: [] } },
}

function verdictOn(drawn: Trouble): Verdict {
  const license = aLicense({
    revision: 2,
    features: { reports: true },
    ...PHASES[drawn.phase],
    revokedAt: drawn.revoked ? '2026-05-01T00:00:00Z' : undefined,
    suspendedAt: drawn.suspended ? '2026-05-01T00:00:00Z' : undefined,
    appliedAt: drawn.applied === 'yes' ? '2026-01-01T00:00:00Z' : undefined,
    deletedAt: drawn.applied === 'deleted' ? '2026-05-01T00:00:00Z' : undefined,
    ...(drawn.base !== 'none' && { type: 'TOPUP', extends: licenseId(9) }),
    fingerprints: drawn.fingerprints,
    rules: drawn.countries ? { countries: drawn.countries } : {},
  })
  const base = aLicense({
    id: licenseId(9),
    limits: { users: 50 },
    ...(drawn.base === 'lapsed' && PHASES.EXPIRED),
    ...(drawn.base === 'suspended' && { suspendedAt: '2026-05-01T00:00:00Z' }),
  })
  const licenses = drawn.base === 'none' || drawn.base === 'missing' ? [license] : [license, base]
  const holdings = holdingsOf(licenses, [{ kind: 'gauge', metric: 'users', value: drawn.used, at: NOW }])
  const all = standings(holdings, NOW, ({ id }) => id !== license.id || !drawn.tampered)
  const standing = all.get(license.id)
  if (standing === undefined) throw new Error('the license has no standing')
  const { product, fingerprint, country, wanted: features, fileRevision } = drawn
  const seat = SEATS[drawn.seat]
  const place =
    drawn.countries &&
    placeOf(
      drawn.countries,
      sightingsOf({ declared: country, relayed: false }),
      drawn.traveled ? [TRAVELED] : [],
      Day.parse('2026-07-01'),
    )
  const question = { product, fingerprint, place, seat, features, fileRevision }
  return Verdict.parse(judge(standing, all, holdings, question, NOW, { interval: HOUR, jitter: 0 }))
}

const TRAVELED: Visit = {
  day: Day.parse('2026-06-30'),
  country: 'CH',
  source: 'edge',
  confidence: 'high',
  verdict: 'travel',
  refused: false,
}

/** What the verdict must find, from what was drawn alone. */
function expectedCodes(drawn: Trouble): string[] {
  const lacksBase = drawn.base !== 'none' && drawn.base !== 'in force'
  const counts =
    !drawn.tampered &&
    !drawn.revoked &&
    !drawn.suspended &&
    (drawn.phase === 'ACTIVE' || drawn.phase === 'GRACE') &&
    drawn.applied === 'yes' &&
    !lacksBase
  const capacity = counts ? 100 + (drawn.base === 'in force' ? 50 : 0) : 0
  const isUnknown = drawn.countries !== undefined && drawn.country === undefined
  const isOutside = drawn.countries !== undefined && drawn.country === 'FR'
  // What an application says of itself is of medium confidence.
  const isDoubtful = isOutside && drawn.countries?.minimumConfidence === 'high'
  const mayTravel = drawn.countries?.travel !== undefined
  const held: [string, boolean][] = [
    // A file that is newer than its row: somebody has put the row back.
    ['TAMPERED', drawn.tampered || drawn.fileRevision === 3],
    ['REVOKED', drawn.revoked],
    // Revocation is final: what else keeps the license from working can no longer be cured.
    ['SUSPENDED', drawn.suspended && !drawn.revoked],
    ['PENDING', drawn.phase === 'PENDING' && !drawn.revoked],
    ['EXPIRED', drawn.phase === 'EXPIRED' && !drawn.revoked],
    ['NOT_APPLIED', drawn.applied !== 'yes'],
    ['BASE_NOT_IN_FORCE', lacksBase],
    ['FILE_OUTDATED', drawn.fileRevision === 1],
    ['PRODUCT_MISMATCH', drawn.product === 'crm'],
    ['FINGERPRINT_REQUIRED', drawn.fingerprints !== undefined && drawn.fingerprint === undefined],
    ['FINGERPRINT_MISMATCH', drawn.fingerprints !== undefined && drawn.fingerprint === 'machine-2'],
    ['COUNTRY_REQUIRED', isUnknown && drawn.countries?.unknown !== 'allow'],
    ['COUNTRY_NOT_ALLOWED', isOutside && !isDoubtful && !mayTravel],
    ['TRAVEL_EXHAUSTED', isOutside && mayTravel && drawn.traveled],
    ['USER_INACTIVE', drawn.seat === 'suspended'],
    ['SEAT_PENDING', drawn.seat === 'pending'],
    ['SEAT_REQUIRED', drawn.seat === 'none'],
    ['FEATURE_MISSING', drawn.wanted.includes('api') || (drawn.wanted.includes('reports') && !counts)],
    ['OVER_CAPACITY', counts && drawn.used > capacity],
    ['COUNTRY_UNKNOWN', isUnknown && drawn.countries?.unknown === 'allow'],
    ['COUNTRY_DOUBTFUL', isDoubtful],
    ['TRAVELING', isOutside && mayTravel && !drawn.traveled],
    ['GRACE_PERIOD', drawn.phase === 'GRACE' && !drawn.revoked],
  ]
  return held.filter(([, holds]) => holds).map(([code]) => code)
}

test('whatever combination is true: all of it is found, in order, and the first gives the code', () => {
  fc.assert(
    fc.property(trouble, (drawn) => {
      const verdict = verdictOn(drawn)
      const expected = expectedCodes(drawn)
      expect(verdict.findings.map(({ code }) => code)).toEqual(expected)
      expect(verdict.code).toBe(expected[0] ?? 'VALID')
      expect(verdict.detail).toBe(verdict.findings[0]?.detail ?? 'The license is valid.')
    }),
    { numRuns: 1500 },
  )
})

test('one error is enough to make it invalid; warnings alone are not', () => {
  fc.assert(
    fc.property(trouble, (drawn) => {
      const verdict = verdictOn(drawn)
      const severities = expectedCodes(drawn).map((code) => DOCUMENTED.find(([known]) => known === code)?.[1])
      expect(verdict.findings.map(({ severity }) => severity)).toEqual(severities)
      expect(verdict.valid).toBe(!severities.includes('error'))
    }),
    { numRuns: 500 },
  )
})

test('every finding says what it is about, what is the matter and what would cure it', () => {
  fc.assert(
    fc.property(trouble, (drawn) => {
      for (const { subject, detail, cure } of verdictOn(drawn).findings) {
        expect(subject).toMatch(/^(license|file|product|user|fingerprint|country|feature:\w+|metric:\w+)$/)
        for (const sentence of [detail, cure]) {
          expect(sentence).toMatch(/^[A-Z0-9].{5,}\.$/)
          expect(sentence).not.toMatch(/undefined|null|NaN|\[object/)
        }
      }
    }),
    { numRuns: 500 },
  )
})
