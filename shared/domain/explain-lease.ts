import { type Borrowing, contactOf } from './borrowing.ts'
import { curesOf, heldStep, standingStep } from './explain-license.ts'
import { checkOutOf, holderText, outcomeOf, type PoolSituation, poolCures } from './explain-pool.ts'
import {
  type Cure,
  cheapestFirst,
  type Explanation,
  free,
  type Sight,
  type Step,
  step,
} from './explanation.ts'
import type { Standing } from './holdings.ts'
import type { Entry, Seconds } from './lease-entry.ts'
import { type LeaseAsIssued, type Renewal, renewal } from './lease-renewal.ts'
import { isLapsed } from './pool.ts'
import { findLease } from './pool-lease.ts'
import { instantOf, isFloating } from './pool-terms.ts'
import type { Refusal } from './refusal.ts'

type LeaseFacts = {
  readonly lease: LeaseAsIssued
  /** Of its product. */
  readonly standings: readonly Standing[]
  /** The pools of the lease, in the order of its entries. */
  readonly pools: readonly PoolSituation[]
  /** Why the license whose key asks gives nothing. */
  readonly refused: Refusal | undefined
  /** What is kept of a borrowed one. */
  readonly borrowing?: Borrowing | undefined
  /** What the record says became of a lease that is gone, as far as the caller may know. */
  readonly became: string | undefined
}

/** Does this lease still hold its place, and if not, what became of it? */
export function explainLease(facts: LeaseFacts, sight: Sight, now: Seconds): Explanation {
  const { lease, standings, pools, refused, borrowing, became } = facts
  const floating = standings.filter(
    (one) => isFloating(one) && pools.some(({ metric }) => Object.hasOwn(one.license.limits, metric)),
  )
  const found = verdict(facts, now)
  const borrowed = lease.entries.find(([, { kind }]) => kind === 'borrow')?.[1]
  const isBorrowed = borrowed !== undefined
  // Asked in the order of functions/leases/heartbeat.ts: whether it is back comes first.
  const contact = borrowed && contactOf(borrowing, !isLapsed(borrowed, now))
  const places = lease.entries.map((_, index) => placeStep(lease, index, pools[index], found, now))
  const isHeld = places.every(({ passed }) => passed)
  const granted = isBorrowed ? isHeld : CODES[found.is] === 'OK'
  const holder = pools.flatMap(({ holders }) => holders).find(({ ref }) => ref === lease.ref)
  const chain: Step[] = [
    heldStep(standings),
    ...floating.map(standingStep),
    ...(refused ? [step('own license counts', false, refused.detail)] : []),
    ...places,
    ...(isBorrowed ? [borrowStep(lease.entries, isHeld)] : []),
    ...(contact && !isHeld ? [step('copy of it', false, contact.detail)] : []),
    ...(needsProof(borrowing) ? [step('return', true, PROOF)] : []),
    ...(found.is === 'too-many' ? [step('pool holds no more than it has', false, tooMany(pools))] : []),
    ...(holder && sight.others ? [step('holder', true, holderText(holder))] : []),
    ...(!isHeld && became !== undefined ? [step('what became of it', false, became)] : []),
  ]
  return {
    granted,
    summary: summaryOf(isBorrowed && isHeld ? 'borrowed' : found.is),
    chain,
    predictions: [
      {
        operation: 'POST /v1/leases/heartbeat',
        outcome: contact?.refused ?? CODES[found.is],
      },
      {
        operation: 'POST /v1/leases/check-in',
        outcome: needsProof(borrowing)
          ? 'RETURN_NOT_PROVEN'
          : isSuperseded(facts, now)
            ? 'LEASE_SUPERSEDED'
            : 'OK',
      },
    ],
    cures: granted ? [] : leaseCures(found.is, facts, floating, sight, now),
  }
}

type Found = Renewal | { readonly is: 'refused' | 'none' }

const CODES: Readonly<Record<Found['is'], string>> = {
  refused: 'LICENSE_NOT_IN_FORCE',
  none: 'LICENSE_NOT_IN_FORCE',
  lapsed: 'LEASE_LAPSED',
  'too-many': 'LEASE_LAPSED',
  superseded: 'LEASE_SUPERSEDED',
  again: 'OK',
  renewed: 'OK',
}

/** What a heartbeat comes to, in the order in which functions/leases/heartbeat.ts looks. */
function verdict({ lease, pools, refused }: LeaseFacts, now: Seconds): Found {
  if (refused) return { is: 'refused' }
  if (pools.some(({ terms }) => terms.size.limit === 0)) return { is: 'none' }
  const stored = new Map(pools.flatMap(({ metric, line }) => (line ? [[metric, line.pool] as const] : [])))
  return renewal(
    lease,
    stored,
    pools.map(({ terms }) => terms.offers),
    now,
  )
}

