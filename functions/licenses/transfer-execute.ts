import type { EventDraft } from '../../shared/domain/event.ts'
import { type Holdings, standings } from '../../shared/domain/holdings.ts'
import { type License, signedFacts } from '../../shared/domain/license.ts'
import { type LicenseView, licenseView } from '../../shared/domain/license-view.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { OpenTransfer, Party, Transfer, Who } from '../../shared/domain/transfer.ts'
import {
  isWhatWasApproved,
  movingWith,
  type Succession,
  succeed,
} from '../../shared/domain/transfer-rules.ts'
import { executed } from '../../shared/domain/transfer-steps.ts'
import { type TransferView, transferView } from '../../shared/domain/transfer-view.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { newLicenseId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { moveReference } from '../../shared/store/address.ts'
import { fencesOf, raiseFences, raiseTenantFence, seenTenantFence } from '../../shared/store/fence.ts'
import { readHoldings, replaceLicense } from '../../shared/store/holdings.ts'
import { tenantKey } from '../../shared/store/keys.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { type Action, checkLive, TRANSACTION_LIMIT } from '../../shared/store/transact.ts'
import { readTransfer, releaseFromTransfer, replaceTransfer } from '../../shared/store/transfer.ts'
import { commitAndServe } from '../seating/serve-seats.ts'
import type { CommitRequest } from '../services.ts'
import { outdated } from '../until-fresh.ts'
import { newLicense } from './issue-handlers.ts'
import { type LicenseServices, sealed } from './services.ts'
import { otherSide, stepEvents } from './transfer-events.ts'
import { exposureOf } from './transfer-exposure.ts'

/**
 * Moves the licenses in one transaction: the giving side's are revoked, the receiving side's are there, signed, with
 * keys and addresses of their own, and the fences of both sides are raised, so that a grant decided on what was before
 * is decided anew. Old keys keep leading to the old rows, which answer that the license was transferred.
 *
 * What has no connection cannot be reached: see `exposureOf`, which is told before and kept with the transfer.
 */
export async function execute(
  call: CommitRequest,
  transfer: OpenTransfer & { receiving: Party },
  who: Who,
  reason: string | undefined,
  services: LicenseServices,
): Promise<TransferView | Refusal | Replayed> {
  const { table, verifier } = services
  const { now } = call
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
  const [moved, exposure, givingFences, receivingFences] = await Promise.all([
    Promise.all(successions.map((one) => sign(one, services))),
    exposureOf(transfer, now, services),
    raiseFences(table, { ...of(giving), limits: limitsOf(moving) }),
    fencesOf(table, { ...of(receiving), limits: limitsOf(moving) }),
  ])
  const done = executed(transfer, who, ids, exposure, now)
  const writes: Record<string, Action> = {
    transfer: replaceTransfer(done),
    taken: releaseFromTransfer(asked.licenseId, transfer),
    givingFence,
    receiver: checkLive(tenantKey(receiving.tenantId)),
    receivingFence: raiseTenantFence(receiving.tenantId),
    ...givingFences,
    ...receivingFences.writes,
  }
  for (const one of moved)
    for (const [label, action] of Object.entries(writesOf(one))) writes[`${label} ${one.old.id}`] = action
  const events = [
    ...stepEvents('transfer.approved', transfer, who, reason, now),
    ...stepEvents('transfer.executed', done, who, reason, now),
    ...licenseEvents(moved, { transfer, who, holdings, now }, services),
  ]
  // And the reply.
  const items = Object.keys(writes).length + events.length + 1
  if (items > TRANSACTION_LIMIT) {
    return refuse(
      'TRANSFER_TOO_LARGE',
      `${moving.length} licenses and the metrics of both sides make ${items} writes; ${TRANSACTION_LIMIT} fit.`,
    )
  }
  const served = { tenantId: receiving.tenantId, waiting: receivingFences.waiting }
  return commitAndServe(call, services, served, {
    writes,
    events,
    reply: transferView(done, who, now),
    refusals: {
      ...Object.fromEntries(Object.keys(writes).map((label) => [label, outdated])),
      receiver: refuse('ARCHIVED', 'The receiving tenant was archived.'),
    },
  })

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

type Moved = { readonly old: License; readonly next: License }

/** Signs both: the old license as revoked, the new one as its holder's. */
async function sign({ old, next }: Succession, services: LicenseServices): Promise<Moved> {
  const [signature, { license }] = await Promise.all([
    services.sign(signedFacts(old)),
    sealed(next, services),
  ])
  return { old: { ...old, signature }, next: license }
}

function writesOf({ old, next }: Moved): Record<string, Action> {
  const { reference: _, ...created } = newLicense(next)
  const { tenantId, productId, id: licenseId, reference } = next
  const address = { tenantId, productId, licenseId }
  return {
    old: replaceLicense(old),
    ...created,
    ...(reference && { reference: moveReference(reference, old.id, address) }),
  }
}

/** Each license in the log of its holder: as it left, and as it came. */
function licenseEvents(
  moved: readonly Moved[],
  { transfer, who, holdings, now }: { transfer: Transfer; who: Who; holdings: Holdings; now: Instant },
  services: LicenseServices,
): EventDraft[] {
  const before = viewsOf(holdings.licenses, holdings, now, services)
  const after = viewsOf(
    moved.map(({ old }) => old),
    holdings,
    now,
    services,
  )
  const received = viewsOf(
    moved.map(({ next }) => next),
    holdings,
    now,
    services,
  )
  const { reason } = transfer
  return moved.flatMap(({ old, next }): EventDraft[] => [
    {
      type: 'license.transferred',
      tenantId: old.tenantId,
      subject: { type: 'license', id: old.id },
      ...seen('before', before.get(old.id)),
      ...seen('after', after.get(old.id)),
      ...(reason && { reason }),
      ...otherSide(who, 'giving'),
    },
    {
      type: 'license.received',
      tenantId: next.tenantId,
      subject: { type: 'license', id: next.id },
      ...seen('after', received.get(next.id)),
      ...(reason && { reason }),
      ...otherSide(who, 'receiving'),
    },
  ])
}

const seen = (when: 'before' | 'after', view: LicenseView | undefined) => (view ? { [when]: view } : {})

/** How licenses look beside each other. */
function viewsOf(
  licenses: readonly License[],
  holdings: Holdings,
  now: Instant,
  { verifier }: LicenseServices,
): Map<License['id'], LicenseView> {
  const all = standings({ ...holdings, licenses }, now, verifier.isGenuine)
  return new Map(
    [...all].map(([id, { license, status, extensions, because }]) => [
      id,
      licenseView(license, status, extensions, because === 'TAMPERED'),
    ]),
  )
}
