import * as z from 'zod'
import { ActivationId, LicenseId, ProductId, TenantId } from '../platform/ids.ts'
import { earliest, epochSeconds, Instant, latest } from '../platform/time.ts'
import { type Activation, MACHINES } from './activation.ts'
import type { MachineTerms } from './activation-terms.ts'
import { Components, type MatchRule } from './fingerprint.ts'
import type { Standing } from './holdings.ts'
import { effectiveTerm } from './status.ts'
import { Code } from './terms.ts'

/** What a machine without a connection hands over, on paper or a stick, to be activated. */
export const ActivationRequestFile = z
  .strictObject({
    format: z.literal('latchkey-activation-request/1'),
    product: z.string().min(1).max(64),
    fingerprints: Components,
    /** Chosen by the machine, so that it takes no answer to another request. */
    nonce: z.string().min(16).max(200),
  })
  .meta({ id: 'ActivationRequestFile' })
export type ActivationRequestFile = z.infer<typeof ActivationRequestFile>

/** `typ` of the JWS header, so that no other token of this issuer passes for an activation (RFC 8725, section 3.11). */
export const ACTIVATION_TYP = 'activation+jwt'

/** A component as the machine can compute it anew: SHA-256 of `nonce LF component LF value`, base64url. */
export const BoundFingerprint = z.strictObject({ component: Code.optional(), sha256: z.string() })
export type BoundFingerprint = z.infer<typeof BoundFingerprint>

export const ActivationClaims = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  sub: ActivationId,
  iat: z.int(),
  /** The end of the last license behind the place, grace included; absent if one never ends. */
  exp: z.int().optional(),
  nonce: z.string(),
  tenantId: TenantId,
  productId: ProductId,
  licenses: z.array(LicenseId),
  /** How many of the fingerprints have to be there again; see `needed` in fingerprint.ts. */
  match: z.enum(['any', 'two', 'most', 'all'] satisfies MatchRule[]),
  fingerprints: z.array(BoundFingerprint),
})
export type ActivationClaims = z.infer<typeof ActivationClaims>

/** When the last of the licenses that give the places ends, grace included; undefined if one never does. */
export function endOfPlaces({ standings }: Pick<MachineTerms, 'standings'>): Instant | undefined {
  const giving = standings.filter(({ license }) => Object.hasOwn(license.limits, MACHINES))
  // A machine that was activated before may ask again while none gives any.
  const ends = (giving.length > 0 ? giving : standings).map((standing) => {
    // What adds to another license counts no longer than that one.
    const base = standings.find(({ license }) => license.id === standing.license.extends)
    const [end, ...others] = [standing, base].flatMap((one) => (one && endOf(one)) ?? [])
    return end && earliest(end, ...others)
  })
  return ends.includes(undefined) ? undefined : latest(ends)
}

function endOf({ license, extensions }: Standing): Instant | undefined {
  const { expiresAt, graceEndsAt } = effectiveTerm(license, extensions)
  return graceEndsAt ?? expiresAt
}

/** What the response file of an offline activation says (RFC 7519 names where they exist). */
export function activationClaims(
  activation: Pick<Activation, 'id' | 'tenantId' | 'productId'>,
  terms: MachineTerms,
  bound: { nonce: string; fingerprints: readonly BoundFingerprint[] },
  issuer: string,
  now: Instant,
): ActivationClaims {
  const end = endOfPlaces(terms)
  return {
    iss: issuer,
    aud: terms.license.productCode,
    sub: activation.id,
    iat: epochSeconds(now),
    ...(end && { exp: epochSeconds(end) }),
    nonce: bound.nonce,
    tenantId: activation.tenantId,
    productId: activation.productId,
    licenses: terms.standings.map(({ license }) => license.id),
    match: terms.match,
    fingerprints: [...bound.fingerprints],
  }
}

/** The signed answer wrapped for people; only `activation` counts. */
export const ActivationFile = z
  .strictObject({
    format: z.literal('latchkey-activation-file/1'),
    issuer: z.string(),
    activationId: ActivationId,
    product: z.string(),
    expiresAt: Instant.nullable(),
    /** Compact JWS (RFC 7515). */
    activation: z.string(),
  })
  .meta({ id: 'ActivationFile' })
export type ActivationFile = z.infer<typeof ActivationFile>
