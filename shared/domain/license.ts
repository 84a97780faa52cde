import * as z from 'zod'
import { LicenseId, PlanId, ProductId, TenantId, TransferId } from '../platform/ids.ts'
import { Duration, Instant, TimeZone } from '../platform/time.ts'
import { Customer } from './tenant.ts'
import { Allocation, Code, Features, LicenseType, Limits, Rules, Term } from './terms.ts'

export const Fingerprint = z.string().min(8).max(200)

/** A vendor's own name for a license (order line, old license number); unique for the vendor, dedupes imports. */
export const Reference = z.string().trim().min(1).max(100)

/**
 * What the license file says and the signature covers: every fact that decides what the license gives. Renaming or
 * reordering a field here, or adding one that is always there, changes what is signed: see `CLAIMS_VERSION` in
 * license-file.ts.
 */
export const SignedFacts = z.strictObject({
  id: LicenseId,
  revision: z.int().positive(),
  tenantId: TenantId,
  customer: Customer,
  productId: ProductId,
  productCode: Code,
  planId: PlanId,
  type: LicenseType,
  term: Term,
  allocation: Allocation,
  /** The license whose capacity, expiry or features this one adds to. */
  extends: LicenseId.optional(),
  productInstanceId: z.string().min(1).max(200).optional(),
  reference: Reference.optional(),
  limits: Limits,
  features: Features,
  rules: Rules,
  fingerprints: z.array(Fingerprint).max(20).optional(),
  validFrom: Instant,
  /** Absent: never. In force up to, not including, this instant. */
  expiresAt: Instant.optional(),
  graceDays: z.int().min(0),
  graceEndsAt: Instant.optional(),
  /** Releases before this instant are covered. */
  maintenanceEndsAt: Instant.optional(),
  suspendedAt: Instant.optional(),
  revokedAt: Instant.optional(),
  signedAt: Instant,
})
export type SignedFacts = z.infer<typeof SignedFacts>

export const Signature = z.strictObject({
  /** RFC 7638 thumbprint of the signing key. */
  kid: z.string(),
  /** ES256 signature, r‖s, base64url (RFC 7518, section 3.4). */
  value: z.string(),
})
export type Signature = z.infer<typeof Signature>

/** A license as stored: what was signed, its signature, and what may change without a new file. */
export const License = z.strictObject({
  ...SignedFacts.shape,
  signature: Signature,
  /** Keyed hash of the license key; the key itself is derived anew when it is revealed. */
  keyHash: z.string(),
  /** The last characters of the key, for people. */
  keyHint: z.string(),
  /** Counts the keys this license had; the key is derived from the id and this number. */
  keyGeneration: z.int().positive(),
  /** Counts the writes of this row; every change is conditional on it. */
  version: z.int().positive(),
  issuedAt: Instant,
  /** Terms are counted from here, on the calendar of the time zone. */
  anchor: Instant,
  timeZone: TimeZone,
  duration: Duration.optional(),
  suspensionReason: z.string().optional(),
  revocationReason: z.string().optional(),
  /** Since when it counts for the tenant; absent while the tenant has not applied it or has deleted it. */
  appliedAt: Instant.optional(),
  deletedAt: Instant.optional(),
  /** The VALIDITY licenses that name this one. */
  extendedBy: z.array(LicenseId).optional(),
  /** The transfer it came by; its last holder knew it under another id. */
  receivedBy: TransferId.optional(),
  /** The transfer it left by. It is revoked with that, and another tenant has its successor. */
  transferredBy: TransferId.optional(),
  /** When it, or what it came from, changed hands, as far as its rule of transfers per year may count it. */
  transfers: z.array(Instant).optional(),
  /** What the last scheduled validation saw, so that a change is told once. */
  lastSeenStatus: z.string().optional(),
  /** When that was; absent: when it was issued. */
  lastSeenAt: Instant.optional(),
})
export type License = z.infer<typeof License>

const SignedPart = SignedFacts.strip()

/** The signed part of a license, signed already or not. */
export function signedFacts(license: SignedFacts): SignedFacts {
  return SignedPart.parse(license)
}

/** Where a license lies: found by its id, by the hash of its key, or by the vendor's reference. */
export const LicenseAddress = z.strictObject({
  tenantId: TenantId,
  productId: ProductId,
  licenseId: LicenseId,
})
export type LicenseAddress = z.infer<typeof LicenseAddress>
