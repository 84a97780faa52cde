import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { standings } from '../../shared/domain/holdings.ts'
import type { License } from '../../shared/domain/license.ts'
import { placeOf } from '../../shared/domain/place.ts'
import type { Question } from '../../shared/domain/question.ts'
import { sightingsOf } from '../../shared/domain/sighting.ts'
import type { Usage } from '../../shared/domain/usage.ts'
import { judge, type Pace, rejectedFile, unknownLicense, Verdict } from '../../shared/domain/verdict.ts'
import { Day, epochMilliseconds, HOUR, type Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId, PRODUCT } from '../support/licenses.ts'

const NOW = at('2026-07-01T00:00:00Z')
const TODAY = Day.parse('2026-07-01')
const PACE: Pace = { interval: 24 * HOUR, jitter: 0 }

type Asked = {
  question?: Question
  /** Declared by the caller. */
  country?: string
  others?: readonly License[]
  usage?: readonly Usage[]
  managedSeats?: readonly string[]
  tampered?: boolean
  now?: Instant
  pace?: Pace
}

/** The verdict over a license, beside others of the same tenant and product. */
function verdictOn(license: License, asked: Asked = {}): Verdict {
  const { country, others = [], usage = [], tampered = false, now = NOW, pace = PACE } = asked
  const holdings = { ...holdingsOf([license, ...others], usage), managedSeats: asked.managedSeats ?? [] }
  const all = standings(holdings, now, ({ id }) => id !== license.id || !tampered)
  const standing = all.get(license.id)
  if (standing === undefined) throw new Error('the license has no standing')
  const { countries } = license.rules
  const place = countries && placeOf(countries, sightingsOf({ declared: country, relayed: false }), [], TODAY)
  const question = { ...asked.question, place }
  return Verdict.parse(judge(standing, all, holdings, question, now, pace))
}

const codes = (verdict: Verdict) => verdict.findings.map((one) => one.code)
const findingOf = (verdict: Verdict, code: string) => verdict.findings.find((one) => one.code === code)

const ended: LicenseOverrides = { expiresAt: '2026-06-20T00:00:00Z' }
const inGrace: LicenseOverrides = { ...ended, graceDays: 30, graceEndsAt: '2026-07-20T00:00:00Z' }
const base = aLicense({ id: licenseId(9), limits: { users: 50 } })
const users = (value: number): Usage => ({ kind: 'gauge', metric: 'users', value, at: NOW })

