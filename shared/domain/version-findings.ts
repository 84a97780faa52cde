import { type Finding, finding } from './finding.ts'
import type { Standing } from './holdings.ts'
import type { Release } from './release.ts'
import { isFallback, limitsVersions, notCovered } from './versions.ts'

/** The version that asks, and the release behind it if the vendor has published one. */
export type AskedVersion = { version: string; release: Release | undefined }

/** Does the license cover this version? Says nothing where it does not limit versions. */
export function versionFindings({ license }: Standing, asked: AskedVersion | undefined): Finding[] {
  if (!limitsVersions(license)) return []
  if (asked === undefined) {
    return [
      finding(
        'VERSION_REQUIRED',
        'version',
        'The license is limited to versions and none was named.',
        'Send the version of the application.',
      ),
    ]
  }
  const { version, release } = asked
  if (release === undefined) {
    return [
      finding(
        'VERSION_UNKNOWN',
        'version',
        `There is no release ${version}.`,
        'Use a published release, or ask the vendor to publish this one.',
      ),
    ]
  }
  const found: Finding[] = []
  if (release.withdrawnAt !== undefined) {
    found.push(
      finding(
        'VERSION_WITHDRAWN',
        'version',
        `The vendor withdrew ${version} on ${release.withdrawnAt}.`,
        'Move to another release.',
      ),
    )
  }
  switch (notCovered(license, release)) {
    case 'VERSION_RULE':
      found.push(
        finding(
          'VERSION_NOT_COVERED',
          'version',
          `The license does not cover ${version}.`,
          'Use a version it covers, or buy an upgrade.',
        ),
      )
      break
    case 'MAINTENANCE_ENDED':
      found.push(
        finding(
          'VERSION_NOT_COVERED',
          'version',
          `${version} came out on ${release.releasedAt}, maintenance ended on ${license.maintenanceEndsAt}.`,
          'Use an earlier version, or renew maintenance.',
        ),
      )
      break
    case undefined:
      break
  }
  return found
}

/**
 * A version that may be used for good turns the expiry of its license into a warning: the customer keeps what came out
 * while they paid.
 */
export function withFallback(
  found: readonly Finding[],
  { license }: Standing,
  asked: AskedVersion | undefined,
): Finding[] {
  const release = asked?.release
  if (release === undefined || !isFallback(license, release)) return [...found]
  return found.map((one) =>
    one.code === 'EXPIRED'
      ? finding(
          'FALLBACK_VERSION',
          'version',
          `${one.detail} ${release.version} came out before and may be used for good.`,
          'Renew the license for newer versions.',
        )
      : one,
  )
}
