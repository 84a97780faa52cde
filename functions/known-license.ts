import { type Holdings, type Standing, standings } from '../shared/domain/holdings.ts'
import { type License, signedFacts } from '../shared/domain/license.ts'
import { type LicenseFile, licenseFile } from '../shared/domain/license-file.ts'
import { type LicenseView, licenseView } from '../shared/domain/license-view.ts'
import { notFound, type Refusal, refuse } from '../shared/domain/refusal.ts'
import { statusAt } from '../shared/domain/status.ts'
import type { LicenseId } from '../shared/platform/ids.ts'
import type { Instant } from '../shared/platform/time.ts'
import { findLicense } from '../shared/store/address.ts'
import { readHoldings, readLicense } from '../shared/store/holdings.ts'
import type { VerifyingServices } from './verified.ts'

/** A license by its id, or that there is none. */
export async function loadLicense({ table }: VerifyingServices, id: LicenseId): Promise<License | Refusal> {
  const address = await findLicense(table, id)
  const license = address && (await readLicense(table, address))
  return license ?? notFound
}

/** The view of a license, with what extends it taken into account. */
export async function viewOf(
  license: License,
  services: VerifyingServices,
  now: Instant,
): Promise<LicenseView> {
  return viewAmong(license, await extendersOf(license, services), services, now)
}

/** The views of several; what the extended ones lie among is read once for each tenant and product. */
export function viewsOf(
  licenses: readonly License[],
  services: VerifyingServices,
  now: Instant,
): Promise<LicenseView[]> {
  const read = new Map<string, Promise<Holdings | undefined>>()
  return Promise.all(
    licenses.map(async (license) => {
      if (license.extendedBy === undefined) return viewAmong(license, undefined, services, now)
      const name = `${license.tenantId} ${license.productId}`
      const holdings = read.get(name) ?? extendersOf(license, services)
      read.set(name, holdings)
      return viewAmong(license, await holdings, services, now)
    }),
  )
}

/** The VALIDITY licenses that count for this one. */
export async function extensionsOf(
  license: License,
  services: VerifyingServices,
  now: Instant,
): Promise<readonly License[]> {
  const holdings = await extendersOf(license, services)
  const all = holdings && standings(holdings, now, services.verifier.isGenuine)
  return all?.get(license.id)?.extensions ?? []
}

/** Where the licenses lie that extend this one; nothing is read where none does. */
async function extendersOf(
  { extendedBy, tenantId, productId }: License,
  { table }: VerifyingServices,
): Promise<Holdings | undefined> {
  return extendedBy && readHoldings(table, tenantId, productId)
}

function viewAmong(
  license: License,
  holdings: Holdings | undefined,
  { verifier }: VerifyingServices,
  now: Instant,
): LicenseView {
  if (holdings === undefined)
    return licenseView(license, statusAt(license, now), [], !verifier.isGenuine(license))
  // The license as it will be read once this request is committed.
  const licenses = holdings.licenses.map((other) => (other.id === license.id ? license : other))
  const standing = standings({ ...holdings, licenses }, now, verifier.isGenuine).get(license.id)
  return licenseView(
    license,
    standing?.status ?? statusAt(license, now),
    standing?.extensions ?? [],
    !verifier.isGenuine(license),
  )
}

/** The view of a license as it stands. */
export const standingView = ({ license, status, extensions, because }: Standing): LicenseView =>
  licenseView(license, status, extensions, because === 'TAMPERED')

/** The file of a license, unless its row is no longer what was signed. */
export function fileOf(license: License, { verifier, issuer }: VerifyingServices): LicenseFile | Refusal {
  if (!verifier.isGenuine(license)) return tampered(license)
  return licenseFile(signedFacts(license), issuer, verifier.fileOf(license))
}

export function tampered(license: License): Refusal {
  return refuse('LICENSE_TAMPERED', `The row of ${license.id} does not match its signature.`)
}
