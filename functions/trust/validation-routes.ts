import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { ValidationRun } from '../../shared/domain/validation-run.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

export const TenantParams = z.strictObject({ tenantId: TenantId })
export const readers = [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter'] as const
export const keepers = ['vendor:admin', 'vendor:issuer', 'tenant:admin'] as const

/** The job that looks for whose turn it is runs as often; and what is seldom is of no use. */
const IntervalMinutes = z.int().min(5).max(1_440)

const ValidationView = z
  .strictObject({
    intervalMinutes: z.int(),
    lastRun: ValidationRun.optional(),
    /** Absent while the tenant has no license. */
    nextRun: Instant.optional(),
    errorCount: z.int(),
  })
  .meta({ id: 'Validation' })

export const validationRoutes = {
  getValidation: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/validation',
    access: readers,
    params: TenantParams,
    success: { status: 200, body: ValidationView },
    errors: [],
    summary: 'How often the licenses are validated, when next, and what came of it last',
    description:
      '`errorCount` counts what could not be validated over all runs. Licenses are judged whenever they are used, too: a run tells of what changed.',
  },
  setValidation: {
    method: 'PATCH',
    path: '/v1/tenants/{tenantId}/validation',
    access: keepers,
    params: TenantParams,
    body: z.strictObject({ intervalMinutes: IntervalMinutes }),
    success: { status: 200, body: ValidationView },
    errors: [],
    summary: 'Set how often the licenses are validated: every 5 minutes to once a day',
  },
  runValidation: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/validation/runs',
    access: keepers,
    params: TenantParams,
    success: { status: 200, body: ValidationRun },
    errors: ['ARCHIVED'],
    summary: 'Validate all licenses now, and say what came of it',
  },
} as const satisfies RouteTable
