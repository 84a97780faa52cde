import type { Caller } from '../../shared/domain/access.ts'
import type { Sight } from '../../shared/domain/explanation.ts'
import type { Tenant } from '../../shared/domain/tenant.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { AskedProduct } from '../asked-product.ts'
import type { PlaceServices, Whence } from '../places.ts'
import type { VerifyingServices } from '../verified.ts'

/** Who asks, when, and from where; or where somebody is whom it asks about. */
export type AskedBy = Whence & {
  readonly caller: Caller
  readonly now: Instant
  readonly requestId: string
  readonly country?: string | undefined
  readonly department?: string | undefined
}

export type ExplainServices = VerifyingServices & PlaceServices

/** What the caller may be told: a license key may be anybody's who has the application. */
export async function sightOf({ caller }: AskedBy, { tenantId }: AskedProduct, table: Table): Promise<Sight> {
  if (caller.kind === 'license') return { others: false, administrator: 'an administrator' }
  return { others: true, administrator: administratorOf(await readTenant(table, tenantId)) }
}

const ORDER: readonly string[] = ['administrator', 'owner', 'technical', 'billing']

function administratorOf(tenant: Tenant | undefined): string {
  const [first] = (tenant?.contacts ?? []).toSorted((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role))
  return first ? `${first.name} <${first.email}>` : 'an administrator'
}

/** The license whose key asks. */
export const licenseOf = (caller: Caller) => (caller.kind === 'license' ? caller.licenseId : undefined)
