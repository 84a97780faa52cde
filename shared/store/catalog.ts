import { Plan, Product } from '../domain/catalog.ts'
import type { PlanId, ProductId } from '../platform/ids.ts'
import { entity, type Item } from './codec.ts'
import { KIND, ownedByProduct, planKey, productKey } from './keys.ts'
import { readItem } from './read.ts'
import type { Table } from './transact.ts'

export const productEntity = entity('product', 2, Product, 1)
export const planEntity = entity('plan', 2, Plan, 1)

export const productItem = (product: Product): Item =>
  productEntity.encode(productKey(product.id), product, { kindPk: KIND.products, kindSk: product.id })

export const planItem = (plan: Plan): Item =>
  planEntity.encode(planKey(plan.id), plan, {
    kindPk: KIND.plans,
    kindSk: plan.id,
    ownedPk: ownedByProduct(plan.productId, 'PLANS'),
    ownedSk: plan.id,
  })

export async function readProduct(table: Table, id: ProductId): Promise<Product | undefined> {
  const item = await readItem(table, productKey(id))
  return item && productEntity.decode(item)
}

export async function readPlan(table: Table, id: PlanId): Promise<Plan | undefined> {
  const item = await readItem(table, planKey(id))
  return item && planEntity.decode(item)
}
