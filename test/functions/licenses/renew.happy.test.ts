import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { addDuration } from '../../../shared/domain/calendar.ts'
import { LicenseFile } from '../../../shared/domain/license-file.ts'
import { LicenseView } from '../../../shared/domain/license-view.ts'
import { Duration, type Instant } from '../../../shared/platform/time.ts'
import { outcome, startApi, wrongFields } from '../../support/api.ts'
import { createTenant } from '../../support/resources.ts'
import { createScenario, expected, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { issue, act, events, row, plans, tenant } = scenario
const month = { planId: plans.month.id }

const Renewed = z.strictObject({ license: LicenseView, file: LicenseFile })
const renew = async (id: string, body: object = {}) =>
  Renewed.parse(expected(200, await act(id, 'renew', body)))
/** The end after so many renewals, each to one more term. */
async function ends(order: object, times: number): Promise<(string | undefined)[]> {
  const { license } = await issue(order)
  const found = [license.expiresAt]
  while (found.length <= times) found.push((await renew(license.id, { from: 'expiry' })).license.expiresAt)
  return found.map((end) => end?.replace('T00:00:00.000Z', ''))
}
/** When it was renewed last, and a month after that. */
async function monthAfterRenewal(id: string): Promise<Instant | undefined> {
  const event = (await events(id)).findLast(({ type }) => type === 'license.renewed')
  return event && addDuration(event.at, Duration.parse('P1M'), tenant.timeZone)
}

describe('one more term', () => {
  test('of a month keeps the last day of the month', async () => {
    expect(await ends({ ...month, validFrom: '2051-01-31T00:00:00Z' }, 4)).toEqual([
      '2051-02-28',
      '2051-03-31',
      '2051-04-30',
      '2051-05-31',
      '2051-06-30',
    ])
  })

  test('of a year keeps 29 February', async () => {
    expect(await ends({ validFrom: '2048-02-29T00:00:00Z' }, 3)).toEqual([
      '2049-02-28',
      '2050-02-28',
      '2051-02-28',
      '2052-02-29',
    ])
  })

  test('is counted from an end that was set by hand', async () => {
    const order = { ...month, validFrom: '2051-01-05T00:00:00Z', expiresAt: '2051-01-31T00:00:00Z' }
    expect(await ends(order, 2)).toEqual(['2051-01-31', '2051-02-28', '2051-03-31'])
  })

  test('keeps the hour of the day where its tenant lives', async () => {
    const berlin = await createTenant(api, { timeZone: 'Europe/Berlin' })
    const { license } = await issue({ ...month, tenantId: berlin.id, validFrom: '2051-02-15T11:00:00Z' })
    expect(license.expiresAt).toBe('2051-03-15T11:00:00.000Z')
    expect((await renew(license.id)).license.expiresAt).toBe('2051-04-15T10:00:00.000Z')
  })

  test('takes the grace along, and the answer has the new file', async () => {
    const { license } = await issue({ validFrom: '2051-01-01T00:00:00Z', graceDays: 10 })
    const { license: after, file } = await renew(license.id, { reason: 'paid' })
    expect(after).toMatchObject({
      revision: 2,
      expiresAt: '2053-01-01T00:00:00.000Z',
      graceEndsAt: '2053-01-11T00:00:00.000Z',
    })
    expect(file).toMatchObject({ revision: 2, expiresAt: after.expiresAt })
    expect(await scenario.fileOf(license.id)).toEqual(file)
    expect((await events(license.id)).at(-1)).toMatchObject({
      type: 'license.renewed',
      reason: 'paid',
      after,
    })
  })

  test('leaves a suspension in place', async () => {
    const { license } = await issue()
    await act(license.id, 'suspend', { reason: 'unpaid' })
    const { license: after } = await renew(license.id)
    expect(after).toMatchObject({ status: 'SUSPENDED', suspensionReason: 'unpaid' })
    expect(after.expiresAt?.slice(0, 4)).toBe(String(Number(license.expiresAt?.slice(0, 4)) + 1))
  })
})

describe('counted', () => {
  const grace = { ...month, validFrom: inDays(-33), expiresAt: inDays(-2), graceDays: 10 }
  const after = { ...month, validFrom: inDays(-33), expiresAt: inDays(-20), graceDays: 10 }

  test('auto before its end: from its end', async () => {
    const { license } = await issue({ ...month, expiresAt: inDays(5) })
    const { license: next } = await renew(license.id)
    expect(next.expiresAt).toBe(addDuration(inEnd(license), Duration.parse('P1M'), tenant.timeZone))
  })

  test('auto in grace: from its end, so that nothing is given away', async () => {
    const { license } = await issue(grace)
    const { license: next } = await renew(license.id)
    expect([license.status, next.status]).toEqual(['GRACE', 'ACTIVE'])
    expect(next.expiresAt).toBe(addDuration(inEnd(license), Duration.parse('P1M'), tenant.timeZone))
  })

  test('auto after grace: from now', async () => {
    const { license } = await issue(after)
    const { license: next } = await renew(license.id)
    expect([license.status, next.status]).toEqual(['EXPIRED', 'ACTIVE'])
    expect(next.expiresAt).toBe(await monthAfterRenewal(license.id))
  })

  test('from now, though it is not over', async () => {
    const { license } = await issue({ ...month, validFrom: inDays(-10) })
    const { license: next } = await renew(license.id, { from: 'now' })
    expect(next.expiresAt).toBe(await monthAfterRenewal(license.id))
  })

  test('from its end after grace, where a term reaches beyond now', async () => {
    const { license } = await issue(after)
    const { license: next } = await renew(license.id, { from: 'expiry' })
    expect(next).toMatchObject({ status: 'ACTIVE' })
    expect(next.expiresAt).toBe(addDuration(inEnd(license), Duration.parse('P1M'), tenant.timeZone))
  })

  test('from the end that what extends it gives, which stays paid for', async () => {
    const { license } = await issue({ ...month, validFrom: inDays(-40), expiresAt: inDays(-9) })
    const order = { type: 'VALIDITY', extends: license.id, planId: plans.month.id, expiresAt: inDays(10) }
    const extension = (await issue(order)).license
    const { license: next } = await renew(license.id)
    expect(next.expiresAt).toBe(addDuration(inEnd(extension), Duration.parse('P1M'), tenant.timeZone))
    expect((await renew(license.id)).license.expiresAt).toBe(
      addDuration(inEnd(extension), Duration.parse('P2M'), tenant.timeZone),
    )
    expect(outcome(await act(license.id, 'renew', { from: 'now' }))).toBe('422 LICENSE_MISMATCH')
  })

  test('to an exact end, from which the terms after it are counted', async () => {
    const { license } = await issue(month)
    const end = '2053-01-31T00:00:00.000Z'
    expect((await renew(license.id, { expiresAt: end })).license.expiresAt).toBe(end)
    expect((await renew(license.id)).license.expiresAt).toBe('2053-02-28T00:00:00.000Z')
  })

  const inEnd = ({ expiresAt }: LicenseView): Instant => expiresAt ?? inDays(0)
})

describe('is refused and changes nothing', () => {
  const old = { ...month, validFrom: inDays(-200), expiresAt: inDays(-100), graceDays: 0 }
  const cases: [string, string, object, object][] = [
    ['of a license that never ends', '409 TRANSITION_NOT_ALLOWED', { planId: plans.perpetual.id }, {}],
    ['to an end before the one it has', '422 LICENSE_MISMATCH', {}, { expiresAt: inDays(3) }],
    [
      'to the end it has',
      '422 LICENSE_MISMATCH',
      { expiresAt: '2051-01-01T00:00:00Z' },
      { expiresAt: '2051-01-01T00:00:00Z' },
    ],
    ['by a term too far ahead', '422 LICENSE_MISMATCH', { expiresAt: '6999-12-31T00:00:00Z' }, {}],
    ['to an end that is over', '422 LICENSE_MISMATCH', old, { expiresAt: inDays(-50) }],
    ['by a term that is over', '422 LICENSE_MISMATCH', old, { from: 'expiry' }],
    [
      'from now, shorter than it is',
      '422 LICENSE_MISMATCH',
      { ...month, expiresAt: inDays(90) },
      { from: 'now' },
    ],
  ]
  test.each(cases)('%s', async (_, refusal, order, body) => {
    const { license } = await issue(order)
    const [before, told] = [await row(license), await events(license.id)]
    expect(outcome(await act(license.id, 'renew', body))).toBe(refusal)
    expect([await row(license), await events(license.id)]).toEqual([before, told])
  })

  test.each([
    [{ from: 'tomorrow' }, '/body/from'],
    [{ expiresAt: '2053-01-31' }, '/body/expiresAt'],
    [{ months: 3 }, '/body/months'],
  ])('asked for %j', async (body, field) => {
    const { license } = await issue()
    expect(wrongFields(await act(license.id, 'renew', body))).toEqual([field])
  })
})
