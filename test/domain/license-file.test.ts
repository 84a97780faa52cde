import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { SignedFacts, signedFacts } from '../../shared/domain/license.ts'
import {
  agrees,
  LICENSE_TYP,
  LicenseClaims,
  LicenseFile,
  licenseClaims,
  licenseFile,
  readLicenseFile,
  signingInput,
} from '../../shared/domain/license-file.ts'
import { aLicense, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const ISSUER = 'https://licenses.example.com'
const KID = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'
const PERPETUAL: LicenseOverrides = { term: 'perpetual', expiresAt: undefined, duration: undefined }

const facts = (overrides: LicenseOverrides = {}) => signedFacts(aLicense(overrides))
const inputOf = (given: SignedFacts) => signingInput(given, ISSUER, KID)
const decoded = (part: string | undefined): unknown =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString())

describe('the claims of a license file', () => {
  test('use the names that JOSE libraries know', () => {
    const license = facts({ revision: 3, graceDays: 14, graceEndsAt: '2027-01-15T00:00:00Z' })
    expect(licenseClaims(license, ISSUER)).toEqual({
      iss: ISSUER,
      aud: 'edu',
      sub: licenseId(1),
      jti: `${licenseId(1)}.3`,
      iat: 1_765_792_800, // 2025-12-15T10:00:00Z
      nbf: 1_767_225_600, // 2026-01-01T00:00:00Z
      exp: 1_799_971_200, // 2027-01-15T00:00:00Z
      ver: 1,
      checkEvery: 'PT24H',
      license,
    })
  })

  test.each<[string, LicenseOverrides, number | undefined]>([
    ['the end of grace', { graceDays: 14, graceEndsAt: '2027-01-15T00:00:00Z' }, 1_799_971_200],
    ['the end of the term where there is no grace', {}, 1_798_761_600],
    ['whole seconds', { expiresAt: '2027-01-01T00:00:00.999Z' }, 1_798_761_600],
    ['absent where it never ends', PERPETUAL, undefined],
  ])('exp is %s', (_, overrides, exp) => {
    const claims = licenseClaims(facts(overrides), ISSUER)
    expect(claims.exp).toBe(exp)
    expect('exp' in claims).toBe(exp !== undefined)
  })

  test('parse as what they are', () => {
    for (const given of [facts(), facts(PERPETUAL), facts({ suspendedAt: '2026-05-01T00:00:00Z' })]) {
      const claims = decoded(inputOf(given).split('.')[1])
      expect(LicenseClaims.parse(claims).license).toEqual(given)
    }
  })
})

