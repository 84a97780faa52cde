import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { LicenseFile } from '../../shared/domain/license-file.ts'
import { LicenseView } from '../../shared/domain/license-view.ts'
import { STATUSES } from '../../shared/domain/status.ts'
import { Code, Limit } from '../../shared/domain/terms.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason } from '../../shared/platform/http/shapes.ts'
import { LicenseId, TenantId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'
import { transferRoutes } from './transfer-routes.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })
const InstallParams = z.strictObject({ tenantId: TenantId, licenseId: LicenseId })
const readers = [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter'] as const
const appliers = ['vendor:admin', 'vendor:issuer', 'tenant:admin'] as const

export const installsRoutes = {
  listInstalls: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/licenses',
    access: readers,
    params: TenantParams,
    query: z.strictObject({ ...PageQuery.shape, status: z.enum(STATUSES).optional() }),
    success: { status: 200, body: pageOf(LicenseView) },
    errors: [],
    summary: "The tenant's licenses, active and historical",
  },
  uploadLicense: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/licenses/upload',
    access: appliers,
    params: TenantParams,
    /** The license file as received: its JSON, its JSON as text, or the bare JWS. Read by the handler, so that each fault has its own code. */
    body: z.strictObject({ file: z.unknown() }),
    success: { status: 200, body: z.strictObject({ license: LicenseView, changed: z.boolean() }) },
    errors: [
      'FILE_MALFORMED',
      'FILE_FORGED',
      'FILE_FOREIGN',
      'FILE_WRONG_TENANT',
      'FILE_UNKNOWN_PRODUCT',
      'FILE_OUTDATED',
      'FILE_EXPIRED',
      'FILE_NOT_USABLE',
      'LICENSE_TAMPERED',
    ],
    summary: 'Apply a license file; applying it again changes nothing',
  },
  getLicenseFile: {
    method: 'GET',
    path: '/v1/licenses/{licenseId}/file',
    access: [...VENDOR_ROLES, 'tenant:admin'],
    params: z.strictObject({ licenseId: LicenseId }),
    success: { status: 200, body: LicenseFile },
    errors: ['LICENSE_TAMPERED'],
    summary: 'The signed license file, fit for e-mail and upload',
  },
  deleteInstall: {
    method: 'DELETE',
    path: '/v1/tenants/{tenantId}/licenses/{licenseId}',
    access: appliers,
    params: InstallParams,
    query: z.strictObject({ reason: Reason.optional() }),
    success: { status: 200, body: LicenseView },
    errors: [],
    summary: 'Delete an applied license; it stops counting at once, its history stays',
  },
  refreshInstalls: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/licenses/refresh',
    access: appliers,
    params: TenantParams,
    success: {
      status: 200,
      body: z.strictObject({
        checked: z.int(),
        changes: z.array(
          z.strictObject({
            licenseId: LicenseId,
            product: Code,
            before: z.string(),
            after: z.string(),
            detail: z.string(),
          }),
        ),
        checkedAt: Instant,
      }),
    },
    errors: [],
    summary: 'Read and validate every license again and say what changed since the last time',
  },
  getInstallUsage: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/licenses/{licenseId}/usage',
    access: [...readers, 'tenant:app'],
    params: InstallParams,
    success: {
      status: 200,
      body: z.strictObject({
        licenseId: LicenseId,
        metrics: z.array(
          z.strictObject({
            metric: Code,
            kind: z.enum(['gauge', 'counter']),
            /** What of the product's use falls on this license. */
            used: z.number(),
            limit: Limit,
            /** The product's use that no license covers. */
            excess: z.number(),
          }),
        ),
      }),
    },
    errors: [],
    summary: "Each metric's use and limit, attributed to this license in the documented order",
  },
  ...transferRoutes,
} as const satisfies RouteTable
