import { afterAll, expect, test } from 'vitest'
import { type CallOptions, outcome, startApi, wrongFields } from '../../support/api.ts'
import { createTenant } from '../../support/resources.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario, type Issued, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { issue, act, upload, fileOf } = scenario
const stranger = await createTenant(api)

/** How the upload is refused; nothing may change by it. */
async function refusalOf(file: unknown, options: CallOptions = {}): Promise<string> {
  const before = await allRows(api.table)
  const answer = await upload(file, options)
  expect(await allRows(api.table)).toEqual(before)
  return outcome(answer)
}

const unapplied = { applyOn: 'upload' }
const over = { ...unapplied, validFrom: inDays(-9), expiresAt: inDays(-1), graceDays: 0 }

const cases: [string, string, () => Promise<unknown>][] = [
  ['of another tenant', '422 FILE_WRONG_TENANT', async () => (await issue({ tenantId: stranger.id })).file],
  ['that has expired', '422 FILE_EXPIRED', async () => (await issue(over)).file],
  [
    'whose grace is over',
    '422 FILE_EXPIRED',
    async () =>
      (await issue({ ...over, validFrom: inDays(-99), expiresAt: inDays(-50), graceDays: 30 })).file,
  ],
  ['that is suspended', '422 FILE_NOT_USABLE', () => after('suspend')],
  ['that is revoked', '422 FILE_NOT_USABLE', () => after('revoke')],
  ['of an older revision', '422 FILE_OUTDATED', () => older()],
  [
    'of an older revision, suspended since',
    '422 FILE_OUTDATED',
    async () => {
      const { license, file } = await issue(unapplied)
      await act(license.id, 'suspend')
      return file
    },
  ],
  [
    'whose row was changed',
    '409 LICENSE_TAMPERED',
    async () => {
      const { license, file } = await issue(unapplied)
      await scenario.edit(license, { limits: { users: 1_000 } })
      return file
    },
  ],
  [
    'whose row was put back to an earlier one',
    '409 LICENSE_TAMPERED',
    async () => {
      const { license } = await issue()
      const before = await scenario.row(license)
      await act(license.id, 'suspend')
      await act(license.id, 'reinstate', {})
      const file = await fileOf(license.id)
      await scenario.restore(before)
      return file
    },
  ],
]

test.each(cases)('a file %s is refused as %s and changes nothing', async (_, refusal, make) => {
  const file = await make()
  expect(await refusalOf(file)).toBe(refusal)
})

/** The newest file after an action of the vendor. */
async function after(action: string) {
  const { license } = await issue(unapplied)
  await act(license.id, action)
  return fileOf(license.id)
}

/** The first file of a license that was renewed since. */
async function older(): Promise<Issued['file']> {
  const { license, file } = await issue(unapplied)
  await act(license.id, 'renew', {})
  return file
}

test('each refusal has its own code, says what is the matter, and what to do', async () => {
  const answer = await upload(await older())
  expect(answer.headers['content-type']).toBe('application/problem+json')
  expect(answer.body).toMatchObject({
    code: 'FILE_OUTDATED',
    detail: 'The file has revision 1, the license 2.',
    next: 'Download the newest file; an earlier revision cannot be applied.',
  })
})

test('a body without a file, or with more, is refused', async () => {
  const path = `/v1/tenants/${scenario.tenant.id}/licenses/upload`
  const token = await api.token('tenant:admin', scenario.tenant.id)
  const without = await api.call('POST', path, { token, body: {} })
  const more = await api.call('POST', path, { token, body: { file: 'x', force: true } })
  const none = await api.call('POST', path, { token })
  expect(outcome(without)).toMatch(/^4/)
  expect([outcome(more), wrongFields(more)]).toEqual(['400 INVALID_REQUEST', ['/body/force']])
  expect(outcome(none)).toBe('400 INVALID_REQUEST')
})

test("to another tenant's address, or with a role that may not, nothing is told of the file", async () => {
  const { file } = await issue(unapplied)
  const foreign = await api.token('tenant:admin', stranger.id)
  const reader = await api.token('tenant:reporter', scenario.tenant.id)
  expect(await refusalOf(file, { token: foreign })).toBe('404 NOT_FOUND')
  expect(await refusalOf(file, { token: reader })).toBe('403 FORBIDDEN')
  expect(await refusalOf(file, { token: undefined })).toBe('401 UNAUTHENTICATED')
})
