import { randomUUID } from 'node:crypto'
import { KMSClient } from '@aws-sdk/client-kms'
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { createClients, createServices } from '../../../functions/services.ts'
import { scanTenant } from '../../../functions/trust/scan-tenant.ts'
import { withVerifier } from '../../../functions/verified.ts'
import { IntegrityEvent, IntegrityScan } from '../../../shared/domain/integrity.ts'
import { Environment, readEnvironment } from '../../../shared/platform/config/environment.ts'
import { FindingId, LicenseId, OrganizationId, TenantId, TokenId } from '../../../shared/platform/ids.ts'
import { keyProbe } from '../../../shared/platform/signing/probe-keys.ts'
import { loadPublicKeys } from '../../../shared/platform/signing/public-keys.ts'
import { sessionKeys } from '../../../shared/platform/signing/session-keys.ts'
import { HOUR, readClock } from '../../../shared/platform/time.ts'
import {
  eventLog,
  integrityEventKey,
  integrityKey,
  type Key,
  keyAddressKey,
  licenseAddressKey,
  licenseKey,
  licenseRecordKey,
  organizationKey,
  referenceKey,
  tenantKey,
  tokenKey,
} from '../../../shared/store/keys.ts'
import { readItem, readRange } from '../../../shared/store/read.ts'
import { outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { follower } from '../../support/follow.ts'
import { startTestKms } from '../../support/kms.ts'
import { createScenario, expected, type Issued, type Scenario } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const follow = follower(api.table)
const admin = await api.token('vendor:admin')

const Status = z.object({
  enabled: z.literal(true),
  criticalEvents: z.int(),
  standingEvents: z.int(),
  lastScan: IntegrityScan.optional(),
  openEvents: z.array(IntegrityEvent),
})
const path = ({ tenant }: Scenario) => `/v1/tenants/${tenant.id}/integrity`
const scan = async (scenario: Scenario) =>
  IntegrityScan.parse(expected(200, await api.call('POST', `${path(scenario)}/scans`, { token: admin })))
const status = async (scenario: Scenario) =>
  Status.parse(expected(200, await api.call('GET', path(scenario), { token: admin })))
/** What a scan says is wrong: of what, what, and in which fields. */
async function wrong(scenario: Scenario): Promise<string[]> {
  await scan(scenario)
  return (await status(scenario)).openEvents
    .map(
      ({ check, subject, differs }) => `${subject.id} ${check} ${differs.map(({ field }) => field).join()}`,
    )
    .toSorted()
}

const remove = (Key: Key) =>
  api.table.client.send(new DeleteCommand({ TableName: api.table.name, Key: { ...Key } }))
const put = (Item: Record<string, unknown>) =>
  api.table.client.send(new PutCommand({ TableName: api.table.name, Item }))
const keyOf = ({ license: { tenantId, productId, id } }: Issued) => licenseKey(tenantId, productId, id)
const eventOf = async ({ license }: Issued, type: string) => {
  const all = await readRange(api.table, { pk: eventLog(license.tenantId) })
  return all.find((item) => item['type'] === type && Object(item['subject']).id === license.id) ?? {}
}

/** What somebody who can write the table may do with a license, and how a scan names it. */
const TAMPERING: Record<
  string,
  { does: (scenario: Scenario, one: Issued) => Promise<unknown>; says: string }
> = {
  'raises a limit': {
    does: (scenario, { license }) => scenario.edit(license, { limits: { users: 5_000 } }),
    says: 'license-tampered limits',
  },
  'raises one, and writes what is no record of it': {
    async does(scenario, { license }) {
      await scenario.edit(license, { limits: { users: 5_000 } })
      await put({ ...licenseRecordKey(scenario.tenant.id, license.id), entity: 'license-record', schema: 1 })
    },
    says: 'license-tampered limits',
  },
  'gives another end': {
    does: (scenario, { license }) => scenario.edit(license, { expiresAt: '2099-01-01T00:00:00.000Z' }),
    says: 'license-tampered expiresAt',
  },
  'swaps the signature': {
    does: (scenario, { license }) => scenario.edit(license, { signedAt: '2020-01-01T00:00:00.000Z' }),
    says: 'license-tampered ',
  },
  'puts the row of before a suspension back': {
    async does(scenario, { license }) {
      const before = await scenario.row(license)
      await scenario.act(license.id, 'suspend')
      await follow(scenario.tenant.id)
      await scenario.restore(before)
    },
    says: 'license-rolled-back revision,suspendedAt,suspensionReason',
  },
  'puts it back before the suspension was followed': {
    async does(scenario, { license }) {
      const before = await scenario.row(license)
      await scenario.act(license.id, 'suspend')
      await scenario.restore(before)
      await follow(scenario.tenant.id)
    },
    says: 'license-rolled-back revision,suspendedAt,suspensionReason',
  },
  'applies it past the API': {
    does: (scenario, { license }) => scenario.edit(license, { appliedAt: '2026-01-01T00:00:00.000Z' }),
    says: 'license-changed appliedAt',
  },
  'gives it another key': {
    does: (scenario, { license }) => scenario.edit(license, { keyHint: 'AAAA' }),
    says: 'license-changed key',
  },
  'writes what is no license': {
    does: (scenario, { license }) => scenario.edit(license, { graceDays: -1 }),
    says: 'license-unreadable row',
  },
  'removes its row': { does: (_, one) => remove(keyOf(one)), says: 'license-missing row' },
  'removes what was recorded of it and its event': {
    async does({ tenant }, one) {
      const { pk, sk } = await eventOf(one, 'license.issued')
      await remove({ pk: String(pk), sk: String(sk) })
      await remove(licenseRecordKey(tenant.id, one.license.id))
    },
    says: 'license-unrecorded ',
  },
  'removes its event': {
    async does(_, one) {
      const { pk, sk } = await eventOf(one, 'license.issued')
      await remove({ pk: String(pk), sk: String(sk) })
    },
    says: 'event-missing event',
  },
  'changes its event': {
    async does(_, one) {
      const event = await eventOf(one, 'license.issued')
      await put({ ...event, after: { ...Object(event['after']), limits: { users: 7 } } })
    },
    says: 'license-changed limits',
  },
  'removes its id': {
    does: (_, { license }) => remove(licenseAddressKey(license.id)),
    says: 'address-missing id',
  },
  'leads its key elsewhere': {
    async does(scenario, { license }) {
      const key = keyAddressKey(String((await scenario.row(license))['keyHash']))
      await put({ ...(await readItem(api.table, key)), licenseId: LicenseId.parse(`lic_${'0'.repeat(26)}`) })
    },
    says: 'address-wrong key.licenseId',
  },
  'removes its reference': {
    does: (_, { license }) => remove(referenceKey(String(license.reference))),
    says: 'address-missing reference',
  },
}

test('whatever somebody does to rows behind the API, each is found and named, and nothing else', async () => {
  const scenario = await createScenario(api)
  const cases = Object.values(TAMPERING)
  const issued: Issued[] = []
  for (const _ of [...cases, undefined])
    issued.push(await scenario.issue({ reference: `ref-${randomUUID()}` }))
  await follow(scenario.tenant.id)
  const clean = await scan(scenario)
  expect(clean).toMatchObject({ found: 0, skipped: [], checked: { licenses: cases.length + 1 } })
  expect(clean.checked.logged).toBeGreaterThan(2 * cases.length)
  expect(await status(scenario)).toMatchObject({ criticalEvents: 0, openEvents: [], lastScan: clean })

  const said: string[] = []
  for (const [index, { does, says }] of cases.entries()) {
    const one = issued[index]
    if (one === undefined) throw new Error('too few licenses')
    await does(scenario, one)
    said.push(`${one.license.id} ${says}`)
  }
  const all = await wrong(scenario)
  expect(all.filter((one) => one.startsWith('lic_'))).toEqual(said.toSorted())
  // The log has of events what they said.
  const ofLog = all
    .filter((one) => !one.startsWith('lic_'))
    .map((one) => one.split(' ').slice(-2).join(' '))
    .toSorted()
  expect(ofLog).toEqual(['log-broken EVENT_CHANGED', 'log-broken EVENT_MISSING', 'log-broken EVENT_MISSING'])
  // Once more tells nothing more.
  expect(await scan(scenario)).toMatchObject({ found: 0, mended: 0 })
})

test('the log is looked through once, however many rows are suspicious', async () => {
  const scenario = await createScenario(api)
  const [first, ...others] = [await scenario.issue(), await scenario.issue(), await scenario.issue()]
  await follow(scenario.tenant.id)
  await scan(scenario)
  const queriesOf = async (spoiled: readonly Issued[]) => {
    for (const { license } of spoiled) await scenario.edit(license, { limits: { users: 5_000 } })
    const before = api.dynamoCalls()['Query'] ?? 0
    expect(await scan(scenario)).toMatchObject({ found: spoiled.length })
    return (api.dynamoCalls()['Query'] ?? 0) - before
  }
  const ofOne = await queriesOf(first ? [first] : [])
  expect(ofOne).toBeGreaterThan(0)
  expect(await queriesOf(others)).toBe(ofOne)
})

test('rows that people change are what their events say: one changed, put back, made up or gone is named', async () => {
  stopClock()
  const scenario = await createScenario(api)
  const { id } = scenario.tenant
  const made = async (path: string, body: object) =>
    z.object({ id: z.string() }).parse(expected(201, await api.call('POST', path, { token: admin, body }))).id
  const organizations = `/v1/tenants/${id}/organizations`
  const school = OrganizationId.parse(await made(organizations, { name: 'School' }))
  const other = OrganizationId.parse(await made(organizations, { name: 'Other' }))
  const nowhere = OrganizationId.parse(`org_${'0'.repeat(26)}`)
  const token = await made('/v1/tokens', { name: 'App', role: 'tenant:app', tenantId: id })
  const before = await readItem(api.table, tokenKey(TokenId.parse(token)))
  expect((await api.call('DELETE', `/v1/tokens/${token}`, { token: admin })).status).toBe(204)
  const edit = { token: admin, body: { name: 'Another' }, headers: { 'if-match': '"1"' } }
  expect((await api.call('PATCH', `/v1/tenants/${id}`, edit)).status).toBe(200)
  await follow(id)
  advanceClock(HOUR)
  expect(await scan(scenario)).toMatchObject({ found: 0 })

  await put({ ...before })
  await put({ ...(await readItem(api.table, tenantKey(id))), name: 'Stolen' })
  const row = await readItem(api.table, organizationKey(id, school))
  await put({ ...row, ...organizationKey(id, nowhere), id: nowhere })
  await remove(organizationKey(id, other))
  expect(await wrong(scenario)).toEqual(
    [
      `${token} row-changed revokedAt`,
      `${id} row-changed name`,
      `${nowhere} row-unrecorded `,
      `${other} row-missing row`,
    ].toSorted(),
  )
  vi.useRealTimers()
})

test('published keys are those that KMS has, each that it has no more is named, and nobody says so while it is silent', async () => {
  const scenario = await createScenario(api)
  const { license } = await scenario.issue()
  await follow(scenario.tenant.id)
  const { kms } = createClients()
  const common = await createServices(readEnvironment(Environment), createClients())
  const verifying = await withVerifier(common, kms, api.kmsKeys.signing)
  const activations = await loadPublicKeys(kms, api.kmsKeys.activations)
  const keys = sessionKeys(kms, api.kmsKeys.sessions)
  const session = { keyId: api.kmsKeys.sessions, keys }
  const published = { licenses: verifying.publicKeys, activations, session }
  const scanWith = (asked: KMSClient, own: Parameters<typeof keyProbe>[1] = published) => {
    const services = { ...verifying, probeKeys: keyProbe(asked, own), checkLog: async () => undefined }
    const caller = { kind: 'system', subject: 'test' } as const
    const request = { caller, now: readClock(), requestId: 'x' }
    return scanTenant(TenantId.parse(scenario.tenant.id), request, services, { remaining: () => 60_000 })
  }
  const { kid } = z.object({ kid: z.string() }).parse((await scenario.row(license))['signature'])
  const used = [kid, ...[...activations, ...(await keys.published(readClock()))].map((key) => key.kid)]
  expect(await scanWith(kms)).toMatchObject({ found: 0, checked: { keys: 6 }, skipped: ['log'] })

  // Another account's KMS, as far as these keys go.
  const other = await startTestKms()
  const without = new KMSClient({ endpoint: other.endpoint, maxAttempts: 1 })
  expect(await scanWith(without)).toMatchObject({ found: 6 })
  const told = (await status(scenario)).openEvents.map(({ check, subject }) => `${check} ${subject.id}`)
  expect(told.toSorted()).toEqual(used.map((one) => `key-unknown ${one}`).toSorted())
  await other.close()
  const silent = await scanWith(without)
  expect(silent).toMatchObject({ found: 0, mended: 0 })
  expect(silent?.skipped.toSorted()).toEqual(['log', ...used.map((one) => `key ${one}`)].toSorted())
  // A function that has just started does not even know what its verdicts are signed with.
  const fresh = { keyId: api.kmsKeys.sessions, keys: sessionKeys(without, api.kmsKeys.sessions) }
  expect((await scanWith(without, { ...published, session: fresh }))?.skipped).toContain('key of verdicts')
  expect(await scanWith(kms)).toMatchObject({ found: 0, mended: 6 })
  without.destroy()
})

describe('what is on its way', () => {
  test('is no finding: a license whose events were not followed yet, in any state', async () => {
    const scenario = await createScenario(api)
    const [one, two, three] = [
      await scenario.issue(),
      await scenario.issue({ applyOn: 'upload' }),
      await scenario.issue(),
    ]
    expect(await wrong(scenario)).toEqual([])
    await follow(scenario.tenant.id)
    await scenario.act(one.license.id, 'suspend')
    await scenario.upload(two.file)
    await scenario.act(three.license.id, 'rotate-key')
    await scenario.act(three.license.id, 'renew', { duration: 'P1Y' })
    expect(await wrong(scenario)).toEqual([])
    await follow(scenario.tenant.id)
    await scenario.act(one.license.id, 'reinstate')
    expect(await wrong(scenario)).toEqual([])
  })
})

describe('a critical event', () => {
  test('is told once, with what differs, is taken note of, and does not hide another', async () => {
    const scenario = await createScenario(api)
    const one = await scenario.issue()
    await follow(scenario.tenant.id)
    const intact = await scenario.row(one.license)
    await scenario.edit(one.license, { limits: { users: 5_000 } })
    // The hourly validation finds it as well as the scan.
    await api.call('POST', `/v1/tenants/${scenario.tenant.id}/validation/runs`, { token: admin })
    await scan(scenario)
    const [first] = (await status(scenario)).openEvents
    expect(first).toMatchObject({
      check: 'license-tampered',
      differs: [{ field: 'limits', stored: '{"users":5000}', expected: '{"users":100}' }],
      state: 'open',
    })
    const acknowledge = (id = '', token = admin) =>
      api.call('POST', `${path(scenario)}/events/${id}/acknowledge`, {
        token,
        body: { note: 'We look into it.' },
      })
    expect(outcome(await acknowledge(first?.id))).toBe('200')
    await scan(scenario)
    expect((await status(scenario)).openEvents).toMatchObject([
      { state: 'acknowledged', acknowledged: { note: 'We look into it.' } },
    ])

    const { version } = await scenario.row(one.license)
    // Whoever garbles what was noted of it hides nothing by that: it is found anew.
    const noted = integrityEventKey(scenario.tenant.id, FindingId.parse(first?.id))
    for (const key of [noted, integrityKey(scenario.tenant.id)])
      await scenario.restore({ ...(await readItem(api.table, key)), schema: 99 })
    expect(await status(scenario)).toMatchObject({ openEvents: [] })
    expect(outcome(await acknowledge(first?.id))).toBe('404 NOT_FOUND')
    await scan(scenario)
    expect(await status(scenario)).toMatchObject({ lastScan: { found: 1 }, openEvents: [{ state: 'open' }] })

    await scenario.edit(one.license, { limits: { users: 9_000 } })
    await scan(scenario)
    expect((await status(scenario)).openEvents).toMatchObject([
      { state: 'open', differs: [{ stored: '{"users":9000}' }] },
    ])
    expect(outcome(await acknowledge(first?.id))).toBe('409 INTEGRITY_EVENT_OVER')

    await scenario.restore({ ...intact, version })
    expect(await scan(scenario)).toMatchObject({ mended: 1 })
    expect(await status(scenario)).toMatchObject({ standingEvents: 0, criticalEvents: 0 })
    const told = (await scenario.events(one.license.id)).filter(({ type }) => /integrity|tampered/.test(type))
    expect(told.map(({ type }) => type)).toEqual([
      'license.tampered',
      'integrity.found',
      'integrity.acknowledged',
      'integrity.found',
      'integrity.found',
      'integrity.mended',
    ])
    const other = await createScenario(api)
    const foreign = await api.token('tenant:admin', other.tenant.id)
    expect(outcome(await acknowledge(first?.id, foreign))).toBe('404 NOT_FOUND')
  })

  test('comes of the daily scan, too, and a signing key that KMS does not have is one', async () => {
    const scenario = await createScenario(api)
    const one = await scenario.issue()
    await follow(scenario.tenant.id)
    await scenario.edit(one.license, { signature: { kid: 'k'.repeat(43), value: 'A'.repeat(86) } })
    expect(await wrong(scenario)).toEqual([
      `${'k'.repeat(43)} key-unpublished license`,
      `${one.license.id} license-tampered `,
    ])
  })
})