describe('one thing at a time', () => {
  test('nothing the matter: VALID, and no findings', () => {
    const verdict = verdictOn(aLicense({ reference: 'order-7', features: { reports: true } }), {
      usage: [users(63)],
    })
    expect(verdict).toEqual({
      valid: true,
      code: 'VALID',
      detail: 'The license is valid.',
      findings: [],
      license: {
        id: licenseId(1),
        tenantId: base.tenantId,
        productId: PRODUCT,
        productCode: 'edu',
        type: 'NORMAL',
        term: 'subscription',
        allocation: 'named',
        status: 'ACTIVE',
        revision: 1,
        reference: 'order-7',
        limits: { users: 100 },
        features: { reports: true },
        validFrom: '2026-01-01T00:00:00.000Z',
        expiresAt: '2027-01-01T00:00:00.000Z',
      },
      entitlement: expect.objectContaining({ inForce: true, features: { reports: true } }),
      unchecked: [],
      checkedAt: NOW,
      nextCheckAfter: '2026-07-01T21:36:00.000Z',
    })
  })

  test.each<[string, LicenseOverrides, Asked, string, boolean]>([
    ['tampered', {}, { tampered: true }, 'TAMPERED', false],
    ['revoked', { revokedAt: '2026-05-01T00:00:00Z' }, {}, 'REVOKED', false],
    ['suspended', { suspendedAt: '2026-05-01T00:00:00Z' }, {}, 'SUSPENDED', false],
    ['before its start', { validFrom: '2026-07-01T00:00:00.001Z' }, {}, 'PENDING', false],
    ['at its end', { expiresAt: '2026-07-01T00:00:00Z' }, {}, 'EXPIRED', false],
    ['in grace', inGrace, {}, 'GRACE_PERIOD', true],
    ['not applied', { appliedAt: undefined }, {}, 'NOT_APPLIED', false],
    ['deleted', { appliedAt: undefined, deletedAt: '2026-05-01T00:00:00Z' }, {}, 'NOT_APPLIED', false],
    ['its base unknown', { extends: licenseId(8), type: 'TOPUP' }, {}, 'BASE_NOT_IN_FORCE', false],
    ['its base in force', { extends: licenseId(9), type: 'TOPUP' }, { others: [base] }, 'VALID', true],
    ['an older file', { revision: 3 }, { question: { fileRevision: 2 } }, 'FILE_OUTDATED', false],
    ['a file that the row was put back behind', {}, { question: { fileRevision: 2 } }, 'TAMPERED', false],
    ['the newest file', { revision: 3 }, { question: { fileRevision: 3 } }, 'VALID', true],
    ['another product', {}, { question: { product: 'crm' } }, 'PRODUCT_MISMATCH', false],
    ['its product by code', {}, { question: { product: 'edu' } }, 'VALID', true],
    ['its product by id', {}, { question: { product: PRODUCT } }, 'VALID', true],
    ['no machine named', { fingerprints: ['machine-1'] }, {}, 'FINGERPRINT_REQUIRED', false],
    [
      'a foreign machine',
      { fingerprints: ['machine-1'] },
      { question: { fingerprint: 'machine-2' } },
      'FINGERPRINT_MISMATCH',
      false,
    ],
    [
      'one of its machines',
      { fingerprints: ['machine-1', 'machine-2'] },
      { question: { fingerprint: 'machine-2' } },
      'VALID',
      true,
    ],
    ['a machine, bound to none', {}, { question: { fingerprint: 'machine-2' } }, 'VALID', true],
    [
      'bound to an empty list',
      { fingerprints: [] },
      { question: { fingerprint: 'machine-2' } },
      'FINGERPRINT_MISMATCH',
      false,
    ],
    ['no country named', { rules: { countries: { allow: ['DE'] } } }, {}, 'COUNTRY_REQUIRED', false],
    [
      'country not allowed',
      { rules: { countries: { allow: ['DE'] } } },
      { country: 'FR' },
      'COUNTRY_NOT_ALLOWED',
      false,
    ],
    ['a feature nobody has', {}, { question: { features: ['reports'] } }, 'FEATURE_MISSING', false],
    [
      'a feature switched off',
      { features: { reports: false } },
      { question: { features: ['reports'] } },
      'FEATURE_MISSING',
      false,
    ],
    [
      'a feature it has',
      { features: { reports: true } },
      { question: { features: ['reports'] } },
      'VALID',
      true,
    ],
    ['a number, even 0', { features: { depth: 0 } }, { question: { features: ['depth'] } }, 'VALID', true],
    [
      'a feature named like something inherited',
      {},
      { question: { features: ['constructor'] } },
      'FEATURE_MISSING',
      false,
    ],
    [
      'a feature another license gives',
      {},
      {
        question: { features: ['reports'] },
        others: [aLicense({ id: licenseId(9), features: { reports: true } })],
      },
      'VALID',
      true,
    ],
    [
      'a feature of a license not in force',
      {},
      {
        question: { features: ['reports'] },
        others: [aLicense({ id: licenseId(9), features: { reports: true }, ...ended })],
      },
      'FEATURE_MISSING',
      false,
    ],
    ['more used than licensed', {}, { usage: [users(101)] }, 'OVER_CAPACITY', true],
    [
      'more reported than licensed, where seats are the use',
      {},
      { usage: [users(101)], managedSeats: ['users'] },
      'VALID',
      true,
    ],
    ['all used', {}, { usage: [users(100)] }, 'VALID', true],
    ['more than its own, covered by another', {}, { usage: [users(101)], others: [base] }, 'VALID', true],
    ['unlimited', { limits: { users: 'unlimited' } }, { usage: [users(1_000_000)] }, 'VALID', true],
  ])('%s', (_, overrides, asked, code, valid) => {
    const verdict = verdictOn(aLicense(overrides), asked)
    expect(verdict).toMatchObject({ code, valid })
    expect(codes(verdict)).toEqual(code === 'VALID' ? [] : [code])
  })

  test('a base that is not in force is told apart from one that does not exist', () => {
    const topup = aLicense({ extends: licenseId(9), type: 'TOPUP' })
    const lapsed = aLicense({ id: licenseId(9), ...ended })
    expect(findingOf(verdictOn(topup, { others: [lapsed] }), 'BASE_NOT_IN_FORCE')?.detail).toContain(
      'is not in force',
    )
    expect(findingOf(verdictOn(topup), 'BASE_NOT_IN_FORCE')?.detail).toContain('does not exist')
  })

  test('each feature and each metric has its own finding', () => {
    const license = aLicense({ limits: { users: 1, departments: 1 } })
    const usage: Usage[] = [users(2), { kind: 'gauge', metric: 'departments', value: 3, at: NOW }]
    const verdict = verdictOn(license, { usage, question: { features: ['b', 'a'] } })
    expect(verdict.findings.map((one) => one.subject)).toEqual([
      'feature:b',
      'feature:a',
      'metric:departments',
      'metric:users',
    ])
    expect(findingOf(verdict, 'OVER_CAPACITY')).toMatchObject({
      detail: '3 departments in use, 1 licensed.',
      cure: 'Free 2 departments or buy more.',
    })
  })

  test('the cure for a country names only those that are covered', () => {
    const cure = (countries: object) =>
      findingOf(verdictOn(aLicense({ rules: { countries } }), { country: 'FR' }), 'COUNTRY_NOT_ALLOWED')?.cure
    expect(cure({ allow: ['DE', 'AT'] })).toBe('Use it in DE, AT.')
    expect(cure({ allow: ['DE', 'FR'], deny: ['FR'] })).toBe('Use it in DE.')
    expect(cure({ allow: [] })).toMatch(/^Use it in another country/)
    expect(cure({ deny: ['FR'] })).toMatch(/^Use it in another country/)
  })

  test('between its end and an extension still to come, the end that has passed is named', () => {
    const validity = aLicense({
      id: licenseId(2),
      type: 'VALIDITY',
      extends: licenseId(1),
      limits: {},
      validFrom: '2026-07-20T00:00:00Z',
      expiresAt: '2026-12-01T00:00:00Z',
    })
    const [lapsed, working] = [ended, inGrace].map((overrides) =>
      verdictOn(aLicense(overrides), { others: [validity] }),
    )
    expect(lapsed?.detail).toBe('Expired on 2026-06-20T00:00:00.000Z.')
    expect(working).toMatchObject({ valid: true, code: 'GRACE_PERIOD' })
    expect(working?.detail).toBe(
      'Expired on 2026-06-20T00:00:00.000Z; its grace lasts until 2026-07-20T00:00:00.000Z.',
    )
    expect(working?.findings[0]?.cure).toBe('Renew before 2026-07-20T00:00:00.000Z.')
  })

  test('an extension that counts shows in the end of the license', () => {
    const validity = aLicense({
      id: licenseId(2),
      type: 'VALIDITY',
      extends: licenseId(1),
      validFrom: '2026-06-20T00:00:00Z',
      expiresAt: '2026-12-01T00:00:00Z',
    })
    const verdict = verdictOn(aLicense(inGrace), { others: [validity] })
    expect(verdict).toMatchObject({ code: 'VALID', license: { expiresAt: '2026-12-01T00:00:00.000Z' } })
    expect(verdict.license?.graceEndsAt).toBeUndefined()
  })

  test.each<[Question, string[]]>([
    [{}, []],
    [{ version: { version: '1.2.3', release: undefined } }, []],
    [{ userId: 'u-1' }, ['userId']],
    [{ userId: 'u-1', product: 'edu' }, ['userId']],
  ])('what is asked of %j and not checked is said', (question, unchecked) => {
    expect(verdictOn(aLicense(), { question }).unchecked).toEqual(unchecked)
  })
})

