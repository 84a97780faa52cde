import * as z from 'zod'
import { LicenseId, TransferId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { License, SignedFacts } from './license.ts'
import { maskedKey } from './license-key.ts'
import { effectiveTerm, STATUSES, type Status } from './status.ts'

const { signedAt: _, ...facts } = SignedFacts.shape

/** A license as the API shows it: its facts, its status now, its key masked; no hash, no signature. */
export const LicenseView = z
  .strictObject({
    ...facts,
    status: z.enum(STATUSES),
    /** The stored row is not what was signed: what is shown of it cannot be relied on. */
    tampered: z.boolean(),
    key: z.string(),
    /** When it ends once the licenses that extend it are counted, if that differs; null is never. */
    effectiveExpiresAt: Instant.nullable().optional(),
    extendedBy: z.array(LicenseId).optional(),
    issuedAt: Instant,
    appliedAt: Instant.optional(),
    deletedAt: Instant.optional(),
    suspensionReason: z.string().optional(),
    revocationReason: z.string().optional(),
    /** The transfer it came by from another tenant, and the one it left by. */
    receivedBy: TransferId.optional(),
    transferredBy: TransferId.optional(),
  })
  .meta({ id: 'License' })
export type LicenseView = z.infer<typeof LicenseView>

const Shown = License.omit({
  signature: true,
  signedAt: true,
  keyHash: true,
  keyHint: true,
  keyGeneration: true,
  version: true,
  anchor: true,
  timeZone: true,
  duration: true,
  lastSeenStatus: true,
  lastSeenAt: true,
  transfers: true,
}).strip()

export function licenseView(
  license: License,
  status: Status,
  extensions: readonly License[],
  tampered: boolean,
): LicenseView {
  const { expiresAt } = effectiveTerm(license, extensions)
  return {
    ...Shown.parse(license),
    status,
    tampered,
    key: maskedKey(license.keyHint),
    ...(expiresAt !== license.expiresAt && { effectiveExpiresAt: expiresAt ?? null }),
  }
}
