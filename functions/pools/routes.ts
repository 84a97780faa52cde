import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { DENIAL_CLASSES, DENIAL_REASONS } from '../../shared/domain/denial.ts'
import { Share } from '../../shared/domain/shares.ts'
import { Code, Limit } from '../../shared/domain/terms.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { Countable, Instant, TimeZone } from '../../shared/platform/time.ts'

const readers = [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter'] as const

/** `product` is a code or an id. */
const PoolParams = z.strictObject({ tenantId: TenantId, product: z.string().min(1).max(64) })
const Shares = z.array(Share).max(20, 'at most 20 departments')
/** The product's only pool, or `concurrent`, unless said otherwise. */
const metric = Code.optional()

const INTERVALS = ['hour', 'day'] as const
const KEYS = ['pool', 'department', 'user'] as const
const SeriesQuery = z.strictObject({
  metric,
  from: Countable,
  /** Now unless said otherwise. */
  to: Countable.optional(),
  interval: z.enum(INTERVALS).default('day'),
  by: z.enum(KEYS).default('pool'),
})

const bucket = {
  from: Instant,
  until: Instant,
  /** The department or user: null where the application did not tell it, and for the whole pool. */
  key: z.string().nullable(),
}
const seriesOf = <S extends z.ZodType>(item: S) =>
  z.strictObject({
    product: Code,
    metric: Code,
    timeZone: TimeZone,
    interval: z.enum(INTERVALS),
    by: z.enum(KEYS),
    items: z.array(item),
  })
const SharesView = z
  .strictObject({
    product: Code,
    metric: Code,
    shares: z.array(
      Share.extend({
        /** The share, and the most, in units now; `unlimited` where there is no maximum. */
        units: z.int(),
        most: Limit,
        /** Units held now. */
        held: z.int(),
      }),
    ),
    revision: z.int().positive(),
  })
  .meta({ id: 'PoolShares' })
const Tally = z.strictObject({ denials: z.int(), units: z.int() })
const WHOLE =
  'Whole hours or days in the zone of the tenant that overlap the time asked for; those in which nothing was are left out.'

export const poolsRoutes = {
  getDenials: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/pools/{product}/denials',
    access: readers,
    params: PoolParams,
    query: SeriesQuery,
    success: {
      status: 200,
      body: seriesOf(
        z
          .strictObject({
            ...bucket,
            byClass: z.partialRecord(z.enum(DENIAL_CLASSES), Tally),
            byReason: z.partialRecord(z.enum(DENIAL_REASONS), Tally),
          })
          .meta({ id: 'DenialBucket' }),
      ),
    },
    errors: [],
    summary: 'Check-outs that found no place, by hour or day: true, false, or not for want of capacity',
    description: `A denial is \`true\` when its holder got no place within a minute; \`false\` when it did (\`retry\`, \`failover\` to another machine), when the holder waited in the queue and was served, or when the same request came again; \`not-capacity\` without a license in force; \`open\` while the minute, or the ticket, lasts. Only true ones ask for a larger pool. Kept for 100 days; at most 31 by hour. ${WHOLE}`,
  },
  getShares: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/pools/{product}/shares',
    access: [...readers, 'tenant:app'],
    params: PoolParams,
    query: z.strictObject({ metric }),
    success: { status: 200, body: SharesView },
    errors: [],
    summary: 'What departments have of a floating pool, and what they hold',
    versioned: true,
  },
  setShares: {
    method: 'PATCH',
    path: '/v1/tenants/{tenantId}/pools/{product}/shares',
    access: ['tenant:admin'],
    params: PoolParams,
    query: z.strictObject({ metric }),
    body: z.strictObject({ shares: Shares }),
    success: { status: 200, body: SharesView },
    errors: [],
    summary: 'Share a floating pool out among departments: guaranteed parts, parts that come first, maxima',
    description:
      'A check-out names its `department`. A share that is `guaranteed` is kept for it; of another one, others use what it does not, and its tickets come first while it holds less. A percentage follows the capacity at the moment of use. Departments without a share use what is left. Leases held keep what they have; who held one before the department was named here is not counted to it.',
    versioned: true,
  },
  getPoolUse: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/pools/{product}/use',
    access: readers,
    params: PoolParams,
    query: SeriesQuery,
    success: {
      status: 200,
      body: seriesOf(
        z
          .strictObject({
            ...bucket,
            /** Seconds, times units. */
            heldSeconds: z.int(),
            /** The most units held at once. */
            peak: z.int(),
            leases: z.int(),
          })
          .meta({ id: 'UseBucket' }),
      ),
    },
    errors: [],
    summary: 'How long floating licenses were held, and how many at once: by hour or day, user or department',
    description: `Leases still held count until now. The seconds of all users, or departments, are those of the pool. Kept for 400 days; at most 31 by hour. ${WHOLE}`,
  },
} as const satisfies RouteTable
