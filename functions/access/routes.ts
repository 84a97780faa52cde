import * as z from 'zod'
import { Role } from '../../shared/domain/access.ts'
import { Name } from '../../shared/domain/terms.ts'
import { TokenView } from '../../shared/domain/token.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf } from '../../shared/platform/http/shapes.ts'
import { OrganizationId, TenantId, TokenId } from '../../shared/platform/ids.ts'
import { Duration, Instant } from '../../shared/platform/time.ts'

const managers = ['vendor:admin', 'tenant:admin'] as const
const TokenParams = z.strictObject({ tokenId: TokenId })
const NewToken = z.strictObject({ token: z.string(), ...TokenView.shape })

export const accessRoutes = {
  createToken: {
    method: 'POST',
    path: '/v1/tokens',
    access: managers,
    body: z.strictObject({
      name: Name,
      role: Role,
      /** Required for tenant roles, refused for vendor roles. */
      tenantId: TenantId.optional(),
      /** For `org:admin`: it sees and changes this organization and those below it. Without one, none. */
      organizationId: OrganizationId.optional(),
      /** Operation ids this token is limited to; all of its role if absent. There are more than two hundred. */
      scopes: z.array(z.string().max(100)).min(1).max(500).optional(),
      expiresAt: Instant.optional(),
    }),
    success: { status: 201, body: NewToken },
    errors: ['NOT_FOUND', 'ARCHIVED'],
    summary: 'Make a token; it is shown once',
    description:
      'Vendor administrators make tokens of every role, tenant administrators those of their own tenant. A caller whose token is limited to scopes can only pass on those.',
  },
  listTokens: {
    method: 'GET',
    path: '/v1/tokens',
    access: managers,
    query: z.strictObject({ ...PageQuery.shape, tenantId: TenantId.optional() }),
    success: { status: 200, body: pageOf(TokenView) },
    errors: ['NOT_FOUND'],
    summary: 'List tokens, without their secrets',
  },
  rotateToken: {
    method: 'POST',
    path: '/v1/tokens/{tokenId}/rotate',
    access: managers,
    params: TokenParams,
    body: z.strictObject({ overlap: Duration.default(Duration.parse('P1D')) }),
    success: { status: 201, body: NewToken },
    errors: ['TOKEN_ROTATED', 'TRANSITION_NOT_ALLOWED', 'ARCHIVED'],
    summary: 'Make the successor of a token; both live for the overlap, at most two at a time',
  },
  revokeToken: {
    method: 'DELETE',
    path: '/v1/tokens/{tokenId}',
    access: managers,
    params: TokenParams,
    success: { status: 204 },
    errors: [],
    summary: 'Revoke a token at once',
  },
} as const satisfies RouteTable
