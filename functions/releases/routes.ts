import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Channel, Release, ReleaseDraft, Version } from '../../shared/domain/release.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason } from '../../shared/platform/http/shapes.ts'
import { LicenseId, ProductId } from '../../shared/platform/ids.ts'

const ProductParams = z.strictObject({ productId: ProductId })
const publishers = ['vendor:admin'] as const

export const releasesRoutes = {
  publishRelease: {
    method: 'POST',
    path: '/v1/products/{productId}/releases',
    access: publishers,
    params: ProductParams,
    body: ReleaseDraft,
    success: { status: 201, body: Release },
    errors: ['CODE_TAKEN', 'ARCHIVED'],
    summary: 'Publish a release of a product',
  },
  listReleases: {
    method: 'GET',
    path: '/v1/products/{productId}/releases',
    access: VENDOR_ROLES,
    params: ProductParams,
    query: PageQuery,
    success: { status: 200, body: pageOf(Release) },
    errors: [],
    summary: 'List the releases of a product',
  },
  withdrawRelease: {
    method: 'POST',
    path: '/v1/products/{productId}/releases/withdraw',
    access: publishers,
    params: ProductParams,
    body: z.strictObject({ version: Version, reason: Reason }),
    success: { status: 200, body: Release },
    errors: ['TRANSITION_NOT_ALLOWED'],
    summary: 'Withdraw a release: it is offered no more, who has it is warned',
  },
  getUpgrades: {
    method: 'GET',
    path: '/v1/products/{productId}/upgrades',
    access: [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter', 'tenant:app', 'license'],
    params: ProductParams,
    query: z.strictObject({
      /** Not needed with a license key. */
      licenseId: LicenseId.optional(),
      /** The version in use; everything counts as newer if it is absent. */
      version: Version.optional(),
      channel: Channel.default('stable'),
    }),
    success: {
      status: 200,
      body: z.strictObject({
        /** `none`: nothing newer. `allowed`: something newer that is covered. `not-covered`: only what is not. */
        answer: z.enum(['none', 'allowed', 'not-covered']),
        best: Release.optional(),
        beyond: z.array(
          z.strictObject({
            release: Release,
            because: z.enum(['VERSION_RULE', 'MAINTENANCE_ENDED']),
            cure: z.string(),
          }),
        ),
      }),
    },
    errors: [],
    summary: 'Which newer releases a license covers, and which not and why',
  },
} as const satisfies RouteTable