test('a license nobody has: the same verdict for whoever asks for whatever', () => {
  const verdict = Verdict.parse(unknownLicense(NOW, PACE))
  expect(verdict).toEqual({
    valid: false,
    code: 'NOT_FOUND',
    detail: 'No such license.',
    findings: [expect.objectContaining({ code: 'NOT_FOUND', severity: 'error', subject: 'license' })],
    unchecked: [],
    checkedAt: NOW,
    nextCheckAfter: '2026-07-01T21:36:00.000Z',
  })
  expect(verdict.findings[0]?.cure).not.toBe('')
})

test.each([
  ['malformed', 'FILE_MALFORMED'],
  ['forged', 'FILE_FORGED'],
  ['foreign', 'FILE_FOREIGN'],
] as const)('a %s file: %s, and nothing of any license', (fault, code) => {
  const verdict = Verdict.parse(rejectedFile(fault, NOW, PACE))
  expect(verdict).toEqual({
    valid: false,
    code,
    detail: verdict.findings[0]?.detail,
    findings: [expect.objectContaining({ code, severity: 'error', subject: 'file' })],
    unchecked: [],
    checkedAt: NOW,
    nextCheckAfter: '2026-07-01T21:36:00.000Z',
  })
  expect(verdict.findings[0]?.cure).toMatch(/^[A-Z].+\.$/)
})