describe('the signing input', () => {
  test('names algorithm, type and key in its header', () => {
    const [header, payload, ...more] = inputOf(facts()).split('.')
    expect(decoded(header)).toEqual({ alg: 'ES256', typ: LICENSE_TYP, kid: KID })
    expect(decoded(payload)).toEqual(licenseClaims(facts(), ISSUER))
    expect(more).toEqual([])
  })

  test('leaves out what is absent', () => {
    const written = z.object({ license: z.record(z.string(), z.unknown()) })
    const { license } = written.parse(decoded(inputOf(facts(PERPETUAL)).split('.')[1]))
    expect(Object.keys(license)).not.toContain('expiresAt')
    expect(Object.keys(license)).not.toContain('reference')
    expect(inputOf({ ...facts(PERPETUAL), expiresAt: undefined, reference: undefined })).toBe(
      inputOf(facts(PERPETUAL)),
    )
  })

  test('does not contain what may change without a new file, nor anything of the key', () => {
    const more: LicenseOverrides = {
      keyHash: 'b'.repeat(43),
      keyHint: 'ZZZZ',
      keyGeneration: 5,
      appliedAt: undefined,
      deletedAt: '2026-05-01T00:00:00Z',
      suspensionReason: 'late',
      extendedBy: [licenseId(2)],
      lastSeenStatus: 'ACTIVE',
    }
    expect(inputOf(facts(more))).toBe(inputOf(facts()))
  })

  // One other value for every fact, so that a fact dropped from the signature is noticed.
  const all: LicenseOverrides = {
    extends: licenseId(7),
    productInstanceId: 'campus-1',
    reference: 'order-7',
    fingerprints: ['machine-1', 'machine-2'],
    graceEndsAt: '2027-01-15T00:00:00Z',
    maintenanceEndsAt: '2027-01-01T00:00:00Z',
    suspendedAt: '2026-05-01T00:00:00Z',
    revokedAt: '2026-05-02T00:00:00Z',
    features: { reports: true, depth: 3, edition: 'campus' },
    rules: { heartbeat: { window: 'PT10M' }, countries: { allow: ['DE', 'FR'] } },
  }
  const others: Record<keyof SignedFacts, LicenseOverrides[]> = {
    id: [{ id: licenseId(2) }],
    revision: [{ revision: 2 }],
    tenantId: [{ tenantId: 'ten_00000000000000000000000002' }],
    customer: [
      { customer: { id: 'C-1', name: 'Example University', email: 'licenses@example.edu' } },
      { customer: { id: 'C-1001', name: 'Other University', email: 'licenses@example.edu' } },
      { customer: { id: 'C-1001', name: 'Example University' } },
    ],
    productId: [{ productId: 'prd_00000000000000000000000002' }],
    productCode: [{ productCode: 'crm' }],
    planId: [{ planId: 'pln_00000000000000000000000002' }],
    type: [{ type: 'TOPUP' }],
    term: [{ term: 'trial' }],
    allocation: [{ allocation: 'floating' }],
    extends: [{ extends: undefined }, { extends: licenseId(8) }],
    productInstanceId: [{ productInstanceId: undefined }, { productInstanceId: 'campus-2' }],
    reference: [{ reference: undefined }, { reference: 'order-8' }],
    limits: [{ limits: {} }, { limits: { users: 101 } }, { limits: { users: 'unlimited' } }],
    features: [
      { features: { reports: false, depth: 3, edition: 'campus' } },
      { features: { reports: true, depth: 4, edition: 'campus' } },
      { features: { reports: true, depth: 3, edition: 'Campus' } },
      { features: { reports: true, depth: 3 } },
    ],
    rules: [
      { rules: {} },
      { rules: { heartbeat: { window: 'PT11M' }, countries: { allow: ['DE', 'FR'] } } },
      { rules: { heartbeat: { window: 'PT10M' }, countries: { allow: ['FR', 'DE'] } } },
      { rules: { heartbeat: { window: 'PT10M' }, countries: { deny: ['DE', 'FR'] } } },
    ],
    fingerprints: [
      { fingerprints: undefined },
      { fingerprints: [] },
      { fingerprints: ['machine-1'] },
      { fingerprints: ['machine-2', 'machine-1'] },
    ],
    validFrom: [{ validFrom: '2026-01-01T00:00:00.001Z' }],
    expiresAt: [{ expiresAt: '2027-01-01T00:00:00.001Z' }, { expiresAt: undefined }],
    graceDays: [{ graceDays: 1 }],
    graceEndsAt: [{ graceEndsAt: undefined }, { graceEndsAt: '2027-01-15T00:00:00.001Z' }],
    maintenanceEndsAt: [{ maintenanceEndsAt: undefined }, { maintenanceEndsAt: '2027-02-01T00:00:00Z' }],
    suspendedAt: [{ suspendedAt: undefined }, { suspendedAt: '2026-05-01T00:00:00.001Z' }],
    revokedAt: [{ revokedAt: undefined }, { revokedAt: '2026-05-02T00:00:00.001Z' }],
    signedAt: [{ signedAt: '2025-12-15T10:00:00.001Z' }],
  }

  test('the table has every fact', () => {
    expect(Object.keys(others)).toEqual(Object.keys(SignedFacts.shape))
  })

  test.each(Object.entries(others))('differs where %s does', (_, changes) => {
    const inputs = [{}, ...changes].map((change) => inputOf(facts({ ...all, ...change })))
    expect(new Set(inputs).size).toBe(changes.length + 1)
  })

  test('differs by issuer and by key', () => {
    const inputs = [
      signingInput(facts(), ISSUER, KID),
      signingInput(facts(), 'https://other.example.com', KID),
      signingInput(facts(), ISSUER, 'another'),
    ]
    expect(new Set(inputs).size).toBe(3)
  })

  const code = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,8}$/)
  const anyFacts = fc
    .record({
      limits: fc.dictionary(code, fc.oneof(fc.nat(), fc.constant('unlimited' as const)), { maxKeys: 5 }),
      features: fc.dictionary(
        code,
        fc.oneof(fc.boolean(), fc.integer(), fc.string({ unit: 'grapheme', maxLength: 20 })),
        { maxKeys: 5 },
      ),
      fingerprints: fc.option(fc.array(fc.string({ minLength: 8, maxLength: 20, unit: 'grapheme-ascii' })), {
        nil: undefined,
      }),
      graceEndsAt: fc.constantFrom(undefined, '2027-01-15T00:00:00Z'),
      rules: fc.constantFrom<LicenseOverrides['rules'][]>(
        {},
        {
          overdraft: { kind: 'percent', percent: 10, cap: 5 },
          heartbeat: { window: 'PT10M' },
          countries: { deny: ['FR'], allow: ['DE', 'AT'] },
          transfer: { allowed: true },
        },
      ),
    })
    .map((overrides) => facts(overrides))

  test('is the same for the same facts in any order of keys, at every depth', () => {
    fc.assert(
      fc.property(anyFacts, fc.nat(), (given, seed) => {
        expect(inputOf(SignedFacts.parse(given))).toBe(inputOf(given))
        expect(inputOf(asItIs(SignedFacts).parse(reordered(given, seed)))).toBe(inputOf(given))
      }),
      { numRuns: 300 },
    )
  })

  test('is the same after the facts were written as JSON and read again', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        expect(inputOf(SignedFacts.parse(JSON.parse(JSON.stringify(given))))).toBe(inputOf(given))
      }),
    )
  })
})

