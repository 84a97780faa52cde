import { afterAll, expect, test } from 'vitest'
import * as z from 'zod'
import { LicenseView } from '../../../shared/domain/license-view.ts'
import { outcome, startApi } from '../../support/api.ts'
import { typesOf } from '../../support/events.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario, expected, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { issue, upload, validate, events, tenant } = scenario

const Uploaded = z.strictObject({ license: LicenseView, changed: z.boolean() })
const uploaded = async (...args: Parameters<typeof upload>) =>
  Uploaded.parse(expected(200, await upload(...args)))
const applications = async (id: string) =>
  typesOf(await events(id)).filter((type) => type === 'license.applied')

test.each([
  ['its JSON', (file: object) => file],
  ['its JSON as text', (file: object) => JSON.stringify(file)],
  [
    'its JSON as text, indented and with line ends',
    (file: object) => `\r\n${JSON.stringify(file, null, 2)}\n`,
  ],
  ['the bare JWS', ({ license }: { license: string }) => license],
  ['the bare JWS with a line end', ({ license }: { license: string }) => `${license}\r\n`],
])('a file is applied from %s', async (_, form) => {
  const { license, key, file } = await issue({ applyOn: 'upload' })

  const { license: applied, changed } = await uploaded(form(file))

  const { appliedAt, ...rest } = applied
  expect(changed).toBe(true)
  expect(rest).toEqual(license)
  expect(appliedAt).toEqual(expect.any(String))
  expect(await validate({ key })).toMatchObject({ valid: true, entitlement: { inForce: true } })
  const [event] = (await events(license.id)).filter(({ type }) => type === 'license.applied')
  expect(event).toMatchObject({
    actor: { kind: 'tenant', role: 'tenant:admin' },
    tenantId: tenant.id,
    after: { id: license.id, appliedAt },
  })
})

test('applying it twice changes nothing', async () => {
  const { license, file } = await issue({ applyOn: 'upload' })
  const first = await uploaded(file)
  const before = await allRows(api.table)
  const second = await uploaded(file.license)
  expect(second).toEqual({ license: first.license, changed: false })
  expect(await allRows(api.table)).toEqual(before)
  expect(await applications(license.id)).toHaveLength(1)
})

test('a license that was applied when it was issued is not applied again', async () => {
  const { license, file } = await issue()
  expect(await uploaded(file)).toEqual({ license, changed: false })
  expect(await applications(license.id)).toEqual([])
})

test('20 at the same time apply it once, with one event', async () => {
  const { license, file } = await issue({ applyOn: 'upload' })
  const answers = await Promise.all(Array.from({ length: 20 }, () => upload(file)))
  const changed = answers.map((answer) => Uploaded.parse(expected(200, answer)).changed)
  expect(changed.filter(Boolean)).toHaveLength(1)
  expect(await applications(license.id)).toHaveLength(1)
  expect(await scenario.row(license)).toMatchObject({ version: 2, appliedAt: expect.any(String) })
})

test('under one Idempotency-Key the first answer comes back, also once things have moved on', async () => {
  const { license, file } = await issue({ applyOn: 'upload' })
  const options = { headers: { 'idempotency-key': 'upload-1' } }
  const first = await upload(file, options)
  await scenario.act(license.id, 'suspend')
  expect(await upload(file, options)).toMatchObject({ status: 200, body: first.body })
  expect(outcome(await upload('another', options))).toBe('422 IDEMPOTENCY_MISMATCH')
  expect(await applications(license.id)).toHaveLength(1)
})

test('the newest file of a license that was changed is applied', async () => {
  const { license } = await issue({ applyOn: 'upload' })
  await scenario.act(license.id, 'suspend')
  await scenario.act(license.id, 'reinstate', {})
  const file = await scenario.fileOf(license.id)
  expect(file.revision).toBe(3)
  expect(await uploaded(file)).toMatchObject({ changed: true, license: { revision: 3, status: 'ACTIVE' } })
})

test('a license that starts later, or is in grace, is applied', async () => {
  const later = await issue({ applyOn: 'upload', validFrom: inDays(5) })
  const late = await issue({ applyOn: 'upload', validFrom: inDays(-9), expiresAt: inDays(-1) })
  expect(await uploaded(later.file)).toMatchObject({ changed: true, license: { status: 'PENDING' } })
  expect(await uploaded(late.file)).toMatchObject({ changed: true, license: { status: 'GRACE' } })
})

test('vendor staff apply it for the tenant', async () => {
  const { license, file } = await issue({ applyOn: 'upload' })
  await uploaded(file, { token: await api.token('vendor:issuer') })
  const [event] = (await events(license.id)).filter(({ type }) => type === 'license.applied')
  expect(event?.actor).toMatchObject({ kind: 'vendor', role: 'vendor:issuer' })
})
