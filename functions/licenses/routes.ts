import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Fingerprint, Reference } from '../../shared/domain/license.ts'
import { LicenseFile } from '../../shared/domain/license-file.ts'
import { LicenseView } from '../../shared/domain/license-view.ts'
import { STATUSES } from '../../shared/domain/status.ts'
import { Code, Features, FeatureValue, LicenseType, Limit, Limits } from '../../shared/domain/terms.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason } from '../../shared/platform/http/shapes.ts'
import { LicenseId, PlanId, ProductId, TenantId } from '../../shared/platform/ids.ts'
import { Countable, Instant } from '../../shared/platform/time.ts'
import { ImportBody, ImportQuery, ImportReport } from './import-contract.ts'

const LicenseParams = z.strictObject({ licenseId: LicenseId })
const issuers = ['vendor:admin', 'vendor:issuer'] as const
const WithReason = z.strictObject({ reason: Reason })
/** What those who issue licenses do with one. */
const action = {
  method: 'POST',
  access: issuers,
  params: LicenseParams,
  body: WithReason,
  success: { status: 200, body: LicenseView },
} as const

const IssueBody = z.strictObject({
  tenantId: TenantId,
  planId: PlanId,
  /** TRIAL for a trial plan, NORMAL for the others, unless said otherwise. */
  type: LicenseType.optional(),
  /** The license a TOPUP, VALIDITY or FEATURE adds to. */
  extends: LicenseId.optional(),
  /** Now, unless said otherwise. */
  validFrom: Countable.optional(),
  /** The plan's duration after `validFrom`, on the tenant's calendar, unless said otherwise. */
  expiresAt: Countable.optional(),
  graceDays: z.int().min(0).max(3650).optional(),
  /** Replace the plan's metric by metric. */
  limits: Limits.optional(),
  /** Replace the plan's feature by feature. */
  features: Features.optional(),
  productInstanceId: z.string().trim().min(1).max(200).optional(),
  fingerprints: z.array(Fingerprint).min(1).max(20).optional(),
  reference: Reference.optional(),
  /** `issue`: it counts for the tenant at once. `upload`: once the tenant uploads its file. */
  applyOn: z.enum(['issue', 'upload']).default('issue'),
})

export const licensesRoutes = {
  issueLicense: {
    method: 'POST',
    path: '/v1/licenses',
    access: issuers,
    body: IssueBody,
    success: {
      status: 201,
      body: z.strictObject({ license: LicenseView, key: z.string(), file: LicenseFile }),
    },
    errors: ['ARCHIVED', 'LICENSE_MISMATCH', 'PLAN_MISMATCH', 'CODE_TAKEN'],
    summary: 'Issue a signed license from a plan; its key is shown once',
  },
  listLicenses: {
    method: 'GET',
    path: '/v1/licenses',
    access: VENDOR_ROLES,
    query: z.strictObject({
      ...PageQuery.shape,
      tenantId: TenantId.optional(),
      productId: ProductId.optional(),
      status: z.enum(STATUSES).optional(),
      type: LicenseType.optional(),
      expiresBefore: Instant.optional(),
    }),
    success: { status: 200, body: pageOf(LicenseView) },
    errors: [],
    summary:
      'List licenses, active and historical: ending first on top; of one tenant, in the order in which they were issued',
  },
  importLicenses: {
    method: 'POST',
    path: '/v1/licenses/import',
    access: issuers,
    query: ImportQuery,
    body: ImportBody,
    textBody: ['text/csv'],
    bodyLimit: 5 * 1024 * 1024,
    success: { status: 200, body: ImportReport },
    errors: ['IMPORT_INVALID'],
    summary: 'Import existing licenses from CSV or JSON: all rows, or a report of the bad ones',
    description:
      'A row whose reference is here already is not imported again, with or without Idempotency-Key. With one, a finished import of up to 1,500 rows is answered again as it was; a larger one by its references: what is here already, without its keys.',
  },
  getLicense: {
    method: 'GET',
    path: '/v1/licenses/{licenseId}',
    access: VENDOR_ROLES,
    params: LicenseParams,
    success: { status: 200, body: LicenseView },
    errors: [],
    summary: 'Read a license',
    versioned: true,
  },
  editLicense: {
    method: 'PATCH',
    path: '/v1/licenses/{licenseId}',
    access: issuers,
    params: LicenseParams,
    body: z.strictObject({
      /** Replace the license's metric by metric; null takes a metric away. */
      limits: z.record(Code, Limit.nullable()).optional(),
      /** Replace the license's feature by feature; null takes a feature away. */
      features: z.record(Code, FeatureValue.nullable()).optional(),
      reason: Reason.optional(),
    }),
    success: { status: 200, body: LicenseView },
    errors: ['TRANSITION_NOT_ALLOWED', 'LICENSE_MISMATCH', 'PLAN_MISMATCH', 'LICENSE_TAMPERED'],
    summary: 'Change limits and features of a live license; applications see it at their next check',
    description:
      'The file is signed again with a higher revision. Nothing has to be installed or activated anew.',
    versioned: true,
  },
  suspendLicense: {
    ...action,
    path: '/v1/licenses/{licenseId}/suspend',
    errors: ['TRANSITION_NOT_ALLOWED', 'LICENSE_TAMPERED'],
    summary: 'Suspend a license until it is reinstated',
  },
  reinstateLicense: {
    ...action,
    path: '/v1/licenses/{licenseId}/reinstate',
    body: WithReason.partial().default({}),
    errors: ['TRANSITION_NOT_ALLOWED', 'LICENSE_TAMPERED'],
    summary: 'Lift a suspension',
  },
  revokeLicense: {
    ...action,
    path: '/v1/licenses/{licenseId}/revoke',
    errors: ['TRANSITION_NOT_ALLOWED'],
    summary: 'Revoke a license for good; the record is kept',
  },
  renewLicense: {
    ...action,
    path: '/v1/licenses/{licenseId}/renew',
    body: z
      .strictObject({
        /**
         * Count the new term from the old end (that of what extends it, if that is later), from now, or: from the old end
         * until grace is over, else from now.
         */
        from: z.enum(['expiry', 'now', 'auto']).default('auto'),
        /** An exact end instead of one more term. */
        expiresAt: Countable.optional(),
        reason: Reason.optional(),
      })
      .default({ from: 'auto' }),
    success: { status: 200, body: z.strictObject({ license: LicenseView, file: LicenseFile }) },
    errors: ['TRANSITION_NOT_ALLOWED', 'LICENSE_MISMATCH', 'LICENSE_TAMPERED', 'ARCHIVED'],
    summary: 'Renew a license by one more term or to a date; a suspension stays',
  },
  rotateLicenseKey: {
    ...action,
    path: '/v1/licenses/{licenseId}/rotate-key',
    success: { status: 200, body: z.strictObject({ license: LicenseView, key: z.string() }) },
    errors: ['TRANSITION_NOT_ALLOWED', 'LICENSE_TAMPERED'],
    summary: 'Give the license a new key; the old one stops at once',
  },
  revealLicenseKey: {
    ...action,
    path: '/v1/licenses/{licenseId}/reveal-key',
    success: { status: 200, body: z.strictObject({ key: z.string() }) },
    errors: [],
    summary: 'Show the license key once more; an event says who and why',
  },
} as const satisfies RouteTable
