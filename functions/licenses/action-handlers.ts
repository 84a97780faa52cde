import type { EventDraft } from '../../shared/domain/event.ts'
import type { License } from '../../shared/domain/license.ts'
import { signedFacts } from '../../shared/domain/license.ts'
import { keyHint, maskedKey } from '../../shared/domain/license-key.ts'
import type { LicenseView } from '../../shared/domain/license-view.ts'
import {
  checkTransition,
  edited,
  reinstated,
  renewed,
  revoked,
  suspended,
  type Transition,
} from '../../shared/domain/lifecycle.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { LicenseId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { addressByKey } from '../../shared/store/address.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { fencesOf, raiseTenantFence } from '../../shared/store/fence.ts'
import { replaceLicense } from '../../shared/store/holdings.ts'
import { keyAddressKey, tenantKey } from '../../shared/store/keys.ts'
import { checkLive, putOnce } from '../../shared/store/transact.ts'
import { extensionsOf, fileOf, loadLicense, tampered, viewOf } from '../known-license.ts'
import { commitAndServe } from '../seating/serve-seats.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, stale, untilFresh } from '../until-fresh.ts'
import type { licensesRoutes } from './routes.ts'
import type { LicenseServices } from './services.ts'

type ActionHandlers = Pick<
  Handlers<typeof licensesRoutes, LicenseServices>,
  | 'editLicense'
  | 'suspendLicense'
  | 'reinstateLicense'
  | 'revokeLicense'
  | 'renewLicense'
  | 'rotateLicenseKey'
  | 'revealLicenseKey'
>

export const actionHandlers: ActionHandlers = {
  editLicense: async (call, services) => {
    const license = await loadLicense(services, call.params.licenseId)
    if (isRefusal(license)) return license
    if (license.revision !== call.revision) return stale
    const product = await readProduct(services.table, license.productId)
    if (product === undefined) throw new Error(`${license.id} names a product that does not exist`)
    return revise(call, services, license.id, {
      transition: 'edit',
      event: 'license.edited',
      reason: call.body.reason,
      next: (read) => (read.revision === call.revision ? edited(read, call.body, product, call.now) : stale),
      reply: (view) => view,
    })
  },

  suspendLicense: (call, services) =>
    revise(call, services, call.params.licenseId, {
      transition: 'suspend',
      event: 'license.suspended',
      reason: call.body.reason,
      next: (license) => suspended(license, call.body.reason, call.now),
      reply: (view) => view,
    }),

  reinstateLicense: (call, services) =>
    revise(call, services, call.params.licenseId, {
      transition: 'reinstate',
      event: 'license.reinstated',
      reason: call.body.reason,
      next: (license) => reinstated(license, call.now),
      reply: (view) => view,
    }),

  revokeLicense: (call, services) =>
    revise(call, services, call.params.licenseId, {
      transition: 'revoke',
      event: 'license.revoked',
      reason: call.body.reason,
      next: (license) => revoked(license, call.body.reason, call.now),
      reply: (view) => view,
    }),

  renewLicense: (call, services) =>
    revise(call, services, call.params.licenseId, {
      transition: 'renew',
      event: 'license.renewed',
      reason: call.body.reason,
      next: async (license) =>
        renewed(license, call.body, await extensionsOf(license, services, call.now), call.now),
      reply: (view, license) => {
        const file = fileOf(license, services)
        return isRefusal(file) ? file : { license: view, file }
      },
    }),

  rotateLicenseKey: (call, services) =>
    untilFresh(async () => {
      const license = await loadLicense(services, call.params.licenseId)
      if (isRefusal(license)) return license
      const refused = checkTransition(license, 'rotate-key', call.now) ?? checkGenuine(license, services)
      if (refused) return refused
      const keyGeneration = license.keyGeneration + 1
      const key = await services.keyOf(license.id, keyGeneration)
      const next = {
        ...license,
        keyGeneration,
        keyHash: services.secrets.licenseKeyHash(key),
        keyHint: keyHint(key),
      }
      const { tenantId, productId, id: licenseId } = license
      const view = await viewOf(next, services, call.now)
      return services.commit(call, {
        writes: {
          license: replaceLicense(next),
          newAddress: putOnce(addressByKey(next.keyHash, { tenantId, productId, licenseId })),
          oldAddress: { kind: 'remove', key: keyAddressKey(license.keyHash) },
        },
        events: [
          {
            ...eventOf('license-key.rotated', license, call.body.reason),
            before: { key: maskedKey(license.keyHint) },
            after: { key: view.key },
          },
        ],
        reply: { license: view, key },
        refusals: { license: outdated },
      })
    }),

  revealLicenseKey: async (call, services) => {
    const license = await loadLicense(services, call.params.licenseId)
    if (isRefusal(license)) return license
    const key = await services.keyOf(license.id, license.keyGeneration)
    return services.commit(call, {
      writes: {},
      events: [eventOf('license-key.revealed', license, call.body.reason)],
      reply: { key },
      refusals: {},
    })
  },
}

type Change<Reply> = {
  transition: Transition
  event: EventDraft['type']
  reason: string | undefined
  next: (license: License) => License | Refusal | Promise<License | Refusal>
  reply: (view: LicenseView, license: License) => Reply | Refusal
}

/** Makes a new revision of a license: checks the transition, signs, commits with its event. */
async function revise<Reply>(
  call: CommitRequest & { now: Instant },
  services: LicenseServices,
  id: LicenseId,
  change: Change<Reply>,
) {
  return untilFresh(async () => {
    const license = await loadLicense(services, id)
    if (isRefusal(license)) return license
    // What was not signed by us must not be signed by us now; revoking it is the way out.
    const refused =
      checkTransition(license, change.transition, call.now) ??
      (change.transition === 'revoke' ? undefined : checkGenuine(license, services))
    if (refused) return refused
    const next = await change.next(license)
    if (isRefusal(next)) return next
    const signed = { ...next, signature: await services.sign(signedFacts(next)) }
    const [before, after] = await Promise.all([
      viewOf(license, services, call.now),
      viewOf(signed, services, call.now),
    ])
    const { writes: fences, waiting } = await fencesOf(services.table, signed)
    const reply = change.reply(after, signed)
    if (isRefusal(reply)) return reply
    const { tenantId } = license
    return commitAndServe(
      call,
      services,
      { tenantId, waiting },
      {
        writes: {
          license: replaceLicense(signed),
          ...fences,
          // An archived tenant holds nothing in force, and renewing must not change that.
          ...(change.transition === 'renew' && {
            tenant: checkLive(tenantKey(tenantId)),
            tenantFence: raiseTenantFence(tenantId),
          }),
        },
        events: [{ ...eventOf(change.event, license, change.reason), before, after }],
        reply,
        refusals: { license: outdated, tenant: refuse('ARCHIVED', 'The tenant is archived.') },
      },
    )
  })
}

function checkGenuine(license: License, services: LicenseServices): Refusal | undefined {
  return services.verifier.isGenuine(license) ? undefined : tampered(license)
}

function eventOf(type: EventDraft['type'], license: License, reason: string | undefined): EventDraft {
  return {
    type,
    tenantId: license.tenantId,
    subject: { type: 'license', id: license.id },
    ...(reason && { reason }),
  }
}
