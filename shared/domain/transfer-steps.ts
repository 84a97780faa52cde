import type { LicenseId } from '../platform/ids.ts'
import { DAY, type Instant, plusMilliseconds } from '../platform/time.ts'
import { isRefusal, notFound, type Refusal, refuse } from './refusal.ts'
import {
  type Approval,
  type ApprovedTransfer,
  type Exposure,
  type OpenTransfer,
  type Party,
  SIDES,
  type Side,
  type Transfer,
  type Who,
} from './transfer.ts'

/** How long a transfer stays open unless said otherwise, and at most: milliseconds. */
const LAPSES_AFTER = 14 * DAY
const LAPSES_AT_MOST = 90 * DAY

/** What a new transfer is made of. */
type TransferOrder = Pick<
  OpenTransfer,
  'id' | 'product' | 'licenses' | 'giving' | 'receiving' | 'codeHash' | 'twoParty' | 'askedBy'
> & { reason?: string | undefined; lapsesAt?: Instant | undefined }

/**
 * A new transfer. Where one word is enough, asking is the giving side's: only the receiving side's, or vendor staff's,
 * is waited for.
 */
export function requested(order: TransferOrder, now: Instant): OpenTransfer | Refusal {
  const { reason, lapsesAt = plusMilliseconds(now, LAPSES_AFTER), ...facts } = order
  if (lapsesAt <= now || lapsesAt > plusMilliseconds(now, LAPSES_AT_MOST)) {
    return refuse('INVALID_REQUEST', 'It lapses within 90 days from now.', {
      errors: [{ field: '/body/lapsesAt', message: 'must be within 90 days from now' }],
    })
  }
  if (facts.receiving?.tenantId === facts.giving.tenantId) return alreadyHolds
  return {
    ...facts,
    ...(reason && { reason }),
    state: 'requested',
    approvals: facts.twoParty
      ? {}
      : { giving: { at: now, by: facts.askedBy === 'vendor' ? 'vendor' : 'tenant' } },
    requestedAt: now,
    lapsesAt,
    version: 1,
  }
}

/** Who takes up the code is the receiver, and nobody after it. */
export function takenUp(transfer: Transfer, receiver: Party, now: Instant): OpenTransfer | Refusal {
  const { receiving } = transfer
  // Whose the code is now is not for others to know, also not that it is anybody's.
  if (receiving !== undefined && receiving.tenantId !== receiver.tenantId) return notFound
  const open = checkOpen(transfer, now)
  if (isRefusal(open) || receiving !== undefined) return open
  return open.giving.tenantId === receiver.tenantId ? alreadyHolds : { ...open, receiving: receiver }
}

/**
 * The transfer with an approval. A side approves for itself, once the receiver is known; vendor staff in the stead of
 * the side they name, or of each that has not said so itself. Approving twice is approving once. With the word that was
 * missing it is to be carried out.
 */
export function approved(
  transfer: Transfer,
  who: Who,
  side: Side | undefined,
  now: Instant,
): OpenTransfer | ApprovedTransfer | Refusal {
  if (transfer.state === 'approved') return transfer
  const open = checkOpen(transfer, now)
  if (isRefusal(open)) return open
  if (who !== 'vendor' && side !== undefined && side !== who) {
    return refuse('INVALID_REQUEST', 'A tenant approves for itself.', {
      errors: [{ field: '/body/side', message: 'is for vendor staff' }],
    })
  }
  const { receiving } = open
  if (receiving === undefined) {
    return refuse(
      'TRANSITION_NOT_ALLOWED',
      'Nobody has taken up its code yet; it is approved once it is known who receives.',
    )
  }
  const meant = who === 'vendor' ? (side === undefined ? SIDES : [side]) : [who]
  const missing = meant.filter((one) => open.approvals[one] === undefined)
  if (missing.length === 0) return open
  const approval: Approval = { at: now, by: who === 'vendor' ? 'vendor' : 'tenant' }
  const added = Object.fromEntries(missing.map((one) => [one, approval]))
  const approvals: OpenTransfer['approvals'] = { ...open.approvals, ...added }
  const { giving, receiving: taking } = approvals
  return giving && taking
    ? { ...open, receiving, approvals: { giving, receiving: taking }, state: 'approved' }
    : { ...open, approvals }
}

/** Either side, or vendor staff, says no; once both sides have said yes, vendor staff alone. */
export function refusedBy(
  transfer: Transfer,
  who: Who,
  because: string | undefined,
  now: Instant,
): Transfer | Refusal {
  const open = transfer.state === 'approved' && who === 'vendor' ? transfer : checkOpen(transfer, now)
  if (isRefusal(open)) return open
  return { ...open, ...closed(who, because, now), state: 'refused' }
}

/** Who asked for it takes that back: of a tenant any of its administrators, of the vendor any of its staff. */
export function canceledBy(
  transfer: Transfer,
  who: Who,
  because: string | undefined,
  now: Instant,
): Transfer | Refusal {
  const open = checkOpen(transfer, now)
  if (isRefusal(open)) return open
  if (who !== open.askedBy) {
    return refuse('TRANSITION_NOT_ALLOWED', 'It is canceled by who asked for it; everybody else refuses it.')
  }
  return { ...open, ...closed(who, because, now), state: 'canceled' }
}

/** The transfer once it is done: which license became which, and what was outstanding then. */
export function executed(
  transfer: ApprovedTransfer,
  successors: ReadonlyMap<LicenseId, LicenseId>,
  exposure: Exposure,
  now: Instant,
): Extract<Transfer, { state: 'executed' }> {
  return {
    ...transfer,
    ...closed(lastApproverOf(transfer), undefined, now),
    licenses: transfer.licenses.map((license) => {
      const successor = successors.get(license.licenseId)
      return successor === undefined ? license : { ...license, successor }
    }),
    state: 'executed',
    exposure,
  }
}

function lastApproverOf({ approvals: { giving, receiving } }: ApprovedTransfer): Who {
  const [side, { by }] =
    giving.at > receiving.at ? ['giving' as const, giving] : ['receiving' as const, receiving]
  return by === 'vendor' ? by : side
}

/** The transfer that something was in the way of: nothing of it has moved, and it can be requested anew. */
export function failed(
  transfer: ApprovedTransfer,
  { refused, detail }: Refusal,
  now: Instant,
): Extract<Transfer, { state: 'failed' }> {
  return { ...transfer, state: 'failed', closedAt: now, code: refused, because: detail }
}

const closed = (closedBy: Who, because: string | undefined, now: Instant) => ({
  closedAt: now,
  closedBy,
  ...(because && { because }),
})

function checkOpen(transfer: Transfer, now: Instant): OpenTransfer | Refusal {
  if (transfer.state === 'approved')
    return refuse('TRANSFER_OVER', 'Both sides have approved it: it is being carried out.')
  if (transfer.state !== 'requested')
    return refuse('TRANSFER_OVER', `It was ${transfer.state} on ${transfer.closedAt}.`)
  return now < transfer.lapsesAt ? transfer : refuse('TRANSFER_OVER', `It lapsed on ${transfer.lapsesAt}.`)
}

const alreadyHolds = refuse('TRANSFER_NOT_ALLOWED', 'The receiver holds the license already.')
