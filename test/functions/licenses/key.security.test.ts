import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { outcome, startApi } from '../../support/api.ts'
import { typesOf } from '../../support/events.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario, expected, Issued } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { issue, act, validate, events } = scenario

const Shown = z.object({ key: z.string() })
const reveal = async (id: string) => Shown.parse(expected(200, await act(id, 'reveal-key'))).key
const rotate = async (id: string) => Shown.parse(expected(200, await act(id, 'rotate-key'))).key

describe('a license key', () => {
  test('can be typed: groups of five without look-alikes, in any case, with or without hyphens', async () => {
    const { key, license } = await issue()
    expect(key).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){5}$/)
    const spellings = [key.toLowerCase(), key.replaceAll('-', ''), ` ${key} `, key.replaceAll('0', 'o')]
    for (const spelling of spellings) {
      expect((await validate({ key: spelling })).license?.id, spelling).toBe(license.id)
    }
  })

  test('differs from license to license', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, async () => (await issue()).key))
    const halves = keys.flatMap((key) => [key.slice(0, 14), key.slice(15)])
    expect(new Set(halves).size).toBe(20)
  })
})

describe('is nowhere in clear', () => {
  test('in the whole table, whatever was done with it, replies and events included', async () => {
    const headers = { 'idempotency-key': 'kept' }
    const first = Issued.parse(expected(201, await scenario.order({}, { headers })))
    const { id } = first.license
    const rotated = await act(
      id,
      'rotate-key',
      { reason: 'leaked' },
      { headers: { 'idempotency-key': 'new' } },
    )
    const revealed = await act(
      id,
      'reveal-key',
      { reason: 'asked' },
      { headers: { 'idempotency-key': 'shown' } },
    )
    const body = {
      rows: [
        {
          reference: 'R-1',
          customerId: scenario.tenant.customerId,
          planId: scenario.plans.year.id,
          validFrom: '2026-01-01T00:00:00Z',
        },
      ],
    }
    const token = await api.token('vendor:issuer')
    const imported = await api.call('POST', '/v1/licenses/import', { token, body })
    const Import = z.object({ licenses: z.array(Shown) })
    const keys = [
      first.key,
      Shown.parse(rotated.body).key,
      Shown.parse(revealed.body).key,
      ...Import.parse(imported.body).licenses.map(({ key }) => key),
    ]
    await Promise.all(keys.map((key) => validate({ key })))

    const rows = [...(await allRows(api.table))].map((row) => JSON.stringify(row).replaceAll('-', ''))

    const secrets = keys.flatMap((key) => [
      key.replaceAll('-', '').slice(0, 26),
      Buffer.from(key).toString('base64url'),
    ])
    expect(keys).toHaveLength(4)
    expect(rows.filter((row) => row.includes('"entity":"reply"'))).toHaveLength(3)
    expect(secrets.filter((secret) => rows.some((row) => row.includes(secret.replaceAll('-', ''))))).toEqual(
      [],
    )
  })

  test('nor in what the API shows of a license afterwards', async () => {
    const { key, license, file } = await issue()
    const token = await api.token('vendor:admin')
    const paths = [
      `/v1/licenses/${license.id}`,
      `/v1/licenses/${license.id}/file`,
      '/v1/licenses',
      `/v1/tenants/${license.tenantId}/licenses`,
      `/v1/tenants/${license.tenantId}/overview`,
      `/v1/tenants/${license.tenantId}/events`,
    ]
    const answers = await Promise.all(paths.map((path) => api.call('GET', path, { token })))
    const texts = [...answers.map(({ body }) => JSON.stringify(body)), file.license]
    expect(answers.map(outcome)).toEqual(paths.map(() => '200'))
    expect(texts.filter((text) => text.includes(key.slice(0, 14)))).toEqual([])
    expect(texts.filter((text) => /keyHash|signature"|lastSeen/.test(text))).toEqual([])
    expect(JSON.stringify(answers[0]?.body)).toContain(`*****-*****-*****-*****-*****-*${key.slice(-4)}`)
  })
})

test('revealing shows the same key again, in any status, and an event says who and why', async () => {
  const { key, license } = await issue()
  const first = await reveal(license.id)
  await act(license.id, 'revoke')
  const last = await reveal(license.id)
  expect([first, last]).toEqual([key, key])
  const told = (await events(license.id)).filter(({ type }) => type === 'license-key.revealed')
  expect(told).toHaveLength(2)
  expect(told[0]).toMatchObject({ actor: { kind: 'vendor', role: 'vendor:issuer' }, reason: 'a test' })
  expect(JSON.stringify(told)).not.toContain(key.slice(0, 8))
})

describe('rotating a key', () => {
  test('ends the old one at once, also for a function that knows it, and the new one works', async () => {
    const { key: old, license } = await issue()
    const known = await validate({ key: old })
    const usage = { records: [{ metric: 'users', value: 1 }] }
    const authorization = `License ${old}`
    const accepted = await api.call('POST', '/v1/usage', { headers: { authorization }, body: usage })

    const key = await rotate(license.id)

    expect([known.code, outcome(accepted)]).toEqual(['VALID', '200'])
    expect(key).not.toBe(old)
    expect(await validate({ key: old })).toMatchObject({ valid: false, code: 'NOT_FOUND' })
    expect(await validate({ key: old })).not.toHaveProperty('license')
    const refused = await api.call('POST', '/v1/usage', { headers: { authorization }, body: usage })
    expect(outcome(refused)).toBe('401 UNAUTHENTICATED')
    expect(await validate({ key })).toMatchObject({ valid: true, code: 'VALID' })
    expect(await reveal(license.id)).toBe(key)
    expect((await scenario.read(license.id)).key).toBe(`*****-*****-*****-*****-*****-*${key.slice(-4)}`)
    const rotated = (await events(license.id)).find(({ type }) => type === 'license-key.rotated')
    expect(rotated).toMatchObject({
      before: { key: license.key },
      after: { key: expect.stringContaining(key.slice(-4)) },
      reason: 'a test',
    })
  })

  test('by many at the same time leaves one key, the last', async () => {
    const { license } = await issue()
    const keys = await Promise.all(Array.from({ length: 4 }, () => rotate(license.id)))
    const verdicts = await Promise.all(keys.map((key) => validate({ key })))
    const last = await reveal(license.id)
    expect(new Set(keys).size).toBe(4)
    expect(verdicts.map(({ code }) => code).toSorted()).toEqual([
      'NOT_FOUND',
      'NOT_FOUND',
      'NOT_FOUND',
      'VALID',
    ])
    expect(keys[verdicts.findIndex(({ valid }) => valid)]).toBe(last)
    expect(typesOf(await events(license.id)).filter((type) => type === 'license-key.rotated')).toHaveLength(4)
  })

  test('changes neither the signed facts nor their file', async () => {
    const { license, file } = await issue()
    await rotate(license.id)
    expect(await scenario.fileOf(license.id)).toEqual(file)
    expect(await scenario.read(license.id)).toMatchObject({ revision: 1, tampered: false })
  })
})
