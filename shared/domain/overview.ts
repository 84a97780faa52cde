import * as z from 'zod'
import { LicenseId, ProductId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { STATUSES } from './status.ts'
import { Code, LicenseType, Limit, Limits, Name } from './terms.ts'

/**
 * `licensed`: a base license is active. `grace`: base licenses work on in grace only. `trial`: only evaluation
 * licenses are in force. `limited`: neither is.
 */
export const OperatingMode = z.enum(['licensed', 'grace', 'trial', 'limited'])
export type OperatingMode = z.infer<typeof OperatingMode>

/** Use of a capacity. `remaining` is never below 0; `utilization` is in whole percent, null where it has no meaning. */
const Occupancy = z.strictObject({
  active: z.number(),
  capacity: Limit,
  remaining: Limit,
  utilization: z.number().nullable(),
})

const MetricCard = z.strictObject({
  metric: Code,
  kind: z.enum(['gauge', 'counter']),
  ...Occupancy.shape,
})

/** The cards of a tenant's first page. */
export const Overview = z
  .strictObject({
    mode: OperatingMode,
    /** The metric `users`, over all products. */
    users: Occupancy,
    products: z.array(
      z.strictObject({
        id: ProductId,
        code: Code,
        name: Name,
        mode: OperatingMode,
        metrics: z.array(MetricCard),
        modules: z.array(
          z.strictObject({ code: Code, name: Name, included: z.boolean(), metrics: z.array(MetricCard) }),
        ),
      }),
    ),
    /** Licenses in force, ending first on top. */
    licenses: z.array(
      z.strictObject({
        id: LicenseId,
        product: Code,
        key: z.string(),
        type: LicenseType,
        capacity: Limits,
        expiresAt: Instant.optional(),
        status: z.enum(STATUSES),
      }),
    ),
    checkedAt: Instant,
  })
  .meta({ id: 'Overview' })
export type Overview = z.infer<typeof Overview>
