import { ulid } from 'ulid'
import type { Caller } from '../../shared/domain/access.ts'
import { type Activation, ActivationId } from '../../shared/domain/activation.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { ProductId } from '../../shared/platform/ids.ts'
import { epochMilliseconds, type Instant } from '../../shared/platform/time.ts'
import { findProduct } from '../../shared/store/address.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { MachineAsking } from '../machine-situation.ts'

/** The tenant is the caller's own; the product is that of its license, or the one it names. */
export async function askingOf(
  caller: Caller,
  product: string | undefined,
  table: Table,
): Promise<MachineAsking | Refusal> {
  if (caller.kind === 'license') {
    const { tenantId, productId, licenseId } = caller
    const isOther = product !== undefined && (await productOf(product, table)) !== productId
    return isOther ? noSuchProduct : { tenantId, productId, licenseId }
  }
  if (caller.kind !== 'tenant') return refuse('FORBIDDEN', 'Machines are activated for a tenant.')
  if (product === undefined) {
    return refuse('INVALID_REQUEST', 'Name the product.', {
      errors: [{ field: '/body/product', message: 'is required with a token' }],
    })
  }
  const productId = await productOf(product, table)
  return productId === undefined ? noSuchProduct : { tenantId: caller.tenantId, productId }
}

const noSuchProduct = refuse('NOT_FOUND', 'There is no such product here.')

/** A product by its id or code. */
export async function productOf(name: string, table: Table): Promise<ProductId | undefined> {
  const id = ProductId.safeParse(name)
  return id.success ? id.data : findProduct(table, name)
}

/** May this caller know of the activation? A license key only of those of its product. */
export function knows(caller: Caller, { productId }: Pick<Activation, 'productId'>): boolean {
  return caller.kind !== 'license' || caller.productId === productId
}

export const missing = refuse('NOT_FOUND', 'There is no such resource.')

export function newActivationId(now: Instant): ActivationId {
  return ActivationId.parse(`act_${ulid(epochMilliseconds(now))}`)
}
