import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { BulkAction, BulkFilter, BulkRow, BulkView, MOST_NAMED } from '../../shared/domain/bulk.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason } from '../../shared/platform/http/shapes.ts'
import { BulkId, TenantId, UserId } from '../../shared/platform/ids.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })
const BulkParams = z.strictObject({ tenantId: TenantId, bulkId: BulkId })
const readers = [...VENDOR_ROLES, 'tenant:admin', 'org:admin', 'tenant:reporter'] as const
const keepers = ['vendor:admin', 'tenant:admin', 'org:admin'] as const

const BulkOrder = z
  .strictObject({
    action: BulkAction,
    users: z
      .array(UserId)
      .min(1)
      .max(MOST_NAMED)
      .refine((users) => new Set(users).size === users.length, 'users must differ')
      .optional(),
    filter: BulkFilter.optional(),
    /** Change nothing; tell of everybody what would become of it. */
    dryRun: z.boolean().default(false),
    reason: Reason.optional(),
  })
  .refine(({ users, filter }) => (users === undefined) !== (filter === undefined), {
    message: 'name either users or a filter',
  })

export const bulkRoutes = {
  orderBulk: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/bulk',
    access: keepers,
    params: TenantParams,
    body: BulkOrder,
    success: { status: 201, body: BulkView },
    errors: ['NOT_FOUND', 'ARCHIVED', 'INVALID_REQUEST'],
    summary: 'Change many people, named or by a filter: roles, organization, suspend, reactivate, archive',
    description:
      'Each is changed as by the operation on one person, with its seats, in a transaction of its own. Up to 50 are changed within the request, more in the background: read it for its progress, and its rows for what became of whom. `dryRun` decides of everybody in the same order and writes only that. Sent again with its Idempotency-Key it is the same bulk change, and goes on if it was cut off.',
  },
  listBulks: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/bulk',
    access: readers,
    params: TenantParams,
    query: PageQuery,
    success: { status: 200, body: pageOf(BulkView) },
    errors: [],
    summary: 'Bulk changes of the last 90 days, newest first',
  },
  getBulk: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/bulk/{bulkId}',
    access: readers,
    params: BulkParams,
    success: { status: 200, body: BulkView },
    errors: [],
    summary: 'A bulk change: how far it came, and what became of how many',
  },
  listBulkRows: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/bulk/{bulkId}/rows',
    access: readers,
    params: BulkParams,
    query: z.strictObject({ ...PageQuery.shape, outcome: BulkRow.shape.outcome.optional() }),
    success: { status: 200, body: pageOf(BulkRow) },
    errors: [],
    summary: 'What became of each person of a bulk change: seats gained, lost and waited for, or why not',
  },
  continueBulk: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/bulk/{bulkId}/continue',
    access: keepers,
    params: BulkParams,
    success: { status: 200, body: BulkView },
    errors: [],
    summary: 'Go on with a bulk change for as long as a request may take, instead of waiting for the job',
    description:
      'Repeating it is harmless, also at once: each person is changed once. It keeps no Idempotency-Key.',
    safe: true,
  },
  cancelBulk: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/bulk/{bulkId}/cancel',
    access: keepers,
    params: BulkParams,
    success: { status: 200, body: BulkView },
    errors: ['TRANSITION_NOT_ALLOWED'],
    summary: 'Cancel a bulk change: nobody else is changed; what was done stays and is told',
  },
} as const satisfies RouteTable
