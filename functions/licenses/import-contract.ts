import * as z from 'zod'
import { Reference } from '../../shared/domain/license.ts'
import { Features, LicenseType, Limits } from '../../shared/domain/terms.ts'
import { Flag } from '../../shared/platform/http/shapes.ts'
import { LicenseId, PlanId } from '../../shared/platform/ids.ts'
import { Countable } from '../../shared/platform/time.ts'
import { IMPORT_LIMIT } from '../import-lines.ts'

/**
 * One existing license. `reference` is the vendor's own number of it: a reference that is already here is not imported
 * again. The tenant is named by the vendor's customer id.
 */
export const ImportRow = z.strictObject({
  reference: Reference,
  customerId: z.string().trim().min(1).max(100),
  planId: PlanId,
  type: LicenseType.optional(),
  /** The reference of the license it extends; that one stands in the same import or is here already. */
  extends: Reference.optional(),
  validFrom: Countable,
  expiresAt: Countable.optional(),
  limits: Limits.default({}),
  features: Features.default({}),
  productInstanceId: z.string().trim().min(1).max(200).optional(),
})
export type ImportRow = z.infer<typeof ImportRow>

/** JSON rows, or CSV text with a header line: the row's fields, and `limits.<metric>`, `features.<feature>` columns. */
export const ImportBody = z.union([
  z.strictObject({ rows: z.array(z.unknown()).min(1).max(IMPORT_LIMIT) }),
  z.string().min(1),
])

export const ImportQuery = z.strictObject({ dryRun: Flag.default(false) })

export const ImportReport = z.strictObject({
  dryRun: z.boolean(),
  rows: z.int(),
  imported: z.int(),
  alreadyHere: z.int(),
  /**
   * Rows left because the time of the request was over, or what they rely on was changed meanwhile; the same import sent
   * again goes on, or names what is in its way.
   */
  remaining: z.int(),
  /** What this request imported; keys are shown here once. */
  licenses: z.array(
    z.strictObject({ line: z.int(), reference: z.string(), licenseId: LicenseId, key: z.string() }),
  ),
})