describe('the document around it', () => {
  test('repeats for people what the signed part says', () => {
    const file = licenseFile(facts({ revision: 2 }), ISSUER, 'a.b.c')
    expect(LicenseFile.parse(file)).toEqual({
      format: 'latchkey-license-file/1',
      issuer: ISSUER,
      licenseId: licenseId(1),
      revision: 2,
      product: 'edu',
      customer: 'Example University',
      type: 'NORMAL',
      validFrom: '2026-01-01T00:00:00.000Z',
      expiresAt: '2027-01-01T00:00:00.000Z',
      license: 'a.b.c',
    })
  })

  test('says null where a license never ends', () => {
    expect(licenseFile(facts(PERPETUAL), ISSUER, 'a.b.c').expiresAt).toBeNull()
  })
})

describe('a file handed over', () => {
  const wrapper = licenseFile(facts(), ISSUER, 'a-1.b_2.c3')
  const text = JSON.stringify(wrapper, null, 2)

  test.each<[string, unknown]>([
    ['as JSON', wrapper],
    ['as text', text],
    ['with blanks and a byte order mark around it', `\uFEFF\r\n${text}\n`],
  ])('is read %s', (_, input) => {
    expect(readLicenseFile(input)).toEqual({ jws: 'a-1.b_2.c3', wrapper })
  })

  test('is read as the bare signed part', () => {
    expect(readLicenseFile(' a-1.b_2.c3\n')).toEqual({ jws: 'a-1.b_2.c3' })
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty text', ''],
    ['other text', 'a license'],
    ['two parts', 'a.b'],
    ['four parts', 'a.b.c.d'],
    ['an empty part', 'a..c'],
    ['signs that base64url does not have', 'a.b+/=.c'],
    ['broken JSON', text.slice(0, -5)],
    ['JSON of something else', '{}'],
    ['a list', [wrapper]],
    ['a field more', { ...wrapper, note: 'x' }],
    ['another format', { ...wrapper, format: 'latchkey-license-file/2' }],
    ['a signed part over 64 KB', { ...wrapper, license: 'a'.repeat(64 * 1024 + 1) }],
  ])('is none: %s', (_, input) => {
    expect(readLicenseFile(input)).toBeUndefined()
  })

  const claims = licenseClaims(facts(), ISSUER)
  test('agrees with what is signed, in any order of fields', () => {
    expect(agrees(wrapper, claims)).toBe(true)
    expect(agrees(asItIs(LicenseFile).parse(reordered(wrapper, 7)), claims)).toBe(true)
    expect(
      agrees(licenseFile(facts(PERPETUAL), ISSUER, 'a.b.c'), licenseClaims(facts(PERPETUAL), ISSUER)),
    ).toBe(true)
  })

  const { format: _, license: __, ...repeated } = wrapper
  test.each(Object.keys(repeated))('does not agree if %s was changed', (field) => {
    const other: Record<string, unknown> = {
      issuer: 'https://other.example.com',
      licenseId: licenseId(2),
      revision: 2,
      product: 'crm',
      customer: 'Other University',
      type: 'TOPUP',
      validFrom: '2025-01-01T00:00:00.000Z',
      expiresAt: null,
    }
    expect(agrees(LicenseFile.parse({ ...wrapper, [field]: other[field] }), claims)).toBe(false)
  })
})

/** Checks a value without writing it anew, which would put its keys in order. */
function asItIs<T>(schema: z.ZodType<T>): z.ZodType<T> {
  return z.custom<T>((value) => schema.safeParse(value).success)
}

/** The same value with the keys of every object in another order, which the seed decides. */
function reordered(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((one) => reordered(one, seed))
  if (typeof value !== 'object' || value === null) return value
  const weight = (key: string) => createHash('sha256').update(`${seed} ${key}`).digest('hex')
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (weight(a) < weight(b) ? -1 : 1))
      .map(([key, part]) => [key, reordered(part, seed)]),
  )
}
