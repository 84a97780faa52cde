import { afterAll, expect, test } from 'vitest'
import * as z from 'zod'
import { type Operation, operations } from '../../../functions/routes.ts'
import { type Role, TENANT_ROLES, VENDOR_ROLES } from '../../../shared/domain/access.ts'
import type { TenantId } from '../../../shared/platform/ids.ts'
import { type Answer, outcome, startApi } from '../../support/api.ts'
import { createScenario } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const own = await createScenario(api)
const foreign = await createScenario(api)
const { license, key } = await own.issue()
const { license: foreignLicense } = await foreign.issue()
const foreignToken = await foreignTokenId(foreign.tenant.id)

/** Who may ask: every role, the holder of a license key, and nobody in particular. */
type Caller = Role | 'license' | 'nobody'
const callers: readonly Caller[] = [...VENDOR_ROLES, ...TENANT_ROLES, 'license', 'nobody']
const tenantRoles: ReadonlySet<string> = new Set(TENANT_ROLES)

async function headersOf(caller: Caller): Promise<Record<string, string>> {
  if (caller === 'nobody') return {}
  if (caller === 'license') return { authorization: `License ${key}` }
  const token = await api.token(caller, tenantRoles.has(caller) ? own.tenant.id : undefined)
  return { authorization: `Bearer ${token}` }
}

type Ids = Readonly<Record<string, string>>
/** Ids of nothing. */
const NOTHING: Ids = Object.fromEntries(
  Object.entries({ tenantId: 'ten', productId: 'prd', planId: 'pln', licenseId: 'lic', tokenId: 'tok' }).map(
    ([name, prefix]) => [name, `${prefix}_${'0'.repeat(26)}`],
  ),
)
const pathOf = ({ path }: Operation, ids: Ids) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? NOTHING[name] ?? 'none')

async function ask(operation: Operation, caller: Caller, ids: Ids): Promise<Answer> {
  const { method } = operation
  return api.call(method, pathOf(operation, ids), {
    headers: { ...(await headersOf(caller)), 'if-match': '"1"' },
    ...(method !== 'GET' && operation.body && { body: {} }),
  })
}

const isLetIn = ({ access }: Operation, caller: Caller) =>
  access === 'public' || (caller !== 'nobody' && access.includes(caller))

const byName = (operation: Operation) => [operation.operationId, operation] as const

test.each(operations.map(byName))('%s lets in whom it names, and nobody else', async (_, operation) => {
  const said: Record<string, string> = {}
  const expected: Record<string, string> = {}
  for (const caller of callers) {
    const ids = tenantRoles.has(caller) ? { tenantId: own.tenant.id } : {}
    const answer = await ask(operation, caller, ids)
    const refused = caller === 'nobody' ? '401 UNAUTHENTICATED' : '403 FORBIDDEN'
    expected[caller] = isLetIn(operation, caller) ? 'let in' : refused
    said[caller] = [401, 403, 500].includes(answer.status) ? outcome(answer) : 'let in'
  }
  expect(said).toEqual(expected)
})

const strangers: Ids = { tenantId: foreign.tenant.id, licenseId: foreignLicense.id, tokenId: foreignToken }
const rolesOf = (operation: Operation) => TENANT_ROLES.filter((role) => isLetIn(operation, role))
const foreignIds = ({ path }: Operation) =>
  Object.keys(strangers).filter((name) => path.includes(`{${name}}`))
const tenantOperations = operations.filter(
  (operation) =>
    operation.access !== 'public' && rolesOf(operation).length > 0 && foreignIds(operation).length > 0,
)

test.each(tenantOperations.map(byName))(
  "%s tells another tenant's resource from none by nothing",
  async (_, operation) => {
    // One id at a time is another tenant's, the others are its own: /v1/tenants/<own>/licenses/<foreign>.
    const mine = { tenantId: own.tenant.id, licenseId: license.id }
    for (const role of rolesOf(operation)) {
      for (const name of foreignIds(operation)) {
        const theirs = await ask(operation, role, { ...mine, [name]: strangers[name] ?? '' })
        const nothing = await ask(operation, role, { ...mine, [name]: NOTHING[name] ?? '' })
        expect(outcome(theirs)).toBe('404 NOT_FOUND')
        expect(withoutRequestId(theirs.body)).toEqual(withoutRequestId(nothing.body))
      }
    }
  },
)

const withoutRequestId = (body: unknown) => ({
  ...z.looseObject({ code: z.string() }).parse(body),
  requestId: '',
})

async function foreignTokenId(tenantId: TenantId): Promise<string> {
  const token = await api.token('vendor:admin')
  const body = { name: 'Foreign', role: 'tenant:app', tenantId }
  const made = await api.call('POST', '/v1/tokens', { token, body })
  return z.object({ id: z.string() }).parse(made.body).id
}
