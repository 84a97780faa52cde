import type { Product } from './catalog.ts'
import type { FieldError } from './refusal.ts'
import type { FeatureValue, Limit } from './terms.ts'

/** What a plan or license grants that its product does not declare, or declares with another type. */
export function undeclaredGrants(
  product: Pick<Product, 'code' | 'metrics' | 'features'>,
  grants: { limits: Readonly<Record<string, Limit>>; features: Readonly<Record<string, FeatureValue>> },
  root = '/body',
): FieldError[] {
  const metrics = new Set(product.metrics.map((metric) => metric.code))
  const types = new Map(product.features.map((feature) => [feature.code, feature.type]))
  return [
    ...Object.keys(grants.limits)
      .filter((code) => !metrics.has(code))
      .map((code) => ({ field: `${root}/limits/${code}`, message: `${product.code} has no metric ${code}` })),
    ...Object.entries(grants.features).flatMap(([code, value]) => {
      const type = types.get(code)
      if (type === typeof value) return []
      const message =
        type === undefined ? `${product.code} has no feature ${code}` : `${code} must be a ${type}`
      return [{ field: `${root}/features/${code}`, message }]
    }),
  ]
}
