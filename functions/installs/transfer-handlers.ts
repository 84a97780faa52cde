import { seesTenant } from '../../shared/domain/access.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { standings } from '../../shared/domain/holdings.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Transfer, Who } from '../../shared/domain/transfer.ts'
import { movingLicense, movingWith, needsBoth } from '../../shared/domain/transfer-rules.ts'
import { canceledBy, refusedBy, requested, takenUp } from '../../shared/domain/transfer-steps.ts'
import { type TransferView, transferView } from '../../shared/domain/transfer-view.ts'
import type { Handlers, Replayed } from '../../shared/platform/http/contract.ts'
import { newTransferId, type TransferId } from '../../shared/platform/ids.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { KIND, transfersKey } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import {
  newTransfer,
  readOpenTransfer,
  readTransfer,
  readTransfersOf,
  releaseFromTransfer,
  replaceTransfer,
  sideOfTransfer,
  takeForTransfer,
  transferEntity,
} from '../../shared/store/transfer.ts'
import { loadLicense } from '../known-license.ts'
import { isKnownTenant } from '../known-tenant.ts'
import { exposureOf } from '../moving/exposure.ts'
import { stepEvents } from '../moving/step-events.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { InstallServices } from './services.ts'
import { approve } from './transfer-approve.ts'
import { newTransferCode, openTransferCode } from './transfer-code.ts'
import { collect } from './transfer-collect.ts'
import { listed, loadTransfer, partyOf, seenBy, whoOf } from './transfer-parties.ts'
import type { transferRoutes } from './transfer-routes.ts'

