import { originOf } from '../../shared/domain/checkpoint.ts'
import { difference, type Found } from '../../shared/domain/integrity.ts'
import type { LogFinding } from '../../shared/domain/log-finding.ts'
import { readClock } from '../../shared/platform/time.ts'
import { checkLog } from '../logs/check-log.ts'
import type { Services } from '../services.ts'
import type { TrustServices } from './handlers.ts'

/** Rows of a broken log that become events; one is enough to look at it. */
const MOST = 20

/**
 * Holds the audit log of a tenant against its checkpoints, as far as there is time.
 *
 * @param publicKey Ed25519, 32 bytes, of the key that signs checkpoints
 */
export function logChecker(
  { table, issuer, secrets, log }: Pick<Services, 'table' | 'issuer' | 'secrets' | 'log'>,
  publicKey: Uint8Array,
): TrustServices['checkLog'] {
  return async (tenantId, requestId, isWhole, hasTime) => {
    const key = { name: originOf(issuer, tenantId), publicKey }
    const asked = { key, checkKey: secrets.checkKey, now: readClock(), isWhole, hasTime }
    try {
      const { findings, ...progress } = await checkLog(table, tenantId, asked)
      return { progress, found: findings.slice(0, MOST).map(foundOf) }
    } catch (error) {
      log('error', 'integrity', { requestId, tenantId }, error)
      return undefined
    }
  }
}

const foundOf = ({ code, what, where }: LogFinding): Found => ({
  check: 'log-broken',
  subject: { type: 'row', id: where },
  differs: [difference(code, what, undefined)],
})
