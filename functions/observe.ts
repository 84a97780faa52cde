import type { Standing } from '../shared/domain/holdings.ts'
import { begunTerm, effectiveTerm, statusByDates, type Term } from '../shared/domain/status.ts'
import type { LicenseId } from '../shared/platform/ids.ts'
import type { Instant } from '../shared/platform/time.ts'
import { record } from '../shared/store/commit.ts'
import { eventItem } from '../shared/store/event.ts'
import { replaceLicense } from '../shared/store/holdings.ts'
import { putOnce, transact } from '../shared/store/transact.ts'
import type { CommitRequest } from './services.ts'
import type { VerifyingServices } from './verified.ts'

/** A license that is not as it was seen last. */
export type SeenChange = {
  licenseId: LicenseId
  product: string
  before: string
  after: string
  detail: string
}

/** What a validation sees of a license: its status, or that its row is not what was signed. */
export function stateOf({ status, because }: Pick<Standing, 'status' | 'because'>): string {
  return because === 'TAMPERED' ? because : status
}

/**
 * Notes what each license looks like now and tells what changed since it was looked at last, each change once: the
 * note and its event are one transaction, conditional on the row as it was read. A row that was written meanwhile is
 * left to the next time.
 */
export async function observe(
  standings: readonly Standing[],
  request: Pick<CommitRequest, 'caller' | 'now' | 'requestId'>,
  { table }: VerifyingServices,
): Promise<SeenChange[]> {
  const changes: SeenChange[] = []
  for (const standing of standings) {
    const { license } = standing
    const before = license.lastSeenStatus ?? statusByDates(license, license.issuedAt)
    const after = stateOf(standing)
    if (before === after) continue
    const type = after === 'TAMPERED' ? 'license.tampered' : 'license.status-changed'
    const { id, tenantId } = license
    const event = record(
      {
        type,
        tenantId,
        subject: { type: 'license', id },
        before: { state: before },
        after: { state: after },
      },
      request,
    )
    const outcome = await transact(table, {
      license: replaceLicense({ ...license, lastSeenStatus: after }),
      event: putOnce(eventItem(event)),
    })
    if (outcome.ok)
      changes.push({
        licenseId: id,
        product: license.productCode,
        before,
        after,
        detail: detail(standing, after, request.now),
      })
  }
  return changes
}

function detail({ license, extensions }: Standing, state: string, now: Instant): string {
  const over = begunTerm(license, now, extensions)
  const facts: Record<string, string> = {
    TAMPERED: 'the stored row does not match its signature',
    REVOKED: `revoked on ${license.revokedAt}`,
    SUSPENDED: `suspended since ${license.suspendedAt}`,
    PENDING: `starts on ${license.validFrom}`,
    GRACE: `expired on ${over.expiresAt}, works until ${over.graceEndsAt}`,
    EXPIRED: `expired on ${over.expiresAt}`,
    ACTIVE: until(effectiveTerm(license, extensions)),
  }
  return facts[state] ?? state
}

const until = ({ expiresAt }: Term) =>
  expiresAt === undefined ? 'valid without end' : `valid until ${expiresAt}`
