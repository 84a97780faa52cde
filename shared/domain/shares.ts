import * as z from 'zod'
import { ProductId } from '../platform/ids.ts'
import type { Entry } from './lease-entry.ts'
import { Department } from './lease-last.ts'
import { UNLIMITED, wholeUnits } from './overdraft.ts'
import { type FieldError, type Refusal, refuse } from './refusal.ts'
import { Code } from './terms.ts'

/** A part of a pool's capacity; a percentage follows the capacity at the moment of use, and is rounded down. */
const Amount = z.union([
  z.strictObject({ units: z.int().min(0).max(1_000_000) }),
  z.strictObject({ percent: z.number().min(0).max(100) }),
])
type Amount = z.infer<typeof Amount>

/** What a department has of a floating pool. Who names none of these has what they leave. */
export const Share = z.strictObject({
  department: Department,
  /** While it holds less, its tickets come before others. Others use what it does not, unless it is guaranteed. */
  share: Amount.optional(),
  /** The share is kept for it, also while it does not use it. */
  guaranteed: z.boolean().default(false),
  /** It never holds more. */
  maximum: Amount.optional(),
})
export type Share = z.infer<typeof Share>

/** Codes of departments have 16 bits in an entry (lease-entry.ts). */
const MOST_CODES = 0xffff

/**
 * The shares of a pool as they are kept. The code of a department stands for it in the entries of the pool; it is given
 * once and never to another, so that leases are not counted to who comes after.
 */
export const PoolShares = z.strictObject({
  productId: ProductId,
  metric: Code,
  shares: z.array(Share.extend({ code: z.int().min(1).max(MOST_CODES) })),
  /** The code that the next department gets. */
  nextCode: z.int().min(1),
  revision: z.int().positive(),
})
export type PoolShares = z.infer<typeof PoolShares>

/** What a department has at the moment, in units. */
type DepartmentTerms = {
  readonly department: string
  readonly share: number
  /** Of the share what nobody else may use. */
  readonly kept: number
  readonly maximum: number
}

/** By code. */
export type ShareTerms = ReadonlyMap<number, DepartmentTerms>

/**
 * What the departments have of a capacity; undefined where nothing is shared out. Where a license ended and the
 * guarantees have become more than there is, each is that much less.
 */
export function shareTerms(
  policy: Pick<PoolShares, 'shares'> | undefined,
  capacity: number,
): ShareTerms | undefined {
  if (policy === undefined || policy.shares.length === 0) return undefined
  const wanted = policy.shares.map(({ share }) => (share === undefined ? 0 : unitsOf(share, capacity, 0)))
  const guaranteed = wanted.reduce(
    (sum, units, index) => sum + (policy.shares[index]?.guaranteed === true ? units : 0),
    0,
  )
  return new Map(
    policy.shares.map((one, index) => {
      const share = wanted[index] ?? 0
      const kept = guaranteed <= capacity ? share : Math.floor((share * capacity) / guaranteed)
      const maximum = one.maximum === undefined ? UNLIMITED : unitsOf(one.maximum, capacity, UNLIMITED)
      return [one.code, { department: one.department, share, kept: one.guaranteed ? kept : 0, maximum }]
    }),
  )
}

/** `unlimited`: what a part of an unlimited capacity is. */
function unitsOf(amount: Amount, capacity: number, unlimited: number): number {
  if ('units' in amount) return amount.units
  return capacity >= UNLIMITED ? unlimited : wholeUnits((capacity * amount.percent) / 100)
}

/** What keeps such shares from being given of a capacity. Later it may fall: then each has less. */
export function checkShares(shares: readonly Share[], capacity: number): Refusal | undefined {
  const errors: FieldError[] = []
  const wrong = (index: number, field: string, message: string) =>
    errors.push({ field: `/body/shares/${index}/${field}`, message })
  let kept = 0
  for (const [index, { department, share, guaranteed, maximum }] of shares.entries()) {
    if (shares.findIndex((one) => one.department === department) !== index)
      wrong(index, 'department', 'is named twice')
    if (share === undefined && maximum === undefined) wrong(index, 'share', 'name a share or a maximum')
    if (share === undefined && guaranteed) wrong(index, 'guaranteed', 'needs a share')
    const own = share && unitsOf(share, capacity, 0)
    const most = maximum && unitsOf(maximum, capacity, UNLIMITED)
    if (own !== undefined && most !== undefined && own > most)
      wrong(index, 'maximum', 'is less than the share')
    kept += guaranteed ? (own ?? 0) : 0
    if (kept > capacity && guaranteed)
      wrong(index, 'share', `${kept} units would be guaranteed of ${capacity}`)
  }
  return errors.length === 0
    ? undefined
    : refuse('INVALID_REQUEST', 'These are no shares of the pool.', { errors })
}

