import * as z from 'zod'
import { Code } from '../../shared/domain/catalog.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

/** One report: a gauge's value at an instant, or an addition to a counter. */
export const UsageRecord = z.strictObject({
  /** The caller's own id of this report: one that was taken before is not taken again. */
  id: z.string().min(1).max(100).optional(),
  /** Code or id of the product; not needed with a license key. */
  product: z.string().max(64).optional(),
  metric: Code,
  /** A gauge: how many there are. */
  value: z.int().min(0).max(1_000_000_000_000).optional(),
  /** A counter: how many more were consumed. */
  add: z.int().min(1).max(1_000_000_000_000).optional(),
  /** When it was so; now unless said otherwise. An older gauge does not overwrite a newer one. */
  at: Instant.optional(),
})

export const usageRoutes = {
  recordUsage: {
    method: 'POST',
    path: '/v1/usage',
    access: ['vendor:admin', 'tenant:admin', 'tenant:app', 'license'],
    body: z.strictObject({ tenantId: TenantId.optional(), records: z.array(UsageRecord).min(1).max(25) }),
    success: {
      status: 200,
      body: z.strictObject({
        records: z.array(
          z.strictObject({
            product: Code,
            metric: Code,
            outcome: z.enum(['recorded', 'already-recorded', 'older-than-known']),
          }),
        ),
      }),
    },
    errors: ['USAGE_UNKNOWN_METRIC', 'USAGE_CONFLICT', 'LICENSE_NOT_IN_FORCE'],
    summary: 'Report use: gauges and counters, up to 25 in a batch, all or none',
  },
} as const satisfies RouteTable
