import * as z from 'zod'
import { Instant } from '../platform/time.ts'
import type { Entry } from './lease-entry.ts'
import { type Refusal, refuse } from './refusal.ts'

/** A public key on P-256 (RFC 7517). Whoever has its private half can prove what it says. */
export const PublicKey = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.base64url().length(43),
  y: z.base64url().length(43),
})
export type PublicKey = z.infer<typeof PublicKey>

/**
 * A license that was borrowed, until its end: what it was given for, and whether it is back. Kept beside the pool's
 * entry, so that a copy which comes online after an early return is told that it has to stop.
 */
export const Borrowing = z.strictObject({
  /** Of its token. */
  jti: z.string(),
  fingerprint: z.string(),
  /** Of the machine, if it is to prove its return. */
  publicKey: PublicKey.optional(),
  until: Instant,
  /** When it came back before its end, and how: `proven` by the machine's signature, or said alone, or taken by the tenant. */
  back: z.strictObject({ at: Instant, how: z.enum(['proven', 'unproven', 'released']) }).optional(),
})
export type Borrowing = z.infer<typeof Borrowing>

/** The id of a borrowed license's token: its entry's name, and what tells it from later ones of that name. */
export const jtiOf = (ref: string, { generation }: Pick<Entry, 'generation'>) => `${ref}.${generation}`

/** Asked again under the same name: it has to be for the same machine. */
export function checkSameMachine(
  { fingerprint, publicKey }: Borrowing,
  asked: Pick<Borrowing, 'fingerprint' | 'publicKey'>,
): Refusal | undefined {
  const isSame =
    fingerprint === asked.fingerprint &&
    publicKey?.x === asked.publicKey?.x &&
    publicKey?.y === asked.publicKey?.y
  return isSame
    ? undefined
    : refuse('BORROW_NOT_ALLOWED', 'It was borrowed under this leaseToken for another machine.')
}

/** What a borrowed license is told that comes online. It is not renewed: it is good until its end, or not any more. */
export function contactOf(borrowing: Borrowing | undefined, isHeld: boolean): Refusal {
  if (borrowing?.back !== undefined) {
    const by = borrowing.back.how === 'released' ? 'taken back by the tenant' : 'returned'
    return refuse(
      'BORROW_RETURNED',
      `It was ${by} at ${borrowing.back.at}; a copy that still works has to stop.`,
    )
  }
  return isHeld
    ? refuse('TRANSITION_NOT_ALLOWED', 'A borrowed license is not renewed; return it and borrow again.')
    : refuse('LEASE_LAPSED', 'The time for which it was borrowed is over.')
}
