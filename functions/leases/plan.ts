import { randomBytes, randomInt } from 'node:crypto'
import type { Holder } from '../../shared/domain/lease-last.ts'
import {
  holdTerms,
  type LeaseTerms,
  leaseTerms,
  nameOf,
  type Sharing,
  sharingOf,
} from '../../shared/domain/lease-terms.ts'
import type { Pool } from '../../shared/domain/pool.ts'
import type { Ask } from '../../shared/domain/pool-grant.ts'
import { type Size, sizeAt } from '../../shared/domain/pool-terms.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { codeOf } from '../../shared/domain/shares.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { notInForce, type Wanted } from './asking.ts'
import type { CheckOut } from './check-out.ts'
import type { Grounds } from './grounds.ts'
import type { LeaseServices } from './services.ts'

/** What of one pool is asked, and how it may be granted. */
export type Part = LeaseTerms & { readonly wanted: Wanted; readonly ask: Ask }

/** Who asks, and under which name; the same for every pool of a request. */
type Asker = {
  readonly holder: Holder | undefined
  readonly department: string | undefined
  /** A name the client chose. */
  readonly token: string | undefined
  readonly subject: string
  readonly newRef: string
  /** Tells this lease from earlier ones of the same name. */
  readonly generation: number
}

export function askerOf(
  { holder, department, leaseToken: token }: Pick<CheckOut, 'holder' | 'department' | 'leaseToken'>,
  subject: string,
  pools?: ReadonlyMap<string, Pool>,
): Asker {
  return { holder, department, token, subject, newRef: newRef(pools), generation: randomInt(0x1_0000) }
}

/** What is wanted of each pool, and the ways to grant it now. */
export function planParts(
  grounds: Grounds,
  wanted: readonly Wanted[],
  asker: Asker,
  now: Instant,
  services: LeaseServices,
): readonly Part[] | Refusal {
  const parts: Part[] = []
  const sharing = sharingOf(wanted.map(({ metric }) => sizeOf(grounds, metric, now, services)))
  const ref = refOf(asker, sharing)
  if (isRefusal(ref)) return ref
  for (const item of wanted) {
    const planned = offersOf(grounds, item.metric, now, services)
    if (planned.size.limit === 0) return notInForce
    const kind = sharing === 'process' ? 'lease' : 'shared'
    const { units } = item
    const department = codeOf(planned.shares, asker.department)
    const ask = { ref, units, kind, generation: asker.generation, department } as const
    parts.push({ wanted: item, ask, ...planned })
  }
  return parts
}

/** The ways in which a lease of the usual length may be granted or renewed now, best first. */
export const offersOf = (
  { holdings, shares }: Grounds,
  metric: string,
  now: Instant,
  { verifier }: LeaseServices,
) => leaseTerms(holdings, metric, now, verifier.isGenuine, shares.get(metric))

/** The ways in which a freed place may be kept for a ticket now, best first. */
export const holdOffersOf = (
  { holdings, shares }: Grounds,
  metric: string,
  now: Instant,
  { verifier }: LeaseServices,
) => holdTerms(holdings, metric, now, verifier.isGenuine, shares.get(metric))

export const sizeOf = (
  { holdings }: Grounds,
  metric: string,
  now: Instant,
  { verifier }: LeaseServices,
): Size => sizeAt(holdings, metric, now, verifier.isGenuine)

/** The name of the entries: that of the user or machine which shares one, else the client's own, else a new one. */
function refOf({ holder, token, subject, newRef }: Asker, sharing: Sharing): string | Refusal {
  if (sharing === 'process') return token === undefined ? newRef : nameOf('token', subject, token)
  const field = sharing === 'user' ? 'userId' : 'machine'
  const shared = holder?.[field]
  if (shared !== undefined) return nameOf(sharing, shared)
  return refuse('INVALID_REQUEST', `These leases are shared by ${sharing}.`, {
    errors: [{ field: `/body/holder/${field}`, message: 'is required' }],
  })
}

/** A new name, as long as those of `nameOf`; none that an entry of these pools has. */
export function newRef(pools: ReadonlyMap<string, Pool> = new Map()): string {
  const ref = randomBytes(6).toString('base64url').slice(0, 7)
  return [...pools.values()].some(({ entries }) => entries.has(ref)) ? newRef(pools) : ref
}
