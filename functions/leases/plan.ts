import { createHash, randomBytes, randomInt } from 'node:crypto'
import { addDuration } from '../../shared/domain/calendar.ts'
import type { Rules } from '../../shared/domain/catalog.ts'
import type { Holder } from '../../shared/domain/lease-last.ts'
import type { Ask } from '../../shared/domain/pool.ts'
import { type Offer, offers, ruleOf, type Size, sizeAt } from '../../shared/domain/pool-terms.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { Duration, epochMilliseconds, type Instant, TimeZone } from '../../shared/platform/time.ts'
import { notInForce, type Wanted } from './asking.ts'
import type { LeaseServices } from './services.ts'
import type { Sight } from './sight.ts'

/** The default length of a lease (market.md, 2.12). */
const LEASE_LENGTH = Duration.parse('PT10M')
const UTC = TimeZone.parse('UTC')

/** What of one pool is asked, and how it may be granted. */
export type Part = {
  readonly wanted: Wanted
  readonly ask: Ask
  readonly size: Size
  readonly offers: readonly Offer[]
}

/** Who asks, and under which name; the same for every pool of a request. */
export type Asker = {
  readonly holder: Holder | undefined
  /** A name the client chose. */
  readonly token: string | undefined
  readonly subject: string
  readonly randomRef: string
  /** Tells this lease from earlier ones of the same name. */
  readonly generation: number
}

export function askerOf(holder: Holder | undefined, token: string | undefined, subject: string): Asker {
  return { holder, token, subject, randomRef: randomRef(), generation: randomInt(0x1_0000) }
}

/** What is wanted of each pool, and the ways to grant it now. */
export function planParts(
  sight: Sight,
  wanted: readonly Wanted[],
  asker: Asker,
  now: Instant,
  services: LeaseServices,
): readonly Part[] | Refusal {
  const parts: Part[] = []
  const kinds = wanted.map(({ metric }) => ruleOf(sizeOf(sight, metric, now, services), 'lease')?.sharing)
  // Several pools are shared in the same way, or not at all: they are one lease, with one name.
  const sharing = kinds.every((kind) => kind === kinds[0]) ? (kinds[0] ?? 'process') : 'process'
  const ref = refOf(asker, sharing)
  if (isRefusal(ref)) return ref
  for (const item of wanted) {
    const planned = offersOf(sight, item.metric, now, services)
    if (planned.size.limit === 0) return notInForce
    const kind = sharing === 'process' ? 'lease' : 'shared'
    const { units } = item
    parts.push({ wanted: item, ask: { ref, units, kind, generation: asker.generation }, ...planned })
  }
  return parts
}

/** The ways in which a lease of the usual length may be granted or renewed now, best first. */
export function offersOf(sight: Sight, metric: string, now: Instant, services: LeaseServices) {
  const { isGenuine } = services.verifier
  const rule = ruleOf(sizeOf(sight, metric, now, services), 'lease')
  return offers(sight.holdings, metric, now, milliseconds(now, rule?.duration ?? LEASE_LENGTH), isGenuine)
}

/** How long a freed place is kept for the next ticket (market.md, 2.12: 2 to 5 minutes). */
const HOLD_LENGTH = Duration.parse('PT3M')

/** The ways in which a freed place may be kept for a ticket now, best first. */
export function holdOffersOf(sight: Sight, metric: string, now: Instant, services: LeaseServices) {
  const rule = ruleOf(sizeOf(sight, metric, now, services), 'queue')
  const { isGenuine } = services.verifier
  return offers(sight.holdings, metric, now, milliseconds(now, rule?.hold ?? HOLD_LENGTH), isGenuine)
}

export const sizeOf = (
  { holdings }: Sight,
  metric: string,
  now: Instant,
  { verifier }: LeaseServices,
): Size => sizeAt(holdings, metric, now, verifier.isGenuine)

/** Milliseconds of a duration that begins now. */
export const milliseconds = (now: Instant, duration: Duration) =>
  epochMilliseconds(addDuration(now, duration, UTC)) - epochMilliseconds(now)

type Sharing = NonNullable<Rules['lease']>['sharing']

/** The name of the entries: that of the user or machine which shares one, else the client's own, else a new one. */
function refOf({ holder, token, subject, randomRef }: Asker, sharing: Sharing): string | Refusal {
  if (sharing === 'process') return token === undefined ? randomRef : nameOf('token', subject, token)
  const field = sharing === 'user' ? 'userId' : 'machine'
  const shared = holder?.[field]
  if (shared !== undefined) return nameOf(sharing, shared)
  return refuse('INVALID_REQUEST', `These leases are shared by ${sharing}.`, {
    errors: [{ field: `/body/holder/${field}`, message: 'is required' }],
  })
}

/** 48 bits as 8 characters: short, for it counts towards the size of the pool. */
export const nameOf = (...parts: readonly string[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 6).toString('base64url')

export const randomRef = () => randomBytes(6).toString('base64url')
