import type { Seating } from '../../shared/domain/seat-decision.ts'

/** Every role that a product of the tenant gives a seat for. */
export function declaredRoles({ products }: Pick<Seating, 'products'>): ReadonlySet<string> {
  return new Set(
    [...products.values()].flatMap(({ modules }) => modules.flatMap(({ seat }) => seat?.roles ?? [])),
  )
}
