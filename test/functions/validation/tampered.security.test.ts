import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { SignedFacts } from '../../../shared/domain/license.ts'
import { newLicenseId, newPlanId, newProductId, newTenantId } from '../../../shared/platform/ids.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { outcome, startApi } from '../../support/api.ts'
import { codesOf, createScenario, inDays } from '../../support/scenario.ts'
import { walks } from '../../support/walks.ts'

// Somebody writes into the table, past the API. What is stored must be what was signed.
const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { issue, act, validate, edit, restore, row, read } = scenario
const now = readClock()

/** Another value for every field that is signed; `undefined` takes it away. */
const OTHER: { [Field in keyof SignedFacts]-?: readonly unknown[] } = {
  id: [newLicenseId(now)],
  revision: [2, 7],
  tenantId: [newTenantId(now)],
  customer: [{ id: 'C-9', name: 'Somebody else' }],
  productId: [newProductId(now)],
  productCode: ['other'],
  planId: [newPlanId(now)],
  type: ['TOPUP', 'TRIAL'],
  term: ['perpetual', 'trial'],
  allocation: ['floating', 'site'],
  extends: [newLicenseId(now)],
  productInstanceId: ['I-2', undefined],
  reference: ['R-2', undefined],
  limits: [{}, { users: 101 }, { users: 'unlimited' }, { users: 100, departments: 1 }],
  features: [{}, { sso: false }, { sso: true, edition: 'pro' }],
  rules: [{ overdraft: { kind: 'unlimited' } }, { countries: { allow: [] } }],
  fingerprints: [['fingerprint-2', 'fingerprint-1'], ['fingerprint-1'], undefined],
  validFrom: [inDays(-400), inDays(40)],
  expiresAt: [inDays(4_000), inDays(-1), undefined],
  graceDays: [0, 3_650],
  graceEndsAt: [inDays(5_000), undefined],
  maintenanceEndsAt: [inDays(9)],
  suspendedAt: [now],
  revokedAt: [now],
  signedAt: [inDays(-1)],
}

const order = { productInstanceId: 'I-1', reference: 'R-1', fingerprints: ['fingerprint-1', 'fingerprint-2'] }
const { license, key } = await issue(order)
const intact = await row(license)
const ask = { key, fingerprint: 'fingerprint-1' }

describe('a changed field makes the license TAMPERED', () => {
  const changes = Object.entries(OTHER).flatMap(([field, values]) =>
    values.map((value) => ({ field, value })),
  )
  test.each(changes)('$field: $value', async ({ field, value }) => {
    await edit(license, { [field]: value })
    const verdict = await validate(ask)
    await restore(intact)
    const mended = await validate(ask)
    // With another id it is another license; the one that was asked about is gone.
    expect(verdict).toMatchObject({ valid: false, code: field === 'id' ? 'NOT_FOUND' : 'TAMPERED' })
    expect(verdict.entitlement?.inForce ?? false).toBe(false)
    expect(mended).toMatchObject({ valid: true, code: 'VALID' })
  })

  test('whatever the limits and dates are changed to', async () => {
    const limits = fc.record(
      { users: fc.oneof(fc.nat(), fc.constant('unlimited')), departments: fc.nat() },
      { requiredKeys: [] },
    )
    const dates = fc.integer({ min: -500, max: 5_000 }).map((days) => inDays(days + 0.5))
    const change = fc.oneof(
      limits.map((value) => ({ limits: value })),
      dates.map((value) => ({ expiresAt: value })),
    )
    await fc.assert(
      fc.asyncProperty(change, async (changed) => {
        fc.pre(JSON.stringify(changed) !== '{"limits":{"users":100}}')
        await edit(license, { ...intact, ...changed })
        expect((await validate(ask)).code).toBe('TAMPERED')
      }),
      walks(25),
    )
    await restore(intact)
  })
})

describe('a changed signature makes the license TAMPERED', () => {
  test('of another key, of another license, of an earlier revision, cut off', async () => {
    const other = await row((await issue()).license)
    const signatures = [
      other['signature'],
      { ...Object(intact['signature']), kid: 'unknown' },
      { ...Object(intact['signature']), value: '' },
      { ...Object(intact['signature']), value: 'A'.repeat(86) },
    ]
    for (const signature of signatures) {
      await edit(license, { signature })
      expect((await validate(ask)).code).toBe('TAMPERED')
    }
    await restore(intact)
    const { license: suspended, key: own } = await issue()
    const { signature } = await row(suspended)
    await act(suspended.id, 'suspend')
    await edit(suspended, { signature, suspendedAt: undefined, revision: 1 })
    expect((await validate({ key: own })).code).toBe('TAMPERED')
  })
})

