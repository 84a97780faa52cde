import * as z from 'zod'
import { PlanId, ProductId } from '../platform/ids.ts'
import { Duration, Instant } from '../platform/time.ts'
import { Allocation, Code, Features, Limits, Name, Rules, Term } from './terms.ts'

/** `gauge`: how many are configured now. `counter`: how many were consumed. */
export const Metric = z.strictObject({
  code: Code,
  name: Name.optional(),
  kind: z.enum(['gauge', 'counter']),
  /**
   * `high`: a counter that many callers add to hundreds of times a second. It is kept in shards; what a validation shows
   * of it may then be up to 2 % above what was used, the usage of the tenant says it exactly. For good once it is set.
   */
  rate: z.enum(['high']).optional(),
})
export type Metric = z.infer<typeof Metric>

export const Feature = z.strictObject({
  code: Code,
  name: Name.optional(),
  type: z.enum(['boolean', 'number', 'string']),
})
export type Feature = z.infer<typeof Feature>

/**
 * Who needs a seat of a module. A seat is one unit of `metric`, one per person; modules may share a metric. A module
 * that `combines` others is for who needs all of them: it takes the place of a seat of each.
 */
export const ModuleSeat = z.strictObject({
  metric: Code,
  /** Roles of people who need the module. */
  roles: z.array(Code).max(50).default([]),
  combines: z.array(Code).min(2).max(10).optional(),
  /** Nobody has a seat of both. */
  excludes: z.array(Code).max(20).optional(),
  /** Only who has seats of these gets one of this. */
  requires: z.array(Code).max(20).optional(),
})
export type ModuleSeat = z.infer<typeof ModuleSeat>

/** A part of a product that is sold and shown on its own: the metrics and features that belong to it. */
export const Module = z.strictObject({
  code: Code,
  name: Name,
  metrics: z.array(Code).max(50).default([]),
  features: z.array(Code).max(200).default([]),
  seat: ModuleSeat.optional(),
})
export type Module = z.infer<typeof Module>

const distinct = (items: readonly { code: string }[]) =>
  new Set(items.map((item) => item.code)).size === items.length

export const ProductDraft = z.strictObject({
  code: Code,
  name: Name,
  metrics: z.array(Metric).max(50).refine(distinct, 'codes must differ').default([]),
  features: z.array(Feature).max(200).refine(distinct, 'codes must differ').default([]),
  modules: z.array(Module).max(50).refine(distinct, 'codes must differ').default([]),
})
export type ProductDraft = z.infer<typeof ProductDraft>

export const Product = z
  .strictObject({
    id: ProductId,
    ...ProductDraft.shape,
    createdAt: Instant,
    archivedAt: Instant.optional(),
    revision: z.int().positive(),
  })
  .meta({ id: 'Product' })
export type Product = z.infer<typeof Product>

/** What a plan says; what can be edited of it is everything but the product. */
export const PlanTerms = z.strictObject({
  name: Name,
  term: Term,
  allocation: Allocation,
  /** Absent for a perpetual plan, required for the others. */
  duration: Duration.optional(),
  graceDays: z.int().min(0).max(3650).default(0),
  limits: Limits.default({}),
  features: Features.default({}),
  rules: Rules.default({}),
})
export type PlanTerms = z.infer<typeof PlanTerms>

export const Plan = z
  .strictObject({
    id: PlanId,
    productId: ProductId,
    ...PlanTerms.shape,
    createdAt: Instant,
    archivedAt: Instant.optional(),
    revision: z.int().positive(),
  })
  .meta({ id: 'Plan' })
export type Plan = z.infer<typeof Plan>
