import * as z from 'zod'
import { ProductId, TenantId, TransferId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { Code, Name } from './terms.ts'
import {
  Approval,
  Exposure,
  MovingLicense,
  SIDES,
  Side,
  stateAt,
  TRANSFER_STATES,
  type Transfer,
  Who,
} from './transfer.ts'

/** The other side is a name; ids of tenants are for vendor staff. */
const PartyView = z.strictObject({ name: Name, tenantId: TenantId.optional() })

/**
 * A transfer as one side, or vendor staff, sees it. Each side knows the license by its own id: what it was called with
 * the other one, and how that one uses it, is not shown.
 */
export const TransferView = z
  .strictObject({
    id: TransferId,
    state: z.enum(TRANSFER_STATES),
    /** Which one the caller is; absent for vendor staff. */
    side: Side.optional(),
    product: z.strictObject({ id: ProductId, code: Code, name: Name }),
    /** What moves: the license, then those that extend it. `licenseId` is the giving side's, `successor` the new one. */
    licenses: z.array(MovingLicense.omit({ revision: true }).partial({ licenseId: true })),
    giving: PartyView,
    receiving: PartyView.optional(),
    /** Does the giving side, too, approve once it is known who receives? */
    twoParty: z.boolean(),
    approvals: z.strictObject({ giving: Approval.optional(), receiving: Approval.optional() }),
    /** What is missing until it is APPROVED: that somebody takes up the code, and whose approvals. */
    awaits: z.array(z.enum(['receiver', ...Side.options])),
    askedBy: Who,
    reason: z.string().optional(),
    requestedAt: Instant,
    lapsesAt: Instant,
    closedAt: Instant.optional(),
    closedBy: Who.optional(),
    /** Why it was refused or canceled, or has failed. */
    because: z.string().optional(),
    /** The code of what was in the way of one that has failed. */
    code: z.string().optional(),
    /** For the giving side and vendor staff: what goes on being used where nothing can be taken back. */
    exposure: Exposure.optional(),
  })
  .meta({ id: 'Transfer' })
export type TransferView = z.infer<typeof TransferView>

/** @param exposure as it is now, of an open transfer; an executed one has its own */
export function transferView(transfer: Transfer, who: Who, now: Instant, exposure?: Exposure): TransferView {
  const { id, product, giving, receiving, twoParty, approvals, askedBy, reason } = transfer
  const { requestedAt, lapsesAt } = transfer
  const state = stateAt(transfer, now)
  const outstanding = transfer.state === 'executed' ? transfer.exposure : exposure
  return {
    id,
    state,
    ...(who !== 'vendor' && { side: who }),
    product,
    licenses: transfer.licenses.map(({ revision: _, licenseId, successor, ...shown }) => ({
      ...shown,
      ...(who !== 'receiving' && { licenseId }),
      ...(who !== 'giving' && successor && { successor }),
    })),
    giving: partyView(giving, who),
    ...(receiving && { receiving: partyView(receiving, who) }),
    twoParty,
    approvals,
    awaits:
      state === 'REQUESTED'
        ? [
            ...(receiving ? [] : ['receiver' as const]),
            ...SIDES.filter((side) => approvals[side] === undefined),
          ]
        : [],
    askedBy,
    ...(reason && { reason }),
    requestedAt,
    lapsesAt,
    ...endOf(transfer),
    ...(outstanding && who !== 'receiving' && { exposure: outstanding }),
  }
}

function endOf(transfer: Transfer): Pick<TransferView, 'closedAt' | 'closedBy' | 'because' | 'code'> {
  if (transfer.state === 'requested' || transfer.state === 'approved') return {}
  const { closedAt, because } = transfer
  return {
    closedAt,
    ...(because && { because }),
    ...(transfer.state === 'failed' ? { code: transfer.code } : { closedBy: transfer.closedBy }),
  }
}

const partyView = ({ name, tenantId }: Transfer['giving'], who: Who) => ({
  name,
  ...(who === 'vendor' && { tenantId }),
})
