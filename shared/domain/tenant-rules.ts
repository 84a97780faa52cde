import type { Instant } from '../platform/time.ts'
import { type Holdings, standings } from './holdings.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Status } from './status.ts'

/** A license in one of these may be used, now or once it starts or is reinstated. */
const OPEN: ReadonlySet<Status> = new Set(['ACTIVE', 'GRACE', 'PENDING', 'SUSPENDED'])

/**
 * A tenant is archived only when all its licenses are over. Rows are taken at their word, signed or not: a tampered one
 * keeps the tenant from being archived, not the other way round.
 */
export function checkUnused(holdings: readonly Holdings[], now: Instant): Refusal | undefined {
  for (const one of holdings) {
    for (const { license, status } of standings(one, now, () => true).values()) {
      if (OPEN.has(status)) return refuse('IN_USE', `License ${license.id} is ${status}.`)
    }
  }
  return undefined
}
