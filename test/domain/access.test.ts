import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { Caller, mayCall, seesTenant, TENANT_ROLES, VENDOR_ROLES } from '../../shared/domain/access.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { licenseId, PRODUCT, TENANT } from '../support/licenses.ts'

const OTHER = TenantId.parse('ten_00000000000000000000000002')

const anonymous = Caller.parse({ kind: 'anonymous' })
const license = Caller.parse({
  kind: 'license',
  tenantId: TENANT,
  productId: PRODUCT,
  licenseId: licenseId(1),
  subject: licenseId(1),
})
const vendor = (role: string, scopes?: string[]) =>
  Caller.parse({ kind: 'vendor', role, subject: 'tok', scopes })
const tenant = (role: string, scopes?: string[]) =>
  Caller.parse({ kind: 'tenant', role, tenantId: TENANT, subject: 'tok', scopes })

describe('mayCall', () => {
  test.each<[string, Caller]>([
    ['nobody in particular', anonymous],
    ['a license', license],
    ['vendor staff', vendor('vendor:support')],
    ['a tenant', tenant('tenant:reporter')],
  ])('lets %s call what is public', (_, caller) => {
    expect(mayCall('public', caller, 'getHealth')).toBe(true)
  })

  test('lets nobody in particular call nothing else', () => {
    expect(mayCall([...VENDOR_ROLES, ...TENANT_ROLES, 'license'], anonymous, 'x')).toBe(false)
    expect(mayCall([], vendor('vendor:admin'), 'x')).toBe(false)
  })

  test('lets a license call only what names licenses', () => {
    expect(mayCall(['license'], license, 'validate')).toBe(true)
    expect(mayCall([...VENDOR_ROLES, ...TENANT_ROLES], license, 'validate')).toBe(false)
  })

  const callers = [...VENDOR_ROLES.map((role) => vendor(role)), ...TENANT_ROLES.map((role) => tenant(role))]
  test.each([...VENDOR_ROLES, ...TENANT_ROLES])('lets only %s call what names it alone', (role) => {
    const admitted = callers.filter((caller) => mayCall([role], caller, 'x'))
    expect(admitted).toEqual(callers.filter((caller) => 'role' in caller && caller.role === role))
    expect(admitted).toHaveLength(1)
  })

  test('scopes narrow a role and never widen it', () => {
    const scoped = vendor('vendor:issuer', ['issueLicense'])
    expect(mayCall(['vendor:issuer'], scoped, 'issueLicense')).toBe(true)
    expect(mayCall(['vendor:issuer'], scoped, 'revokeLicense')).toBe(false)
    expect(mayCall(['vendor:admin'], scoped, 'issueLicense')).toBe(false)
    expect(mayCall(['vendor:issuer'], vendor('vendor:issuer', []), 'issueLicense')).toBe(false)
  })
})

test.each<[string, Caller, boolean, boolean]>([
  ['vendor staff', vendor('vendor:support'), true, true],
  ['a tenant', tenant('tenant:admin'), true, false],
  ['a license', license, true, false],
  ['nobody in particular', anonymous, false, false],
])('%s: sees the tenant %s', (_, caller, own, other) => {
  expect(seesTenant(caller, TENANT)).toBe(own)
  expect(seesTenant(caller, OTHER)).toBe(other)
})

test('a role of the other side is refused', () => {
  expect(() => vendor('tenant:admin')).toThrow(z.ZodError)
  expect(() => tenant('vendor:admin')).toThrow(z.ZodError)
})
