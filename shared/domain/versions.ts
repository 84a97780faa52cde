import major from 'semver/functions/major.js'
import minor from 'semver/functions/minor.js'
import rcompare from 'semver/functions/rcompare.js'
import satisfies from 'semver/functions/satisfies.js'
import type { Instant } from '../platform/time.ts'
import type { License } from './license.ts'
import type { Release } from './release.ts'
import type { Rules } from './terms.ts'

/** Why a release is not covered. */
export type NotCovered = 'VERSION_RULE' | 'MAINTENANCE_ENDED'

type Versioned = Pick<License, 'rules' | 'maintenanceEndsAt' | 'expiresAt'>

/** Does the license say anything about versions? */
export function limitsVersions({ rules }: Pick<License, 'rules'>): boolean {
  return rules.versions !== undefined || rules.maintenance !== undefined
}

/**
 * Is a release covered? By its number: a semver range, or everything up to the end of what a policy allows of its base
 * (patch: its minor line, minor: its major line, major: all). And by its date: released before maintenance ended.
 * Releases that were covered once stay covered (market.md, section 2.3).
 */
export function notCovered(license: Versioned, release: Release): NotCovered | undefined {
  const { rules, maintenanceEndsAt } = license
  if (rules.versions !== undefined && !within(rules.versions, release.version)) return 'VERSION_RULE'
  if (maintenanceEndsAt !== undefined && release.releasedAt >= maintenanceEndsAt) return 'MAINTENANCE_ENDED'
  return undefined
}

/**
 * May the release go on after the license has expired? With fallback, what came out while it was paid for may be used
 * for good: the simple rule of the two in market.md, section 2.3.
 */
export function isFallback(license: Versioned, release: Release): boolean {
  const { rules, maintenanceEndsAt, expiresAt } = license
  const paidUntil: Instant | undefined = maintenanceEndsAt ?? expiresAt
  return (
    rules.maintenance?.fallback === true &&
    paidUntil !== undefined &&
    release.releasedAt < paidUntil &&
    notCovered(license, release) === undefined
  )
}

function within(rule: NonNullable<Rules['versions']>, version: string): boolean {
  // A range is about the line a version belongs to: 2.1.0-beta.1 is one of 2.x.
  if (rule.kind === 'range') return satisfies(version, rule.range, { includePrerelease: true })
  if (major(version) < major(rule.base)) return true
  switch (rule.allow) {
    case 'major':
      return true
    case 'minor':
      return major(version) === major(rule.base)
    case 'patch':
      return major(version) === major(rule.base) && minor(version) <= minor(rule.base)
  }
}

/** What a customer can move to. */
type Upgrades = {
  /** `none`: nothing newer. `allowed`: something newer that is covered. `not-covered`: only what is not. */
  answer: 'none' | 'allowed' | 'not-covered'
  /** The newest release that is covered. */
  best?: Release
  /** Newer releases that are not covered, newest first, and why. */
  beyond: { release: Release; because: NotCovered }[]
}

/** The releases beyond the present version, newest first by semver precedence; withdrawn ones are no offer. */
export function upgrades(
  license: Versioned,
  releases: readonly Release[],
  current: string | undefined,
): Upgrades {
  const newer = releases
    .filter(
      ({ withdrawnAt, version }) =>
        withdrawnAt === undefined && (current === undefined || rcompare(version, current) < 0),
    )
    .toSorted((a, b) => rcompare(a.version, b.version))
  const best = newer.find((release) => notCovered(license, release) === undefined)
  const beyond = newer.flatMap((release) => {
    const because = notCovered(license, release)
    return because === undefined ? [] : [{ release, because }]
  })
  if (best !== undefined) return { answer: 'allowed', best, beyond }
  return { answer: beyond.length > 0 ? 'not-covered' : 'none', beyond }
}