function isSuperseded({ lease: { ref, sharer, entries }, pools }: LeaseFacts, now: Seconds): boolean {
  return entries.some(([, held], index) => {
    const pool = pools[index]?.line?.pool
    return pool !== undefined && findLease(pool, ref, held, sharer, now).is === 'superseded'
  })
}

function summaryOf(found: Found['is'] | 'borrowed'): string {
  switch (found) {
    case 'borrowed':
      return 'It is borrowed for use offline and counts until its end or its return.'
    case 'renewed':
      return 'It holds its place.'
    case 'again':
      return 'A heartbeat has just replaced this id; for a moment its answer is given again.'
    case 'superseded':
      return 'A heartbeat has replaced this id: whoever has the newer one holds the place.'
    case 'lapsed':
      return 'It holds no place any more: its time was over, or it was given back or taken away.'
    case 'too-many':
      return 'Its licenses became too few for all that is held: the next heartbeat lets it go.'
    case 'refused':
    case 'none':
      return 'No license that gives it is in force.'
  }
}

function placeStep(
  { ref, sharer, entries }: LeaseAsIssued,
  index: number,
  situation: PoolSituation | undefined,
  verdict: Found,
  now: Seconds,
): Step {
  const [metric, held] = entries[index] ?? []
  const named = (passed: boolean, evidence: string) => step(`place in ${metric}`, passed, evidence)
  const pool = situation?.line?.pool
  if (held === undefined || pool === undefined) return named(false, 'there is no such pool')
  const found = findLease(pool, ref, held, sharer, now)
  switch (found.is) {
    case 'current': {
      const { units, until, beat, overdraft } = found.entry
      const next = verdict.is === 'renewed' ? verdict.entries[index]?.[1].until : undefined
      const renewed = held.kind === 'borrow' || next === undefined ? '' : `, renewed now ${instantOf(next)}`
      return named(
        true,
        `${units} until ${instantOf(until)}${renewed}; last heard of ${instantOf(beat)}${overdraft ? '; beyond the capacity' : ''}`,
      )
    }
    case 'previous': {
      const { beat, until } = found.entry
      return named(true, `replaced by a heartbeat at ${instantOf(beat)}, until ${instantOf(until)}`)
    }
    case 'superseded':
      return named(false, 'a heartbeat with this id, or with a copy of it, has replaced it since')
    case 'lapsed':
      return named(
        false,
        `ended on ${instantOf(pool.entries.get(ref)?.until ?? held.until)}; nobody took the place yet`,
      )
    case 'gone':
      return named(false, `gone; as this id has it, it was until ${instantOf(held.until)}`)
  }
}

const borrowStep = (entries: LeaseAsIssued['entries'], isHeld: boolean) =>
  step(
    'borrowed',
    isHeld,
    `for use offline until ${instantOf(Math.min(...entries.map(([, { until }]) => until)))}; it takes no heartbeats`,
  )

/** Its check-in says so, whatever has become of it, while nobody has proven that it is back. */
const needsProof = (borrowing: Borrowing | undefined) =>
  borrowing?.publicKey !== undefined && borrowing.back === undefined

const PROOF = 'its machine gave a key: it comes back early when that machine has signed for it'

const tooMany = (pools: readonly PoolSituation[]) =>
  pools
    .map(({ metric, line, terms }) => `${line?.pool.used ?? 0} of ${terms.size.limit} ${metric} taken`)
    .join('; ')

function leaseCures(
  found: Found['is'],
  { lease, pools, standings }: LeaseFacts,
  floating: readonly Standing[],
  sight: Sight,
  now: Seconds,
): Cure[] {
  switch (found) {
    case 'renewed':
    case 'again':
      return []
    case 'superseded':
      return [
        free('caller', 'Go on with the lease id that the last heartbeat answered.'),
        free(
          'caller',
          'If this process has a copy of it, let it check out one of its own (POST /v1/leases).',
        ),
      ]
    case 'refused':
    case 'none': {
      const metrics = pools.map(({ metric }) => metric).join(', ')
      return curesOf(floating.length > 0 ? floating : standings, `Buy a floating license for ${metrics}.`)
    }
    case 'lapsed':
    case 'too-many':
      return cheapestFirst(
        lease.entries.flatMap(([, entry], index) => againCures(pools[index], entry, sight, now)),
      )
  }
}

/** What gets a new place where the old one is gone. */
function againCures(
  situation: PoolSituation | undefined,
  { units, department }: Entry,
  sight: Sight,
  now: Seconds,
): Cure[] {
  if (situation === undefined) return []
  const found = checkOutOf(situation, units, undefined, now, { department })
  if (outcomeOf(found) === 'OK') return [free('caller', 'Check out again (POST /v1/leases).')]
  return found.is === 'full' ? poolCures(situation, units, found.line, sight, now) : []
}
