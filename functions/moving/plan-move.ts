import { type Holdings, standings } from '../../shared/domain/holdings.ts'
import type { License } from '../../shared/domain/license.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { checkNotArchived } from '../../shared/domain/revision.ts'
import type { ApprovedTransfer, Party } from '../../shared/domain/transfer.ts'
import {
  isWhatWasApproved,
  movingWith,
  type Succession,
  succeed,
} from '../../shared/domain/transfer-rules.ts'
import { type LicenseId, newLicenseId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { type Fences, fencesOf, raiseFences, seenTenantFence } from '../../shared/store/fence.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { type Action, TRANSACTION_LIMIT } from '../../shared/store/transact.ts'
import { readTransfer } from '../../shared/store/transfer.ts'
import { outdated } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'

/** What carrying out a transfer comes to, all but the signatures. */
export type Move = {
  /** What the giving side has of the product. */
  readonly holdings: Holdings
  readonly successions: readonly Succession[]
  /** The new ids, by those of the old licenses. */
  readonly ids: ReadonlyMap<LicenseId, LicenseId>
  /** Fails if the giving side was issued something since the licenses were read. */
  readonly givingFence: Action
  readonly givingFences: Fences['writes']
  readonly receivingFences: Fences
}

/**
 * What of a transfer would move now, or why nothing can: asked with the last approval, so that whoever gives it hears of
 * it, and again when it is carried out.
 */
export async function planMove(
  transfer: ApprovedTransfer,
  now: Instant,
  { table, verifier }: VerifyingServices,
): Promise<Move | Refusal> {
  const { giving, receiving, product } = transfer
  const [asked] = transfer.licenses
  if (asked === undefined) throw new Error(`${transfer.id} moves nothing`)
  // Before the licenses: whatever is issued to the giving side meanwhile, such as a top-up, raises it.
  const givingFence = await seenTenantFence(table, giving.tenantId)
  const [holdings, receiver] = await Promise.all([
    readHoldings(table, giving.tenantId, product.id),
    readTenant(table, receiving.tenantId),
  ])
  if (receiver === undefined) throw new Error(`${transfer.id} is for a tenant that does not exist`)
  const archived = checkNotArchived(receiver)
  if (archived) return unlessOver(archived)
  const moving = movingWith(standings(holdings, now, verifier.isGenuine), asked.licenseId, now)
  if (isRefusal(moving)) return unlessOver(moving)
  if (!isWhatWasApproved(transfer.licenses, moving)) {
    return unlessOver(
      refuse('TRANSFER_OUTDATED', 'The license, or what extends it, was changed since it was requested.'),
    )
  }
  const ids = new Map(moving.map(({ id }) => [id, newLicenseId(now)]))
  const successions = succeed(moving, ids, receiver, transfer.id, now)
  if (isRefusal(successions)) return successions
  const [givingFences, receivingFences] = await Promise.all([
    raiseFences(table, { ...of(giving), limits: limitsOf(moving) }),
    fencesOf(table, { ...of(receiving), limits: limitsOf(moving) }),
  ])
  const items = itemsOf(successions, [givingFences, receivingFences.writes])
  if (items > TRANSACTION_LIMIT) {
    return refuse(
      'TRANSFER_TOO_LARGE',
      `${moving.length} licenses and the metrics of both sides make ${items} writes; ${TRANSACTION_LIMIT} fit.`,
    )
  }
  return { holdings, successions, ids, givingFence, givingFences, receivingFences }

  /** The licenses were read after the transfer: somebody else may have moved them in between. */
  async function unlessOver(refusal: Refusal): Promise<Refusal> {
    const found = await readTransfer(table, transfer.id)
    return found?.version === transfer.version ? refusal : outdated
  }

  function of({ tenantId }: Party) {
    return { tenantId, productId: product.id }
  }
}

const limitsOf = (licenses: readonly License[]): License['limits'] =>
  Object.assign({}, ...licenses.map(({ limits }) => limits))

/** The transfer, what takes its license, its timer, both tenants' fences and the receiver; it is told to both sides. */
const ITEMS = 8
/** Its old row and its new one with two addresses; it is told to both sides. */
const ITEMS_PER_LICENSE = 6

/** How many items `functions/licenses/move-licenses.ts` writes. */
function itemsOf(successions: readonly Succession[], fences: readonly Fences['writes'][]): number {
  const references = successions.filter(({ next }) => next.reference !== undefined)
  const raised = fences.reduce((sum, writes) => sum + Object.keys(writes).length, 0)
  return ITEMS + raised + successions.length * ITEMS_PER_LICENSE + references.length
}
