import { createHash } from 'node:crypto'
import { Duration, epochMilliseconds, type Instant, TimeZone } from '../platform/time.ts'
import { addDuration } from './calendar.ts'
import type { Holdings } from './holdings.ts'
import type { License } from './license.ts'
import { type Offer, offers, ruleOf, type Size, sizeAt } from './pool-terms.ts'
import { type PoolShares, type ShareTerms, shareTerms } from './shares.ts'
import type { Rules } from './terms.ts'

/** The default length of a lease (market.md, 2.12). */
const LEASE_LENGTH = Duration.parse('PT10M')
/** How long a freed place is kept for the next ticket, unless its plan says otherwise (market.md, 2.12: 2 to 5 minutes). */
const HOLD_LENGTH = Duration.parse('PT3M')
const UTC = TimeZone.parse('UTC')

/** How many units there are, and the ways in which they may be given now, best first. */
export type LeaseTerms = {
  readonly size: Size
  readonly offers: readonly Offer[]
  /** What departments have of them, where they are shared out. */
  readonly shares?: ShareTerms | undefined
}

type IsGenuine = (license: License) => boolean
type Policy = Pick<PoolShares, 'shares'>

/** The ways in which a lease of the usual length may be granted or renewed now. */
export function leaseTerms(
  holdings: Holdings,
  metric: string,
  now: Instant,
  isGenuine: IsGenuine,
  policy?: Policy,
): LeaseTerms {
  const rule = ruleOf(sizeAt(holdings, metric, now, isGenuine), 'lease')
  const length = milliseconds(now, rule?.duration ?? LEASE_LENGTH)
  return sharedOut(offers(holdings, metric, now, length, isGenuine), policy)
}

/** The ways in which a freed place may be kept for a ticket now. */
export function holdTerms(
  holdings: Holdings,
  metric: string,
  now: Instant,
  isGenuine: IsGenuine,
  policy?: Policy,
): LeaseTerms {
  const rule = ruleOf(sizeAt(holdings, metric, now, isGenuine), 'queue')
  const length = milliseconds(now, rule?.hold ?? HOLD_LENGTH)
  return sharedOut(offers(holdings, metric, now, length, isGenuine), policy)
}

/** The same, with what departments have of the capacity. */
export function sharedOut({ size, offers: ways }: LeaseTerms, policy: Policy | undefined): LeaseTerms {
  const shares = shareTerms(policy, size.capacity)
  return { size, offers: ways, ...(shares && { shares }) }
}

/** Milliseconds of a duration that begins now. */
export const milliseconds = (now: Instant, duration: Duration) =>
  epochMilliseconds(addDuration(now, duration, UTC)) - epochMilliseconds(now)

export type Sharing = NonNullable<Rules['lease']>['sharing']

/** How the leases of some pools are shared: all in the same way, or not at all, for they are one lease with one name. */
export function sharingOf(sizes: readonly Size[]): Sharing {
  const kinds = sizes.map((size) => ruleOf(size, 'lease')?.sharing)
  return kinds.every((kind) => kind === kinds[0]) ? (kinds[0] ?? 'process') : 'process'
}

/**
 * The name of an entry by what it stands for. 42 bits as 7 characters: short, for it counts towards the pool's size. Never
 * small letters alone, as the names of its counts are beside which it lies: somebody may look for a text that gives one.
 */
export function nameOf(...parts: readonly string[]): string {
  const name = createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 7)
  return /^[a-z]+$/.test(name) ? nameOf(name, ...parts) : name
}
