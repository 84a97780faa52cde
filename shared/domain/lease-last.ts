import * as z from 'zod'
import { epochMilliseconds, type Instant } from '../platform/time.ts'
import { type Caller, nameForTenant } from './access.ts'
import type { Event } from './event.ts'

/** Who is to hold a lease, as far as the application says. */
export const Holder = z.strictObject({
  userId: z.string().min(1).max(100).optional(),
  machine: z.string().min(1).max(100).optional(),
  process: z.string().min(1).max(100).optional(),
})
export type Holder = z.infer<typeof Holder>

export const Department = z.string().trim().min(1).max(100)

/**
 * What the last write to a pool did and for whom, in short names, because it counts towards the 1 KB of a write unit.
 * The stream record of the pool, with the entries before and after, is the event (lease-events.ts). A heartbeat leaves
 * it as it is: it only renews.
 */
export const Last = z.object({
  /** Checked out, checked in, borrowed, borrowed and returned early, released by an administrator, claimed a hold, joined or left a queue, gave what was free to those who wait, let go because the pool shrank. */
  op: z.enum(['out', 'in', 'borrow', 'return', 'release', 'claim', 'join', 'leave', 'serve', 'shed']),
  /** The entry that it is about; others that come or go with the same write were reclaimed, or became holds. */
  ref: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
  /** Role and subject of the caller, as events name them; the kind of one without a role. */
  by: z.string(),
  /** The request. */
  rq: z.string(),
  u: z.string().optional(),
  m: z.string().optional(),
  p: z.string().optional(),
  d: z.string().optional(),
  /** Of a return: that the machine proved it. */
  pr: z.literal(true).optional(),
})
export type Last = z.infer<typeof Last>

/** The holder that a write names. */
export function holderOf({ u, m, p }: Last): Holder {
  return {
    ...(u !== undefined && { userId: u }),
    ...(m !== undefined && { machine: m }),
    ...(p !== undefined && { process: p }),
  }
}

const actorText = (caller: Caller) =>
  `${'role' in caller ? caller.role : caller.kind} ${nameForTenant(caller)}`

/** Who asked for a write. A role begins with the kind of its callers. */
export function actorOf({ by }: Last): Event['actor'] {
  const [name = '', ...words] = by.split(' ')
  const kind = (['vendor', 'tenant', 'license', 'system'] as const).find((one) => one === name.split(':')[0])
  return { kind: kind ?? 'system', subject: words.join(' '), ...(name.includes(':') && { role: name }) }
}

/** What a write says of itself. */
export function lastOf(
  op: Last['op'],
  ref: string,
  { caller, now, requestId }: { caller: Caller; now: Instant; requestId: string },
  { holder = {}, department }: { holder?: Holder | undefined; department?: string | undefined } = {},
): Last {
  const { userId, machine, process } = holder
  return {
    op,
    ref,
    at: epochMilliseconds(now),
    by: actorText(caller),
    rq: requestId,
    ...(userId !== undefined && { u: userId }),
    ...(machine !== undefined && { m: machine }),
    ...(process !== undefined && { p: process }),
    ...(department !== undefined && { d: department }),
  }
}