describe('when to ask again', () => {
  test.each([
    [0, '2026-07-01T00:54:00.000Z'],
    [0.5, '2026-07-01T00:57:00.000Z'],
    [0.999, '2026-07-01T00:59:59.640Z'],
  ])('a jitter of %d spreads over the last tenth of the interval', (jitter, next) => {
    const verdict = verdictOn(aLicense(), { pace: { interval: HOUR, jitter } })
    expect(verdict.nextCheckAfter).toBe(next)
    expect(unknownLicense(NOW, { interval: HOUR, jitter }).nextCheckAfter).toBe(next)
  })

  test.each<[string, LicenseOverrides]>([
    ['start', { validFrom: '2026-07-01T00:20:00Z' }],
    ['end', { expiresAt: '2026-07-01T00:20:00Z' }],
    ['end of grace', { ...inGrace, graceEndsAt: '2026-07-01T00:20:00Z' }],
  ])('not after its %s', (_, overrides) => {
    expect(verdictOn(aLicense(overrides), { pace: { interval: HOUR, jitter: 0 } }).nextCheckAfter).toBe(
      '2026-07-01T00:20:00.000Z',
    )
  })

  test('nor after the end of what extends it', () => {
    const validity = aLicense({
      id: licenseId(2),
      type: 'VALIDITY',
      extends: licenseId(1),
      expiresAt: '2026-07-01T00:20:00Z',
    })
    const asked = { others: [validity], pace: { interval: HOUR, jitter: 0 } }
    expect(verdictOn(aLicense(ended), asked).nextCheckAfter).toBe('2026-07-01T00:20:00.000Z')
  })

  test('nor after the end of the license that it extends, extended itself or not', () => {
    const topUp = aLicense({ type: 'TOPUP', extends: licenseId(9) })
    const soon = { expiresAt: '2026-07-01T00:20:00Z' }
    const pace = { interval: HOUR, jitter: 0 }
    const short = aLicense({ id: licenseId(9), ...soon })
    expect(verdictOn(topUp, { others: [short], pace }).nextCheckAfter).toBe('2026-07-01T00:20:00.000Z')
    const over = aLicense({ id: licenseId(9), ...ended })
    const validity = aLicense({ id: licenseId(2), type: 'VALIDITY', extends: licenseId(9), ...soon })
    const verdict = verdictOn(topUp, { others: [over, validity], pace })
    expect([verdict.code, verdict.nextCheckAfter]).toEqual(['VALID', '2026-07-01T00:20:00.000Z'])
  })

  test('between nine tenths of the interval and all of it, or at the next change if that is earlier', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60_000, max: 30 * 24 * HOUR }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 40 * 24 * HOUR }),
        (interval, jitter, lasts) => {
          const license = aLicense({ expiresAt: plusMilliseconds(NOW, lasts) })
          const { nextCheckAfter } = verdictOn(license, { pace: { interval, jitter } })
          const wait = epochMilliseconds(nextCheckAfter) - epochMilliseconds(NOW)
          expect(wait).toBeLessThanOrEqual(Math.min(interval, lasts))
          expect(wait).toBeGreaterThanOrEqual(Math.min(Math.floor(interval * 0.9), lasts))
        },
      ),
      { numRuns: 300 },
    )
  })
})
