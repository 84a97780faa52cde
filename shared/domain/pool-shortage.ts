import * as z from 'zod'
import { Instant } from '../platform/time.ts'
import { Department, Holder } from './lease-last.ts'
import { Code, Limit } from './terms.ts'

/** Who holds a lease, as the tenant sees it. */
export const LeaseHolder = z.strictObject({
  /** Names the entry in its pool; for a release by the tenant. */
  ref: z.string(),
  kind: z.enum(['lease', 'shared', 'hold', 'borrow']),
  units: z.int(),
  overdraft: z.boolean(),
  expiresAt: Instant,
  /** Its end has passed and nobody took the place yet; the next who asks gets it. */
  lapsed: z.boolean(),
  /** Absent until the record of the check-out has been processed, within seconds. */
  holder: Holder.optional(),
  department: Department.optional(),
  since: Instant.optional(),
})
export type LeaseHolder = z.infer<typeof LeaseHolder>

/** Why a pool gives nothing now: how it stands, and when that may change. */
export const PoolShortage = z
  .strictObject({
    metric: Code,
    /** Units asked for. */
    units: z.int(),
    capacity: Limit,
    /** Capacity and overdraft. */
    limit: Limit,
    used: z.int(),
    /**
     * Of floating pools. `capacity`: it is used up. `reserved-elsewhere`: what is free is kept for other departments. `quota`: the own
     * department has all it may have.
     */
    because: z.enum(['capacity', 'reserved-elsewhere', 'quota']).optional(),
    /** Tickets before a newcomer. */
    waiting: z.int(),
    /** The earliest end of a lease; it may be renewed, or given back before. */
    nextFree: Instant.optional(),
    /** Whom the caller may know to hold a place; a license key sees none. */
    holders: z.array(LeaseHolder).optional(),
    /** Where to wait for a place, if the request can wait. */
    queue: z.literal('POST /v1/tickets').optional(),
  })
  .meta({ id: 'PoolShortage' })
export type PoolShortage = z.infer<typeof PoolShortage>
