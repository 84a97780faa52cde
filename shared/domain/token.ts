import * as z from 'zod'
import { OrganizationId, TenantId, TokenId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { Role } from './access.ts'
import { Name } from './terms.ts'

/** An API token as stored: a keyed hash of its secret, never the secret. */
export const Token = z.strictObject({
  id: TokenId,
  name: Name,
  role: Role,
  tenantId: TenantId.optional(),
  /** Of an `org:admin`: the root of what it administers. */
  organizationId: OrganizationId.optional(),
  scopes: z.array(z.string()).optional(),
  secretHash: z.string(),
  createdAt: Instant,
  createdBy: z.string(),
  expiresAt: Instant.optional(),
  revokedAt: Instant.optional(),
  /** Kept to the hour. */
  lastUsedAt: Instant.optional(),
  /** The token that replaces this one. */
  rotatedTo: TokenId.optional(),
  /** The token this one replaces. */
  rotatedFrom: TokenId.optional(),
})
export type Token = z.infer<typeof Token>

/** A token as the API shows it. */
export const TokenView = Token.omit({ secretHash: true }).extend({
  /** In lists, of the vendor's own: what tenants are told instead of its id. */
  alias: z.string().optional(),
})
export type TokenView = z.infer<typeof TokenView>

export function tokenView({ secretHash: _, ...view }: Token): TokenView {
  return view
}

/** Is the token live at this instant? */
export function isLive(token: Token, now: Instant): boolean {
  return token.revokedAt === undefined && (token.expiresAt === undefined || now < token.expiresAt)
}
