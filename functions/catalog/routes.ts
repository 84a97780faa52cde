import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Plan, PlanTerms, Product, ProductDraft } from '../../shared/domain/catalog.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { Flag, PageQuery, pageOf } from '../../shared/platform/http/shapes.ts'
import { PlanId, ProductId } from '../../shared/platform/ids.ts'

const ProductParams = z.strictObject({ productId: ProductId })
const PlanParams = z.strictObject({ planId: PlanId })
const editors = ['vendor:admin'] as const

export const catalogRoutes = {
  createProduct: {
    method: 'POST',
    path: '/v1/products',
    access: editors,
    body: ProductDraft,
    success: { status: 201, body: Product },
    errors: ['CODE_TAKEN', 'PLAN_MISMATCH'],
    summary: 'Declare a product with its metrics, features and modules',
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
    body: ProductDraft.omit({ code: true }).partial(),
    success: { status: 200, body: Product },
    errors: ['ARCHIVED', 'PLAN_MISMATCH'],
    summary: 'Edit a product',
    description:
      'Metrics and features can be added and renamed, not removed or given another kind or type: licenses name them.',
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
  },
  createPlan: {
    method: 'POST',
    path: '/v1/plans',
    access: editors,
    body: z.strictObject({ productId: ProductId, ...PlanTerms.shape }),
    success: { status: 201, body: Plan },
    errors: ['ARCHIVED', 'PLAN_MISMATCH'],
    summary: 'Make a plan: the template of licenses for a product',
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
    body: PlanTerms.partial(),
    success: { status: 200, body: Plan },
    errors: ['ARCHIVED', 'PLAN_MISMATCH'],
    summary: 'Edit a plan; licenses already issued keep what they were sold with',
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
  },
} as const satisfies RouteTable
