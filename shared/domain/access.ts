import * as z from 'zod'
import { LicenseId, OrganizationId, ProductId, TenantId } from '../platform/ids.ts'

export const VENDOR_ROLES = ['vendor:admin', 'vendor:issuer', 'vendor:support'] as const
export const TENANT_ROLES = [
  'tenant:admin',
  'org:admin',
  'tenant:reporter',
  'tenant:app',
  'tenant:scim',
  'tenant:collector',
] as const

export const VendorRole = z.enum(VENDOR_ROLES)
export const TenantRole = z.enum(TENANT_ROLES)
export const Role = z.enum([...VENDOR_ROLES, ...TENANT_ROLES])
export type Role = z.infer<typeof Role>

/** Who may call an operation: nobody in particular, or holders of a role, or of a license key. */
export type Access = 'public' | readonly (Role | 'license')[]

/**
 * Who is calling. `subject` names the credential in events and scopes idempotency keys: a token's id, `issuer|sub` of
 * an OIDC identity, or a license's id. `scopes` narrows a token to some operations.
 */
export const Caller = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('anonymous') }),
  /** A job of the service itself. */
  z.strictObject({ kind: z.literal('system'), subject: z.string() }),
  z.strictObject({
    kind: z.literal('vendor'),
    role: VendorRole,
    subject: z.string(),
    /** What tenants are told instead: the same each time, and nobody learns the credential from it. */
    alias: z.string().optional(),
    scopes: z.array(z.string()).optional(),
  }),
  z.strictObject({
    kind: z.literal('tenant'),
    role: TenantRole,
    tenantId: TenantId,
    /** Of an `org:admin`: the organization whose subtree is all it knows of; without one it knows of none. */
    organizationId: OrganizationId.optional(),
    subject: z.string(),
    scopes: z.array(z.string()).optional(),
  }),
  z.strictObject({
    kind: z.literal('license'),
    tenantId: TenantId,
    productId: ProductId,
    licenseId: LicenseId,
    subject: z.string(),
  }),
])
export type Caller = z.infer<typeof Caller>

/** The credential behind a request, as events name it. */
export function subjectOf(caller: Caller): string {
  return caller.kind === 'anonymous' ? 'anonymous' : caller.subject
}

/**
 * Who did it, in what is a tenant's: its events, from their birth on, so that their leaves prove what everybody sees, and
 * its rows. Of the vendor's staff that is the alias of the credential.
 */
export function nameForTenant(caller: Caller): string {
  return caller.kind === 'vendor' ? (caller.alias ?? 'vendor') : subjectOf(caller)
}

/** Is this kind of caller, in this role, let in at all? */
export function mayCall(access: Access, caller: Caller, operationId: string): boolean {
  if (access === 'public') return true
  if (caller.kind === 'anonymous' || caller.kind === 'system') return false
  if (caller.kind === 'license') return access.includes('license')
  return access.includes(caller.role) && (caller.scopes === undefined || caller.scopes.includes(operationId))
}

/** May this caller know of resources of the tenant? Vendor staff of all, others of their own (invariant 5). */
export function seesTenant(caller: Caller, tenantId: TenantId): boolean {
  if (caller.kind === 'vendor') return true
  return 'tenantId' in caller && caller.tenantId === tenantId
}
