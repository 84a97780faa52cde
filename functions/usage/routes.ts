import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Metric } from '../../shared/domain/catalog.ts'
import { Correction } from '../../shared/domain/meter-correction.ts'
import { Code, Limit } from '../../shared/domain/terms.ts'
import { REPORT_OUTCOMES } from '../../shared/domain/usage-reports.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason } from '../../shared/platform/http/shapes.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { Countable, Instant, TimeZone } from '../../shared/platform/time.ts'

/** One report: a gauge's value at an instant, or an addition to a counter. */
const UsageRecord = z.strictObject({
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
  at: Countable.optional(),
})

const readers = [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter'] as const

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
            outcome: z.enum(REPORT_OUTCOMES),
          }),
        ),
      }),
    },
    errors: [
      'NOT_FOUND',
      'USAGE_UNKNOWN_METRIC',
      'USAGE_CONFLICT',
      'LICENSE_NOT_IN_FORCE',
      'ALLOWANCE_EXHAUSTED',
    ],
    summary: 'Report use: gauges and counters, up to 25 in a batch, all or none',
    description:
      'A counter with an allowance counts in the period of `at` until seven days after its end; what comes later counts in the current period and is answered `booked-late`. Give records an id: it makes a repetition count once for 90 days.',
  },
  correctUsage: {
    method: 'POST',
    path: '/v1/usage/corrections',
    access: ['vendor:admin', 'tenant:admin'],
    body: z.strictObject({
      /** The caller's own id of this correction: one that was taken before is not taken again. */
      id: z.string().min(1).max(100).optional(),
      tenantId: TenantId.optional(),
      /** Code or id. */
      product: z.string().max(64),
      metric: Code,
      adjust: Correction.shape.adjust.refine((units) => units !== 0, 'must change something'),
      /** When the use was that it corrects; now unless said otherwise. */
      at: Countable.optional(),
      reason: Reason,
    }),
    success: {
      status: 201,
      body: z.strictObject({ correction: Correction, outcome: z.enum(['recorded', 'already-recorded']) }),
    },
    errors: ['NOT_FOUND', 'USAGE_UNKNOWN_METRIC', 'USAGE_CONFLICT', 'USAGE_BELOW_ZERO'],
    summary: 'Correct a counter: add or take away, with a reason; what was reported stays on record',
  },
  listUsageCorrections: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/usage/corrections',
    access: readers,
    params: z.strictObject({ tenantId: TenantId }),
    query: z.strictObject({ ...PageQuery.shape, product: z.string().max(64) }),
    success: { status: 200, body: pageOf(Correction) },
    errors: [],
    summary: 'List the corrections of the counters of a product, the newest first',
  },
  getUsage: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/usage',
    access: [...readers, 'tenant:app'],
    params: z.strictObject({ tenantId: TenantId }),
    query: z.strictObject({
      /** Code or id. */
      product: z.string().max(64),
      metric: Code,
      from: Countable,
      /** Now unless said otherwise. */
      to: Countable.optional(),
      by: z.enum(['hour', 'day', 'month']).default('day'),
    }),
    success: {
      status: 200,
      body: z.strictObject({
        product: Code,
        metric: Code,
        kind: Metric.shape.kind,
        timeZone: TimeZone,
        by: z.enum(['hour', 'day', 'month']),
        items: z.array(
          z.strictObject({
            from: Instant,
            until: Instant,
            /** Was anything reported? */
            reported: z.boolean(),
            /** Of a counter the net. Of a gauge its last value: null where nothing was reported, for that is not 0. */
            value: z.int().nullable(),
            gross: z.int().optional(),
            late: z.int().optional(),
            corrected: z.int().optional(),
            least: z.int().nullable().optional(),
            most: z.int().nullable().optional(),
          }),
        ),
        /** Of a counter: where it stands in its current period, to the unit. */
        current: z
          .strictObject({
            period: Correction.shape.period,
            gross: z.int(),
            corrected: z.int(),
            late: z.int(),
            net: z.int(),
            capacity: Limit,
            limit: Limit,
          })
          .optional(),
      }),
    },
    errors: [],
    summary: 'Usage of a metric by hour, day or month in the zone of the tenant, with gaps marked',
    description:
      'Whole hours, days or months that overlap the time asked for. At most 31 days by hour, 400 by day, 800 by month.',
  },
} as const satisfies RouteTable
