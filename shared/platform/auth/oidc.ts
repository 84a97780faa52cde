import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import { type Caller, TENANT_ROLES, TenantRole, VENDOR_ROLES, VendorRole } from '../../domain/access.ts'
import type { OidcIssuer } from '../config/environment.ts'
import { OrganizationId, TenantId } from '../ids.ts'
import { type Instant, toDate } from '../time.ts'

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA']

/** Tells who an OIDC access token stands for; nothing if it is none of a configured issuer, or not valid. */
export type OidcVerifier = (token: string, now: Instant) => Promise<Caller | undefined>

/** Verifies tokens against the issuer's published keys, which jose fetches and keeps. */
export function oidcVerifier(issuers: readonly OidcIssuer[]): OidcVerifier {
  const known = new Map(
    issuers.map((one) => [
      one.issuer,
      {
        ...one,
        keys: createRemoteJWKSet(
          new URL(one.jwksUri ?? `${one.issuer.replace(/\/$/, '')}/.well-known/jwks.json`),
        ),
      },
    ]),
  )
  return async (token, now) => {
    try {
      const issuer = known.get(decodeJwt(token).iss ?? '')
      if (issuer === undefined) return undefined
      const { payload } = await jwtVerify(token, issuer.keys, {
        issuer: issuer.issuer,
        audience: issuer.audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['sub', 'exp'],
        currentDate: toDate(now),
      })
      return callerOf(payload, issuer)
    } catch (error) {
      if (error instanceof errors.JOSEError && !isOutage(error)) return undefined
      throw error
    }
  }
}

/** The issuer's keys could not be had: nothing is known of the token, so it must not count as a failed attempt. */
function isOutage({ code }: errors.JOSEError): boolean {
  return code === errors.JWKSTimeout.code || code === errors.JOSEError.code
}

/** The first role of ours, by rank, that the claim maps to; tenant roles need the tenant claim beside it. */
function callerOf(payload: JWTPayload, issuer: OidcIssuer): Caller | undefined {
  const claim = payload[issuer.roleClaim]
  const values = Array.isArray(claim) ? claim : [claim]
  const roles = new Set(values.map((value) => issuer.roles[String(value)]))
  const subject = `${issuer.issuer}|${payload.sub}`
  const vendor = VENDOR_ROLES.find((role) => roles.has(role))
  if (vendor !== undefined) return { kind: 'vendor', role: VendorRole.parse(vendor), subject }
  const tenant = TENANT_ROLES.find((role) => roles.has(role))
  const tenantId = TenantId.safeParse(payload[issuer.tenantClaim])
  if (tenant === undefined || !tenantId.success) return undefined
  const organizationId = OrganizationId.safeParse(payload[issuer.organizationClaim ?? 'organization'])
  return {
    kind: 'tenant',
    role: TenantRole.parse(tenant),
    tenantId: tenantId.data,
    ...(tenant === 'org:admin' && organizationId.success && { organizationId: organizationId.data }),
    subject,
  }
}
