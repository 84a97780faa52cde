import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Plan, PlanTerms, Product, ProductDraft } from '../../shared/domain/catalog.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { Flag, PageQuery, pageOf } from '../../shared/platform/http/shapes.ts'
import { PlanId, ProductId } from '../../shared/platform/ids.ts'

const ProductParams = z.strictObject({ productId: ProductId })
const PlanParams = z.strictObject({ planId: PlanId })
const editors = ['vendor:admin'] as const

// An edit names what changes and the rest stays, so the defaults of a new resource do not apply to it.
const product = ProductDraft.shape
const ProductEdit = z
  .strictObject({
    name: product.name,
    metrics: product.metrics.unwrap(),
    features: product.features.unwrap(),
    modules: product.modules.unwrap(),
  })
  .partial()

const plan = PlanTerms.shape
const PlanEdit = z
  .strictObject({
    ...plan,
    /** `null` takes it away, as a plan that becomes perpetual needs. */
    duration: plan.duration.unwrap().nullable(),
    graceDays: plan.graceDays.unwrap(),
    limits: plan.limits.unwrap(),
    features: plan.features.unwrap(),
    rules: plan.rules.unwrap(),
  })
  .partial()

export const catalogRoutes = {
  createProduct: {
    method: 'POST',
    path: '/v1/products',
    access: editors,
    body: ProductDraft,
    success: { status: 201, body: Product },
    errors: ['CODE_TAKEN'],
    summary: 'Declare a product with its metrics, features and modules',
    versioned: true,
  },
  listProducts: {
    method: 'GET',
    path: '/v1/products',
    access: VENDOR_ROLES,
    query: z.strictObject({ ...PageQuery.shape, archived: Flag.optional() }),
    success: { status: 200, body: pageOf(Product) },
    errors: [],
    summary: 'List products',
  },
  getProduct: {
    method: 'GET',
    path: '/v1/products/{productId}',
    access: VENDOR_ROLES,
    params: ProductParams,
    success: { status: 200, body: Product },
    errors: [],
    summary: 'Read a product',
    versioned: true,
  },
  editProduct: {
    method: 'PATCH',
    path: '/v1/products/{productId}',
    access: editors,
    params: ProductParams,
    body: ProductEdit,
    success: { status: 200, body: Product },
    errors: ['ARCHIVED'],
    summary: 'Edit a product',
    description:
      'A field that is given replaces the whole field. Metrics and features can be added and renamed, not removed or given another kind or type: licenses name them.',
    versioned: true,
  },
  archiveProduct: {
    method: 'POST',
    path: '/v1/products/{productId}/archive',
    access: editors,
    params: ProductParams,
    success: { status: 200, body: Product },
    errors: ['ARCHIVED'],
    summary: 'Archive a product: no new plans or licenses; what was sold goes on',
    versioned: true,
  },
  createPlan: {
    method: 'POST',
    path: '/v1/plans',
    access: editors,
    body: z.strictObject({ productId: ProductId, ...PlanTerms.shape }),
    success: { status: 201, body: Plan },
    errors: ['ARCHIVED', 'PLAN_MISMATCH'],
    summary: 'Make a plan: the template of licenses for a product',
    versioned: true,
  },
  listPlans: {
    method: 'GET',
    path: '/v1/plans',
    access: VENDOR_ROLES,
    query: z.strictObject({ ...PageQuery.shape, productId: ProductId.optional(), archived: Flag.optional() }),
    success: { status: 200, body: pageOf(Plan) },
    errors: [],
    summary: 'List plans',
  },
  getPlan: {
    method: 'GET',
    path: '/v1/plans/{planId}',
    access: VENDOR_ROLES,
    params: PlanParams,
    success: { status: 200, body: Plan },
    errors: [],
    summary: 'Read a plan',
    versioned: true,
  },
  editPlan: {
    method: 'PATCH',
    path: '/v1/plans/{planId}',
    access: editors,
    params: PlanParams,
    body: PlanEdit,
    success: { status: 200, body: Plan },
    errors: ['ARCHIVED', 'PLAN_MISMATCH'],
    summary: 'Edit a plan; licenses already issued keep what they were sold with',
    description:
      'A field that is given replaces the whole field. `duration: null` takes the duration away, for a plan that becomes perpetual.',
    versioned: true,
  },
  archivePlan: {
    method: 'POST',
    path: '/v1/plans/{planId}/archive',
    access: editors,
    params: PlanParams,
    success: { status: 200, body: Plan },
    errors: ['ARCHIVED'],
    summary: 'Archive a plan: no new licenses from it',
    versioned: true,
  },
} as const satisfies RouteTable
