import type { EventDraft } from '../../shared/domain/event.ts'
import { type Holdings, standings } from '../../shared/domain/holdings.ts'
import type { UnsignedLicense } from '../../shared/domain/issue.ts'
import { type License, signedFacts } from '../../shared/domain/license.ts'
import type { LicenseView } from '../../shared/domain/license-view.ts'
import type { Refusal } from '../../shared/domain/refusal.ts'
import type { ApprovedTransfer } from '../../shared/domain/transfer.ts'
import type { Succession } from '../../shared/domain/transfer-rules.ts'
import { executed } from '../../shared/domain/transfer-steps.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { moveReference } from '../../shared/store/address.ts'
import { raiseTenantFence } from '../../shared/store/fence.ts'
import { replaceLicense } from '../../shared/store/holdings.ts'
import { tenantKey } from '../../shared/store/keys.ts'
import { endTimer, type Timer } from '../../shared/store/timer.ts'
import { type Action, checkLive } from '../../shared/store/transact.ts'
import { releaseFromTransfer, replaceTransfer } from '../../shared/store/transfer.ts'
import { standingView } from '../known-license.ts'
import { exposureOf } from '../moving/exposure.ts'
import type { Move } from '../moving/plan-move.ts'
import { stepEvents } from '../moving/step-events.ts'
import { commitAndServe } from '../seating/serve-seats.ts'
import type { CommitRequest } from '../services.ts'
import { outdated } from '../until-fresh.ts'
import { newLicense } from './issue-handlers.ts'
import { type LicenseServices, sealed } from './services.ts'

/**
 * Moves the licenses in one transaction: the giving side's are revoked, the receiving side's are there, signed, with
 * keys and addresses of their own, and the fences of both sides are raised, so that a grant decided on what was before
 * is decided anew. Old keys keep leading to the old rows, which answer that the license was transferred.
 *
 * What has no connection cannot be reached: see `exposureOf`, which is told before and kept with the transfer.
 */
export async function moveLicenses(
  call: CommitRequest,
  transfer: ApprovedTransfer,
  timer: Timer,
  { holdings, successions, ids, givingFence, givingFences, receivingFences }: Move,
  services: LicenseServices,
): Promise<1 | Refusal | Replayed> {
  const { now } = call
  const { receiving } = transfer
  const [moved, exposure] = await Promise.all([
    Promise.all(successions.map((one) => sign(one, extensionsOf(one, successions), services))),
    exposureOf(transfer, now, services),
  ])
  const done = executed(transfer, ids, exposure, now)
  const writes: Record<string, Action> = {
    transfer: replaceTransfer(done),
    taken: releaseFromTransfer(transfer),
    timer: endTimer(timer),
    givingFence,
    receiver: checkLive(tenantKey(receiving.tenantId)),
    receivingFence: raiseTenantFence(receiving.tenantId),
    ...givingFences,
    ...receivingFences.writes,
  }
  for (const one of moved)
    for (const [label, action] of Object.entries(writesOf(one))) writes[`${label} ${one.old.id}`] = action
  const events = [
    ...stepEvents('transfer.executed', done, undefined, undefined, now),
    ...licenseEvents(moved, { reason: transfer.reason, holdings, now }, services),
  ]
  const served = { tenantId: receiving.tenantId, waiting: receivingFences.waiting }
  return commitAndServe(call, services, served, {
    writes,
    events,
    reply: 1,
    // Whatever it was, it is looked at anew: an archived receiver, too.
    refusals: Object.fromEntries(Object.keys(writes).map((label) => [label, outdated])),
  })
}

type Moved = { readonly old: License; readonly next: License }

/** What extends its time for the new holder from the start: it comes as it is seen, and nothing is told of it but that. */
const extensionsOf = ({ next: base }: Succession, all: readonly Succession[]): UnsignedLicense[] =>
  all
    .map(({ next }) => next)
    .filter((next) => next.type === 'VALIDITY' && next.extends === base.id && next.appliedAt !== undefined)

/** Signs both: the old license as revoked, the new one as its holder's. */
async function sign(
  { old, next }: Succession,
  extensions: readonly UnsignedLicense[],
  services: LicenseServices,
): Promise<Moved> {
  const [signature, { license }] = await Promise.all([
    services.sign(signedFacts(old)),
    sealed(next, services, extensions),
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
  { reason, holdings, now }: { reason: string | undefined; holdings: Holdings; now: Instant },
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
  return moved.flatMap(({ old, next }): EventDraft[] => [
    {
      type: 'license.transferred',
      tenantId: old.tenantId,
      subject: { type: 'license', id: old.id },
      ...seen('before', before.get(old.id)),
      ...seen('after', after.get(old.id)),
      ...(reason && { reason }),
    },
    {
      type: 'license.received',
      tenantId: next.tenantId,
      subject: { type: 'license', id: next.id },
      ...seen('after', received.get(next.id)),
      ...(reason && { reason }),
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
  return new Map([...all].map(([id, standing]) => [id, standingView(standing)]))
}