test('lifting a suspension or revocation in the row does not lift it', async () => {
  for (const [action, field] of [
    ['suspend', 'suspendedAt'],
    ['revoke', 'revokedAt'],
  ] as const) {
    const { license: own, key: ownKey } = await issue()
    await act(own.id, action)
    await edit(own, { [field]: undefined })
    expect(await validate({ key: ownKey })).toMatchObject({ valid: false, code: 'TAMPERED' })
  }
})

describe('a tampered license', () => {
  test('is not signed again by anything that would, but can be revoked', async () => {
    const { license: own, key: ownKey } = await issue()
    await edit(own, { limits: { users: 1_000_000 } })
    const before = await row(own)
    const token = await api.token('vendor:issuer')
    const path = `/v1/licenses/${own.id}`
    const edited = await api.call('PATCH', path, {
      token,
      body: { limits: { users: 5 } },
      headers: { 'if-match': '"1"' },
    })
    const file = await api.call('GET', `${path}/file`, { token })
    const refused = await Promise.all(['suspend', 'renew', 'rotate-key'].map((action) => act(own.id, action)))
    expect([edited, file, ...refused].map(outcome)).toEqual(Array(5).fill('409 LICENSE_TAMPERED'))
    expect(await row(own)).toEqual(before)
    expect(await read(own.id)).toMatchObject({ tampered: true, limits: { users: 1_000_000 } })

    const revoked = await act(own.id, 'revoke')

    expect([outcome(revoked), codesOf(await validate({ key: ownKey }))]).toEqual(['200', ['REVOKED']])
  })

  test('that was suspended cannot be reinstated', async () => {
    const { license: own } = await issue()
    await act(own.id, 'suspend')
    await edit(own, { limits: { users: 1_000_000 } })
    expect(outcome(await act(own.id, 'reinstate', {}))).toBe('409 LICENSE_TAMPERED')
  })

  test('gives nothing to others: no capacity, no time, no base; others go on', async () => {
    const own = await createScenario(api)
    const base = await own.issue({ limits: { users: 10 } })
    const topUp = await own.issue({ type: 'TOPUP', extends: base.license.id, limits: { users: 5 } })
    const ended = await own.issue({ validFrom: inDays(-9), expiresAt: inDays(-1), graceDays: 0 })
    const longer = await own.issue({ type: 'VALIDITY', extends: ended.license.id })
    const before = await own.validate({ key: ended.key })
    await own.edit(longer.license, { expiresAt: inDays(9_000) })
    await own.edit(topUp.license, { limits: { users: 5_000 } })
    const verdict = await own.validate({ key: base.key })
    expect(before.valid).toBe(true)
    expect(codesOf(await own.validate({ key: ended.key }))).toEqual(['EXPIRED'])
    expect(verdict).toMatchObject({
      valid: true,
      entitlement: { pools: [{ metric: 'users', capacity: 10 }] },
    })
    await own.edit(base.license, { graceDays: 1 })
    const { license: more, key: moreKey } = await own.issue({ limits: { users: 3 } })
    const after = await own.validate({ key: moreKey })
    expect(after).toMatchObject({
      valid: true,
      entitlement: { pools: [{ sources: [{ licenseId: more.id }] }] },
    })
  })

  test('reports no use with its key', async () => {
    const { license: own, key: ownKey } = await issue()
    await edit(own, { graceDays: 1 })
    const body = { records: [{ metric: 'users', value: 1 }] }
    const answer = await api.call('POST', '/v1/usage', {
      headers: { authorization: `License ${ownKey}` },
      body,
    })
    expect(outcome(answer)).toBe('409 LICENSE_NOT_IN_FORCE')
    expect(answer.body).toHaveProperty('detail', 'The license is TAMPERED.')
  })
})

test('what is not signed may change without harm', async () => {
  await edit(license, { lastSeenStatus: 'GRACE', keyHint: 'ABCD', deletedAt: now })
  expect(await validate(ask)).toMatchObject({ valid: true })
  await restore(intact)
})
