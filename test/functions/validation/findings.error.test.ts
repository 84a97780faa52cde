import { afterAll, describe, expect, test } from 'vitest'
import { FINDINGS, type FindingCode } from '../../../shared/domain/finding.ts'
import { startApi } from '../../support/api.ts'
import { createPlan, createTenant } from '../../support/resources.ts'
import { type Answered, codesOf, createScenario, type Issued, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { issue, act, validate, edit, product } = scenario
const token = await api.token('vendor:support')
const allowed = await createPlan(api, product.id, { rules: { countries: { allow: ['DE', 'AT'] } } })
const denied = await createPlan(api, product.id, { rules: { countries: { deny: ['CH'] } } })

const over = { validFrom: inDays(-9), expiresAt: inDays(-1) }
const machine = (number: number) => ({ fingerprint: `fingerprint-${number}` })
const bound = { fingerprints: ['fingerprint-1', 'fingerprint-2'] }

/** A license, something done with it, and what is asked about it then; `says` the detail and the cure. */
type Case = {
  code: FindingCode
  when: string
  order?: object
  and?: string | ((license: Issued['license']) => Promise<unknown>)
  ask?: object
  says: RegExp
}

const tampering = { and: (license: Issued['license']) => edit(license, { graceDays: 400 }) }
const ended = { ...over, expiresAt: inDays(-5), graceDays: 2 }
const [inDe, notInCh] = [{ planId: allowed.id }, { planId: denied.id }]
const off = { features: { sso: false } }

const cases: Case[] = [
  { code: 'TAMPERED', when: 'its row was changed', ...tampering, says: /not what the vendor.*restored/ },
  { code: 'REVOKED', when: 'it was revoked', and: 'revoke', says: /^Revoked on 2.*another license/ },
  { code: 'SUSPENDED', when: 'it was suspended', and: 'suspend', says: /^Suspended since 2.*reinstate/ },
  { code: 'PENDING', when: 'it is early', order: { validFrom: inDays(2) }, says: /^Starts on 2.*Wait/ },
  {
    code: 'EXPIRED',
    when: 'it is over',
    order: { ...over, graceDays: 0 },
    says: /^Expired on 2\S+ Renew the/,
  },
  { code: 'EXPIRED', when: 'its grace is over', order: ended, says: /its grace ended on 2\S+ Renew/ },
  {
    code: 'NOT_APPLIED',
    when: 'it is not uploaded',
    order: { applyOn: 'upload' },
    says: /not applied.*Upload/,
  },
  {
    code: 'PRODUCT_MISMATCH',
    when: 'it is not for it',
    ask: { product: 'office' },
    says: /not office.*for office/,
  },
  { code: 'FINGERPRINT_REQUIRED', when: 'no machine is named', order: bound, says: /none was.*this machine/ },
  {
    code: 'FINGERPRINT_MISMATCH',
    when: 'on another',
    order: bound,
    ask: machine(3),
    says: /other mach.*bind it to/,
  },
  { code: 'COUNTRY_REQUIRED', when: 'no country is named', order: inDe, says: /none is known.*ISO 3166-1/ },
  {
    code: 'COUNTRY_NOT_ALLOWED',
    when: 'elsewhere',
    order: inDe,
    ask: { country: 'FR' },
    says: /FR.*Use it in DE, AT/,
  },
  {
    code: 'COUNTRY_NOT_ALLOWED',
    when: 'denied',
    order: notInCh,
    ask: { country: 'CH' },
    says: /CH.*another count/,
  },
  {
    code: 'FEATURE_MISSING',
    when: 'it is off',
    order: off,
    ask: { features: ['sso'] },
    says: /gives sso.*includes sso/,
  },
  {
    code: 'FEATURE_MISSING',
    when: 'nobody knows it',
    ask: { features: ['constructor'] },
    says: /gives constructor/,
  },
  { code: 'GRACE_PERIOD', when: 'it is in grace', order: over, says: /grace lasts until 2.*Renew before 2/ },
]

// Each with a tenant's holdings of its own: a feature or use of one license is no matter of another.
describe.each(cases)('$code: $when', (one) => {
  test('is found alone, with what is the matter and what would cure it', async () => {
    const { id: tenantId } = await createTenant(api)
    const issued = await issue({ tenantId, ...one.order })
    if (typeof one.and === 'string') await act(issued.license.id, one.and)
    else await one.and?.(issued.license)
    const verdict = await validate({ key: issued.key, ...one.ask })
    const isWarning = one.code === 'GRACE_PERIOD'
    expect(verdict).toMatchObject({ valid: isWarning, code: one.code, license: { id: issued.license.id } })
    expect(codesOf(verdict)).toEqual([one.code])
    const [finding] = verdict.findings
    expect(finding).toMatchObject({ severity: isWarning ? 'warning' : 'error', detail: verdict.detail })
    expect(`${finding?.detail} ${finding?.cure}`).toMatch(one.says)
  })
})

describe('what concerns others', () => {
  test('BASE_NOT_IN_FORCE: the license it adds to', async () => {
    const base = await issue({ ...over, graceDays: 0 })
    const { key } = await issue({ type: 'TOPUP', extends: base.license.id })
    const verdict = await validate({ key })
    expect(codesOf(verdict)).toEqual(['BASE_NOT_IN_FORCE'])
    expect(verdict.findings[0]).toMatchObject({
      detail: expect.stringContaining(base.license.id),
      cure: 'Renew, apply or reinstate the license it extends.',
    })
  })

  test('OVER_CAPACITY: more in use than all licenses give, a warning with how many', async () => {
    const own = await createScenario(api)
    const { key } = await own.issue({ limits: { users: 10, certificates: 'unlimited' } })
    await own.issue({ limits: { users: 5 } })
    const report = async (users: number) => {
      const records = [
        { metric: 'users', value: users },
        { metric: 'certificates', value: 1_000 },
      ]
      await api.call('POST', '/v1/usage', { headers: { authorization: `License ${key}` }, body: { records } })
      return own.validate({ key })
    }
    const [full, more] = [await report(15), await report(18)]
    expect(codesOf(full)).toEqual([])
    expect(more).toMatchObject({ valid: true, code: 'OVER_CAPACITY' })
    expect(more.findings[0]).toMatchObject({
      severity: 'warning',
      subject: 'metric:users',
      detail: '18 users in use, 15 licensed.',
      cure: 'Free 3 users or buy more.',
    })
  })

  test('FILE_OUTDATED: the license was changed after the file was made', async () => {
    const { license, file } = await issue()
    await act(license.id, 'renew', {})
    const verdict = await validate({ file })
    expect(codesOf(verdict)).toEqual(['FILE_OUTDATED'])
    expect(verdict.findings[0]?.cure).toBe('Download the newest license file.')
    expect(await validate({ file: await scenario.fileOf(license.id) })).toMatchObject({ valid: true })
  })

  test('NOT_FOUND: a key, an id that is nobody’s', async () => {
    const unknownKey = 'AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA'
    const [byKey, byId] = [
      await validate({ key: unknownKey }),
      await validate({ licenseId: 'lic_01J00000000000000000000000' }, { token }),
    ]
    for (const verdict of [byKey, byId]) {
      expect(verdict).toMatchObject({ valid: false, code: 'NOT_FOUND', unchecked: [] })
      expect(verdict.findings).toMatchObject([{ cure: expect.stringMatching(/typing errors/) }])
      expect(verdict).not.toHaveProperty('license')
      expect(verdict).not.toHaveProperty('entitlement')
    }
  })
})

describe('all findings come at once, in the documented order', () => {
  const order = FINDINGS.map(([code]) => code)
  const inOrder = (verdict: Answered) =>
    codesOf(verdict).toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
  const wrong = {
    product: 'office',
    fingerprint: 'fingerprint-9',
    country: 'FR',
    features: ['edition', 'storage-gb'],
  }

  test('of a license with everything the matter', async () => {
    const own = await createScenario(api)
    const plan = await createPlan(api, own.product.id, { rules: { countries: { deny: ['FR'] } } })
    const base = await own.issue()
    const { license, file } = await own.issue({
      ...bound,
      planId: plan.id,
      type: 'TOPUP',
      extends: base.license.id,
      validFrom: inDays(2),
      applyOn: 'upload',
    })
    await own.act(license.id, 'suspend')
    await own.act(base.license.id, 'revoke')
    await own.edit(await own.read(license.id), { limits: { users: 1_000 } })
    const verdict = await own.validate({ file, ...wrong })
    expect(codesOf(verdict)).toEqual([
      'TAMPERED',
      'SUSPENDED',
      'PENDING',
      'NOT_APPLIED',
      'BASE_NOT_IN_FORCE',
      'FILE_OUTDATED',
      'PRODUCT_MISMATCH',
      'FINGERPRINT_MISMATCH',
      'COUNTRY_NOT_ALLOWED',
      'FEATURE_MISSING',
      'FEATURE_MISSING',
    ])
    expect(verdict).toMatchObject({ valid: false, code: 'TAMPERED', detail: verdict.findings[0]?.detail })
    expect(inOrder(verdict)).toEqual(codesOf(verdict))
  })

  test('an error before the warnings, which alone do not make it invalid', async () => {
    const own = await createScenario(api)
    const { key } = await own.issue({ ...over, limits: { users: 1 } })
    const body = { records: [{ metric: 'users', value: 2 }] }
    await api.call('POST', '/v1/usage', { headers: { authorization: `License ${key}` }, body })
    const warned = await own.validate({ key })
    const refused = await own.validate({ key, features: ['edition'] })
    expect([warned.valid, codesOf(warned)]).toEqual([true, ['OVER_CAPACITY', 'GRACE_PERIOD']])
    expect([refused.valid, codesOf(refused)]).toEqual([
      false,
      ['FEATURE_MISSING', 'OVER_CAPACITY', 'GRACE_PERIOD'],
    ])
  })
})
