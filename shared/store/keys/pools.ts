import type { ActivationId, ProductId, TenantId } from '../../platform/ids.ts'
import type { Instant } from '../../platform/time.ts'
import { type Key, key, part, textPart } from './key.ts'

/** The pools of a tenant's product have a partition of their own: they are written far more often than licenses. */
export const poolsKey = (tenant: TenantId, product: ProductId) => `T#${part(tenant)}#POOLS#${part(product)}`
export const poolKey = (tenant: TenantId, product: ProductId, metric: string) =>
  key(['T', tenant, 'POOLS', product], [metric])
/** Leases that its item has no room for lie on pages, in a partition for each pool; see shared/domain/pool-pages.ts. */
export const pagesKey = (tenant: TenantId, product: ProductId, metric: string) =>
  ['T', tenant, 'PAGES', product, metric].map(part).join('#')
export const pageKey = (tenant: TenantId, product: ProductId, metric: string, page: number) =>
  key(['T', tenant, 'PAGES', product, metric], [String(page).padStart(3, '0')])
/** A queue has a partition of its own, in which its tickets lie in their order. */
export const queueKey = (tenant: TenantId, product: ProductId, metric: string) =>
  ['T', tenant, 'QUEUE', product, metric].map(part).join('#')
export const ticketKey = (tenant: TenantId, product: ProductId, metric: string, order: string, ref: string) =>
  key(['T', tenant, 'QUEUE', product, metric], [order, ref])
export const heldTicketKey = (tenant: TenantId, product: ProductId, metric: string, ref: string) =>
  key(['T', tenant, 'HELD', product, metric], [ref])
export const leaseDenialsKey = (tenant: TenantId, product: ProductId, metric: string) =>
  ['T', tenant, 'DENIALS', product, metric].map(part).join('#')
/** Who was denied is the application's word for it: it may hold anything, so it is encoded. */
export const leaseDenialKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  minute: string,
  who: string,
) => key(['T', tenant, 'DENIALS', product, metric], [minute, textPart(who, 'sk')])
export const leaseDetailKey = (tenant: TenantId, product: ProductId, metric: string, ref: string) =>
  key(['T', tenant, 'LEASES', product], [metric, ref])
/** A license that was borrowed, by the id of its token. */
export const borrowingKey = (tenant: TenantId, product: ProductId, metric: string, jti: string) =>
  key(['T', tenant, 'BORROWED', product], [metric, jti])
/** What departments have of a tenant's pools: those of a product are read together. */
export const poolSharesKey = (tenant: TenantId, product: ProductId, metric: string) =>
  key(['T', tenant, 'SHARES'], [product, metric])
/** What leases held of a pool, by when they did. */
export const leaseUsesKey = (tenant: TenantId, product: ProductId, metric: string) =>
  ['T', tenant, 'LEASE-USE', product, metric].map(part).join('#')
export const leaseUseKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  from: Instant,
  ref: string,
) => key(['T', tenant, 'LEASE-USE', product, metric], [from, ref])
/** The machines of a tenant, over all products: they are listed together and found by their id alone. */
export const activationsKey = (tenant: TenantId) => `T#${part(tenant)}#ACTIVATIONS`
export const activationKey = (tenant: TenantId, id: ActivationId): Key => ({
  pk: activationsKey(tenant),
  sk: part(id),
})
/** A component of a machine, by its keyed hash: unique within its scope. */
export const fingerprintKey = (tenant: TenantId, product: ProductId, scope: string, hash: string) =>
  key(['T', tenant, 'FINGERPRINTS', product], [scope, hash])