/** The shares with the codes of their departments: those they have, and new ones for who comes anew. */
export function withCodes(
  current: PoolShares,
  shares: readonly Share[],
): Pick<PoolShares, 'shares' | 'nextCode'> {
  let { nextCode } = current
  const coded = shares.map((share) => {
    const known = current.shares.find((one) => one.department === share.department)?.code
    const code = known ?? nextCode
    if (known === undefined) nextCode += 1
    return { ...share, code }
  })
  return { shares: coded, nextCode }
}

/** Refuses a new department where every code was given before. */
export function checkCodes({ nextCode }: Pick<PoolShares, 'nextCode'>): Refusal | undefined {
  if (nextCode <= MOST_CODES + 1) return undefined
  return refuse(
    'INVALID_REQUEST',
    `${MOST_CODES} departments had shares of this pool: it takes no new ones.`,
    {
      errors: [{ field: '/body/shares', message: 'name only departments that have a share now' }],
    },
  )
}

/** The code of a department; undefined for none and for one that has no share: what is free to all is for them. */
export function codeOf(terms: ShareTerms | undefined, department: string | undefined): number | undefined {
  if (terms === undefined || department === undefined) return undefined
  for (const [code, one] of terms) if (one.department === department) return code
  return undefined
}

/** Units that departments hold, by code. */
export function heldBy(entries: Iterable<Entry>): Map<number, number> {
  const held = new Map<number, number>()
  for (const { department, units } of entries)
    if (department !== undefined) held.set(department, (held.get(department) ?? 0) + units)
  return held
}

/** What others may not use of a pool in which departments hold so much. */
export function keptFromOthers(
  terms: ShareTerms | undefined,
  held: ReadonlyMap<number, number>,
  own: number | undefined,
): number {
  let units = 0
  for (const [code, { kept }] of terms ?? [])
    if (code !== own) units += Math.max(0, kept - (held.get(code) ?? 0))
  return units
}

/** May the department hold so many more, whatever is free? */
export function isWithinMaximum(
  terms: ShareTerms | undefined,
  held: ReadonlyMap<number, number>,
  own: number | undefined,
  units: number,
): boolean {
  const most = own === undefined ? undefined : terms?.get(own)?.maximum
  return own === undefined || most === undefined || (held.get(own) ?? 0) + units <= most
}

/** What a department, or who has none, can ever have of a pool. */
export function mostFor(terms: ShareTerms | undefined, limit: number, own: number | undefined): number {
  const maximum = own === undefined ? undefined : terms?.get(own)?.maximum
  return Math.min(maximum ?? UNLIMITED, limit - keptFromOthers(terms, new Map(), own))
}

/** Is what it wants within the part that is kept for it alone? */
export function isWithinKept(
  terms: ShareTerms | undefined,
  held: ReadonlyMap<number, number>,
  own: number | undefined,
  units: number,
): boolean {
  return own !== undefined && (held.get(own) ?? 0) + units <= (terms?.get(own)?.kept ?? 0)
}

/** Bounds of what a department holds, as it was seen: conditions of a change. */
export type Bounds = { readonly atLeast?: number; readonly atMost?: number }

/**
 * On what a change that departments get units by depends: what is kept for others was counted on what they hold of
 * their part, so they must hold no less of it; and who has a maximum must hold no more than leaves room for what it gets.
 *
 * @param before what was held before the change, `after` what is without what it takes away, `gets` what it gives
 */
export function boundsOf(
  terms: ShareTerms,
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  gets: ReadonlyMap<number, number>,
): Map<number, Bounds> {
  const bounds = new Map<number, Bounds>()
  for (const [code, { kept, maximum }] of terms) {
    const [was, left, more] = [before.get(code) ?? 0, after.get(code) ?? 0, gets.get(code) ?? 0]
    const bound = {
      ...(Math.min(kept, left) > 0 && { atLeast: Math.min(kept, left) + was - left }),
      ...(more > 0 && maximum < UNLIMITED && { atMost: maximum - more + (was - left) }),
    }
    if (Object.keys(bound).length > 0) bounds.set(code, bound)
  }
  return bounds
}
