import { setTimeout as delay } from 'node:timers/promises'
import { originOf } from '../../shared/domain/checkpoint.ts'
import { difference, type Found } from '../../shared/domain/integrity.ts'
import type { LogFinding } from '../../shared/domain/log-finding.ts'
import { readClock } from '../../shared/platform/time.ts'
import { checkLog } from '../check-log.ts'
import type { Services } from '../services.ts'
import type { TrustServices } from './handlers.ts'

/** Rows of a broken log that become events; one is enough to look at it. */
const MOST = 20

/**
 * Holds the audit log of a tenant against its checkpoints. A log is read as a whole: one that takes longer than there is
 * time is not checked here, and whoever asked says so; `latchkey-verify` checks it from outside.
 *
 * @param publicKey Ed25519, 32 bytes, of the key that signs checkpoints
 */
export function logChecker(
  { table, issuer, log }: Pick<Services, 'table' | 'issuer' | 'log'>,
  publicKey: Uint8Array,
): TrustServices['checkLog'] {
  return async (tenantId, milliseconds) => {
    if (milliseconds <= 0) return undefined
    const isOver = new AbortController()
    const tooLate = delay(milliseconds, undefined, { signal: isOver.signal }).catch(() => undefined)
    const key = { name: originOf(issuer, tenantId), publicKey }
    const checked = checkLog(table, tenantId, { key, now: readClock() }).catch((error: unknown) => {
      log('error', 'integrity', { requestId: 'log', tenantId }, error)
      return undefined
    })
    try {
      const outcome = await Promise.race([checked, tooLate])
      return outcome && { leaves: outcome.leaves, found: outcome.findings.slice(0, MOST).map(foundOf) }
    } finally {
      isOver.abort()
    }
  }
}

const foundOf = ({ code, what, where }: LogFinding): Found => ({
  check: 'log-broken',
  subject: { type: 'row', id: where },
  differs: [difference(code, what, undefined)],
})
