import type { PlanId, ProductId } from '../../platform/ids.ts'
import { key, part } from './key.ts'

export const productKey = (id: ProductId) => key(['PRODUCT', id], ['PRODUCT'])
export const RELEASE_PREFIX = 'RELEASE#'
export const releaseKey = (id: ProductId, version: string) =>
  key(['PRODUCT', id], ['RELEASE', encodeURIComponent(version)])
/** Encoded, because requests name products by what may be no code at all. */
export const productCodeKey = (code: string) => key(['PRODUCTCODE', encodeURIComponent(code)], ['ADDRESS'])
export const planKey = (id: PlanId) => key(['PLAN', id], ['PLAN'])
export const ownedByProduct = (product: ProductId, what: 'PLANS') => `PRODUCT#${part(product)}#${what}`
