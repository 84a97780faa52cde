import type { EventDraft } from '../shared/domain/event.ts'
import type { Standing } from '../shared/domain/holdings.ts'
import type { License } from '../shared/domain/license.ts'
import { begunTerm, effectiveTerm, statusByDates, type Term } from '../shared/domain/status.ts'
import { changesSince, type LastSeen, type StatusChange } from '../shared/domain/status-history.ts'
import type { LicenseId } from '../shared/platform/ids.ts'
import type { Instant } from '../shared/platform/time.ts'
import { record } from '../shared/store/commit.ts'
import { eventItem } from '../shared/store/event.ts'
import { replaceLicense } from '../shared/store/holdings.ts'
import { type Action, putOnce, transact } from '../shared/store/transact.ts'
import type { CommitRequest } from './services.ts'
import type { VerifyingServices } from './verified.ts'

/** A license that is not as it was seen last. */
type SeenChange = {
  licenseId: LicenseId
  product: string
  before: string
  after: string
  detail: string
}

/** What a validation sees of a license: its status, or that its row is not what was signed. */
function stateOf({ status, because }: Pick<Standing, 'status' | 'because'>): string {
  return because === 'TAMPERED' ? because : status
}

/**
 * Notes what each license looks like now and tells what changed since it was looked at last: each change once, in order,
 * with the instant from which it was true, however late this comes. The note and its events are one transaction,
 * conditional on the row as it was read. A row that was written meanwhile is left to the next time.
 */
export async function observe(
  standings: readonly Standing[],
  request: Pick<CommitRequest, 'caller' | 'now' | 'requestId'>,
  { table }: Pick<VerifyingServices, 'table'>,
): Promise<SeenChange[]> {
  const changes: SeenChange[] = []
  for (const standing of standings) {
    const { license } = standing
    const looked = { ...standing, extensions: [...standing.extensions, ...deletedOf(license, standings)] }
    const seen = lastSeenOf(license)
    const after = stateOf(standing)
    const history = changesSince(looked, after, seen).slice(-MOST_CHANGES)
    if (history.length === 0) continue
    const events = history.map((change, place): [string, Action] => [
      `event ${place}`,
      putOnce(eventItem(record(changeEvent(license, change), request))),
    ])
    const outcome = await transact(table, {
      license: replaceLicense({ ...license, lastSeenStatus: after, lastSeenAt: standing.at }),
      ...Object.fromEntries(events),
    })
    if (outcome.ok && after !== seen.state)
      changes.push({
        licenseId: license.id,
        product: license.productCode,
        before: seen.state,
        after,
        detail: detail(standing, after, request.now),
      })
  }
  return changes
}

/** A license has four instants, and twenty extensions have as many: more than these are not told one by one. */
const MOST_CHANGES = 50

const lastSeenOf = (license: License): LastSeen => ({
  state: license.lastSeenStatus ?? statusByDates(license, license.issuedAt),
  at: license.lastSeenAt ?? license.issuedAt,
})

/** What extended it until it was deleted. */
const deletedOf = ({ id }: License, standings: readonly Standing[]): License[] =>
  standings
    .filter(({ license, because }) => license.extends === id && license.deletedAt && because !== 'TAMPERED')
    .map(({ license }) => license)
    .filter(({ type }) => type === 'VALIDITY')

const changeEvent = (
  { id, tenantId, productId, productCode }: License,
  { before, after, since }: StatusChange,
): EventDraft => ({
  type: after === 'TAMPERED' ? 'license.tampered' : 'license.status-changed',
  tenantId,
  subject: { type: 'license', id },
  before: { state: before },
  after: { state: after, since, productId, product: productCode },
})

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
