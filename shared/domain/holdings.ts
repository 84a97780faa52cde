import type { LicenseId, ProductId, TenantId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import type { License } from './license.ts'
import { isInForce, type Status, statusAt } from './status.ts'
import type { Usage } from './usage.ts'

/** All that a tenant holds of one product: its licenses and what was reported as used. One item collection. */
export type Holdings = {
  tenantId: TenantId
  productId: ProductId
  licenses: readonly License[]
  usage: readonly Usage[]
  /** Metrics of which seats are managed here: of which one was ever given or waited for. */
  managedSeats?: readonly string[]
}

/** A license seen at an instant, beside the others it depends on. */
export type Standing = {
  /** The instant it is seen at. */
  at: Instant
  license: License
  status: Status
  /** The VALIDITY licenses that count for it. */
  extensions: readonly License[]
  /** The license it extends, if it names one. */
  base: License | undefined
  /** Does it extend a license that is unknown or does not count? */
  lacksBase: boolean
  /** Does it give capacity and features now? */
  counts: boolean
  /** Why not, if it does not. */
  because?: 'STATUS' | 'NOT_APPLIED' | 'BASE_NOT_IN_FORCE' | 'TAMPERED'
}

/**
 * Where each license stands at `now`. A license counts if it is in force, applied, what was signed, and, where it
 * extends another, that one counts too. `isGenuine` says whether a row is what was signed; a tampered extension
 * extends nothing.
 */
export function standings(
  holdings: Holdings,
  now: Instant,
  isGenuine: (license: License) => boolean,
): Map<LicenseId, Standing> {
  const byId = new Map(holdings.licenses.map((license) => [license.id, license]))
  const extensionsOf = (license: License) =>
    holdings.licenses.filter(
      (other) =>
        other.type === 'VALIDITY' && other.extends === license.id && isApplied(other) && isGenuine(other),
    )
  const settled = new Map<LicenseId, Standing>()

  function settle(license: License): Standing {
    const known = settled.get(license.id)
    if (known) return known
    const extensions = extensionsOf(license)
    const status = statusAt(license, now, extensions)
    const base = license.extends === undefined ? undefined : byId.get(license.extends)
    // A base never extends another license (decided at issue), so this recursion is one step deep.
    const lacksBase =
      license.extends !== undefined && !(base && base.extends === undefined && settle(base).counts)
    const because = reason(license, status, lacksBase)
    const standing: Standing = {
      at: now,
      license,
      status,
      extensions,
      base,
      lacksBase,
      counts: because === undefined,
      ...(because && { because }),
    }
    settled.set(license.id, standing)
    return standing
  }

  function reason(license: License, status: Status, lacksBase: boolean): Standing['because'] {
    if (!isGenuine(license)) return 'TAMPERED'
    if (!isInForce(status)) return 'STATUS'
    if (!isApplied(license)) return 'NOT_APPLIED'
    return lacksBase ? 'BASE_NOT_IN_FORCE' : undefined
  }

  for (const license of holdings.licenses) settle(license)
  return settled
}

/** Of those that count the ones that decide until when: what extends another counts no longer than that one. */
export const independent = (counting: readonly Standing[]): Standing[] =>
  counting.filter(({ license }) => license.extends === undefined)

export function isApplied(license: License): boolean {
  return license.appliedAt !== undefined
}
