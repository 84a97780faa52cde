import type { OrganizationId, TenantId } from '../platform/ids.ts'
import {
  type Duration,
  earliest,
  epochMilliseconds,
  fromEpochMilliseconds,
  Instant,
  TimeZone,
} from '../platform/time.ts'
import { type Caller, nameForTenant, type Role, seesTenant, subjectOf, VendorRole } from './access.ts'
import { addDuration } from './calendar.ts'
import { notFound, type Refusal, refuse } from './refusal.ts'
import { isLive, type Token } from './token.ts'

/** What is asked of a new token. */
export type TokenOrder = {
  name: string
  role: Role
  tenantId?: TenantId | undefined
  organizationId?: OrganizationId | undefined
  scopes?: string[] | undefined
  expiresAt?: Instant | undefined
}

/** What decides who a token is and what it may do; its id and secret are made where it is minted. */
export type TokenFacts = Omit<Token, 'id' | 'secretHash'>

/**
 * The token a caller may have made, or why not. Vendor administrators make tokens of every role, tenant administrators
 * those of their own tenant, and nobody one that may do more than they themselves.
 */
export function orderToken(
  order: TokenOrder,
  caller: Caller,
  operationIds: ReadonlySet<string>,
  now: Instant,
): TokenFacts | Refusal {
  const { name, role, organizationId, scopes, expiresAt } = order
  const forVendor = VendorRole.safeParse(role).success
  if (caller.kind !== 'vendor' && forVendor) {
    return refuse('FORBIDDEN', `Only vendor administrators make tokens with the role ${role}.`)
  }
  const tenantId = order.tenantId ?? (caller.kind === 'tenant' ? caller.tenantId : undefined)
  if (forVendor && tenantId !== undefined) return invalid('tenantId', `must be absent for ${role}`)
  if (!forVendor && tenantId === undefined) return invalid('tenantId', `is required for ${role}`)
  if (tenantId !== undefined && !seesTenant(caller, tenantId)) return notFound
  if (role !== 'org:admin' && organizationId !== undefined)
    return invalid('organizationId', `must be absent for ${role}`)
  const stranger = scopes?.findIndex((scope) => !operationIds.has(scope)) ?? -1
  if (stranger >= 0) return invalid(`scopes/${stranger}`, 'is no operation')
  if (expiresAt !== undefined && expiresAt <= now) return invalid('expiresAt', 'must be in the future')
  return (
    checkScopes(caller, scopes) ?? {
      name,
      role,
      ...(tenantId && { tenantId }),
      ...(organizationId && { organizationId }),
      ...(scopes && { scopes }),
      createdAt: now,
      createdBy: tenantId ? nameForTenant(caller) : subjectOf(caller),
      ...(expiresAt && { expiresAt }),
    }
  )
}

/** A token limited to some operations does not lead to one that may do others. */
function checkScopes(caller: Caller, scopes: readonly string[] | undefined): Refusal | undefined {
  const own = 'scopes' in caller ? caller.scopes : undefined
  if (own === undefined) return undefined
  if (scopes?.every((scope) => own.includes(scope))) return undefined
  return refuse('FORBIDDEN', `Your own scopes are ${own.join(', ')}; a token you make has none beyond them.`)
}

/** A token with the one it replaces and the one that replaces it, where they exist. */
type Lineage = { token: Token; predecessor?: Token | undefined; successor?: Token | undefined }

/** May the caller know of this token? Vendor administrators of all, tenant administrators of their own tenant's. */
export function seesToken(caller: Caller, { tenantId }: Token): boolean {
  return caller.kind === 'vendor' || (tenantId !== undefined && seesTenant(caller, tenantId))
}

/** Only a live token is rotated, and only while no other of its line lives: at most two at a time. */
export function checkRotation(
  { token, predecessor, successor }: Lineage,
  caller: Caller,
  now: Instant,
): Refusal | undefined {
  if (!isLive(token, now)) {
    return refuse('TRANSITION_NOT_ALLOWED', 'The token was revoked or has expired; make a new one.')
  }
  if (successor && isLive(successor, now))
    return refuse('TOKEN_ROTATED', `Its successor ${successor.id} is live.`)
  if (predecessor && isLive(predecessor, now)) {
    return refuse(
      'TOKEN_ROTATED',
      `Its predecessor ${predecessor.id} is live until ${predecessor.expiresAt}; revoke it first.`,
    )
  }
  return checkScopes(caller, token.scopes)
}

/** The successor of a token: the same rights, and as long a life where it has an end. */
export function successorOf({ token, successor }: Lineage, caller: Caller, now: Instant): TokenFacts {
  const { id, name, role, tenantId, organizationId, scopes } = token
  const life = lifetime(successor ?? token)
  return {
    name,
    role,
    ...(tenantId && { tenantId }),
    ...(organizationId && { organizationId }),
    ...(scopes && { scopes }),
    createdAt: now,
    createdBy: tenantId ? nameForTenant(caller) : subjectOf(caller),
    ...(life && { expiresAt: after(now, life) }),
    rotatedFrom: id,
  }
}

/** When a token that is rotated now ends: after the overlap, and not later than it would have. */
export function endOfOverlap({ expiresAt }: Token, overlap: Duration, now: Instant): Instant {
  return earliest(addDuration(now, overlap, UTC), expiresAt)
}

const UTC = TimeZone.parse('UTC')

/** Milliseconds. A rotated token ends early, so its lifetime is read off the successor it had. */
function lifetime({ createdAt, expiresAt }: Token): number | undefined {
  return expiresAt && epochMilliseconds(expiresAt) - epochMilliseconds(createdAt)
}

/** The last instant there is; `9999-12-31` is what people write for never. */
const LAST = Instant.parse('9999-12-31T23:59:59.999Z')

function after(now: Instant, milliseconds: number): Instant {
  return fromEpochMilliseconds(Math.min(epochMilliseconds(now) + milliseconds, epochMilliseconds(LAST)))
}

function invalid(field: string, message: string): Refusal {
  return refuse('INVALID_REQUEST', 'The body is not valid.', {
    errors: [{ field: `/body/${field}`, message }],
  })
}
