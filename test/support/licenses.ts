import type * as z from 'zod'
import type { Holdings } from '../../shared/domain/holdings.ts'
import { License } from '../../shared/domain/license.ts'
import type { Usage } from '../../shared/domain/usage.ts'
import { LicenseId, PlanId, ProductId, TenantId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

type Written = z.input<typeof License>

/** What differs from the defaults, in plain strings; a field given as `undefined` is left out. */
export type LicenseOverrides = { [Field in keyof Written]?: Written[Field] | undefined }

/** `…_00000000000000000000000007` for 7: ids that a reader can tell apart. */
const numbered = (prefix: string, number: number) => `${prefix}_${String(number).padStart(26, '0')}`

export const licenseId = (number: number) => LicenseId.parse(numbered('lic', number))
export const TENANT = TenantId.parse(numbered('ten', 1))
export const PRODUCT = ProductId.parse(numbered('prd', 1))
export const PLAN = PlanId.parse(numbered('pln', 1))

export const at = (text: string) => Instant.parse(text)

/**
 * A valid license: 100 named users of the product `edu` for 2026, a year counted in UTC without grace, applied on the
 * day it was issued. Its signature and key hash have the right shape and match nothing.
 */
export function aLicense(overrides: LicenseOverrides = {}): License {
  return License.parse(
    present({
      id: licenseId(1),
      revision: 1,
      tenantId: TENANT,
      customer: { id: 'C-1001', name: 'Example University', email: 'licenses@example.edu' },
      productId: PRODUCT,
      productCode: 'edu',
      planId: PLAN,
      type: 'NORMAL',
      term: 'subscription',
      allocation: 'named',
      limits: { users: 100 },
      features: {},
      rules: {},
      validFrom: '2026-01-01T00:00:00.000Z',
      expiresAt: '2027-01-01T00:00:00.000Z',
      graceDays: 0,
      signedAt: '2025-12-15T10:00:00.000Z',
      signature: { kid: 'kNbW5xS7b0M0kqvJQxZ2rTQ0v0oQH2m2mC8eKqYh3l4', value: 'A'.repeat(86) },
      keyHash: 'a'.repeat(43),
      keyHint: '7K3Q',
      keyGeneration: 1,
      version: 1,
      issuedAt: '2025-12-15T10:00:00.000Z',
      anchor: '2026-01-01T00:00:00.000Z',
      timeZone: 'UTC',
      duration: 'P1Y',
      appliedAt: '2025-12-15T11:00:00.000Z',
      ...overrides,
    }),
  )
}

/** What the tenant of `aLicense` holds of its product. */
export function holdingsOf(licenses: readonly License[], usage: readonly Usage[] = []): Holdings {
  return { tenantId: TENANT, productId: PRODUCT, licenses, usage }
}

function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