export const transferHandlers: Handlers<typeof transferRoutes, InstallServices> = {
  async requestTransfer(call, services) {
    const { table, commit, verifier, secrets } = services
    const { caller, now, params, body } = call
    const license = await loadLicense(services, params.licenseId)
    if (isRefusal(license)) return license
    if (!seesTenant(caller, license.tenantId)) return notFound
    const askedBy = caller.kind === 'vendor' ? 'vendor' : 'giving'
    // The same whether or not there is such a tenant: it is not looked at.
    if (body.receiver !== undefined && askedBy !== 'vendor') return vendorNames
    const receiving = body.receiver && (await partyOf(body.receiver, services, '/body/receiver'))
    if (isRefusal(receiving)) return receiving
    const { tenantId, productId, customer } = license
    const [holdings, product, taken] = await Promise.all([
      readHoldings(table, tenantId, productId),
      readProduct(table, productId),
      readOpenTransfer(table, license.id),
    ])
    if (product === undefined) throw new Error(`${license.id} names a product that does not exist`)
    const moving = movingWith(standings(holdings, now, verifier.isGenuine), license.id, now)
    if (isRefusal(moving)) return moving
    if (taken !== undefined && !(taken.lapsesAt && taken.lapsesAt <= now)) return inUse(taken.transferId)

    const id = newTransferId(now)
    const code = receiving ? undefined : newTransferCode(id, secrets)
    const transfer = requested(
      {
        id,
        product: { id: product.id, code: product.code, name: product.name },
        licenses: moving.map(movingLicense),
        giving: { tenantId, name: customer.name },
        ...(receiving && { receiving }),
        ...(code && { codeHash: code.hash }),
        twoParty: needsBoth(moving),
        askedBy,
        reason: body.reason,
        lapsesAt: body.lapsesAt,
      },
      now,
    )
    if (isRefusal(transfer)) return transfer
    const exposure = await exposureOf(transfer, now, services)
    const reply = {
      transfer: transferView(transfer, askedBy, now, exposure),
      ...(code && { transferCode: code.text }),
    }
    return commit(call, {
      writes: { taken: takeForTransfer(transfer), ...newTransfer(transfer) },
      events: stepEvents('transfer.requested', transfer, askedBy, body.reason, now),
      reply,
      refusals: { taken: inUse(taken?.transferId) },
    })
  },

  async takeUpTransfer(call, services) {
    const { now, params, body } = call
    const named = openTransferCode(body.transferCode, services.secrets)
    if (named === undefined) return notFound
    return untilFresh(async () => {
      const transfer = await readTransfer(services.table, named.id)
      if (transfer?.codeHash !== named.hash) return notFound
      const receiver = await partyOf(params.tenantId, services)
      if (isRefusal(receiver)) return receiver
      const next = takenUp(transfer, receiver, now)
      if (isRefusal(next)) return next
      const who = whoOf(call.caller, next) ?? 'receiving'
      const isNew = next !== transfer
      return services.commit(call, {
        writes: isNew ? { transfer: replaceTransfer(next), ...sideOfTransfer(next, 'receiving') } : {},
        events: isNew ? stepEvents('transfer.taken-up', next, who, undefined, now) : [],
        reply: await seenBy(next, who, now, services),
        refusals: { transfer: outdated },
      })
    })
  },

  async listTenantTransfers({ params, query, caller, now }, { table, secrets }) {
    const { tenantId } = params
    if (!(await isKnownTenant(table, caller, tenantId))) return notFound
    const range = { pk: transfersKey(tenantId), newestFirst: true }
    return readPage(table, secrets.cursorKey, range, query, async (items) =>
      (await readTransfersOf(table, items)).map((transfer) => listed(transfer, caller, query.state, now)),
    )
  },

  async listTransfers({ query, caller, now }, { table, secrets }) {
    const range = { index: 'kind' as const, pk: KIND.transfers, newestFirst: true }
    return readPage(table, secrets.cursorKey, range, query, async (items) =>
      items.map((item) => listed(transferEntity.decode(item), caller, query.state, now)),
    )
  },

  async getTransfer({ params, caller, now }, services) {
    const found = await loadTransfer(params.transferId, caller, services)
    return isRefusal(found) ? found : seenBy(found.transfer, found.who, now, services)
  },

  approveTransfer: (call, services) =>
    untilFresh(async () => {
      const found = await loadTransfer(call.params.transferId, call.caller, services)
      return isRefusal(found) ? found : approve(call, found, call.body, services)
    }),

  refuseTransfer: (call, services) =>
    close(call, call.params.transferId, services, 'transfer.refused', (transfer, who) =>
      refusedBy(transfer, who, call.body.reason, call.now),
    ),

  cancelTransfer: (call, services) =>
    close(call, call.params.transferId, services, 'transfer.canceled', (transfer, who) =>
      canceledBy(transfer, who, call.body.reason, call.now),
    ),

  async collectTransfer(call, services) {
    const found = await loadTransfer(call.params.transferId, call.caller, services)
    return isRefusal(found) ? found : collect(call, found, services)
  },
}

/** Ends a transfer without moving anything. */
function close(
  call: CommitRequest & { body: { reason?: string | undefined } },
  id: TransferId,
  services: InstallServices,
  type: EventDraft['type'],
  decide: (transfer: Transfer, who: Who) => Transfer | Refusal,
): Promise<TransferView | Refusal | Replayed> {
  return untilFresh(async () => {
    const found = await loadTransfer(id, call.caller, services)
    if (isRefusal(found)) return found
    const next = decide(found.transfer, found.who)
    if (isRefusal(next)) return next
    return services.commit(call, {
      writes: { transfer: replaceTransfer(next), taken: releaseFromTransfer(next) },
      events: stepEvents(type, next, found.who, call.body.reason, call.now),
      reply: transferView(next, found.who, call.now),
      refusals: { transfer: outdated, taken: outdated },
    })
  })
}

const vendorNames = refuse('INVALID_REQUEST', 'Vendor staff name the receiver; others hand over the code.', {
  errors: [{ field: '/body/receiver', message: 'is for vendor staff' }],
})

const inUse = (id: TransferId | undefined) =>
  refuse('IN_USE', id ? `${id} is open for this license.` : 'Another transfer is open for this license.')
