import { type Activation, activationView } from '../../shared/domain/activation.ts'
import { deathOf, nextBeat, stateAt } from '../../shared/domain/heartbeat.ts'
import { isRefusal, notFound, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { activationEntity, beat, readActivation } from '../../shared/store/activation.ts'
import { activationsKey } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import { productIdOf } from '../asked-product.ts'
import { isKnownTenant } from '../known-tenant.ts'
import { activate, type ReplyOf } from './activate.ts'
import { askingOf, knows } from './asking.ts'
import { deactivate } from './deactivate.ts'
import { move } from './move.ts'
import { reset } from './reset.ts'
import { responseFile } from './response-file.ts'
import type { activationsRoutes } from './routes.ts'
import type { ActivationServices } from './services.ts'

export const activationHandlers: Handlers<typeof activationsRoutes, ActivationServices> = {
  async activateMachine(call, services) {
    const { product, ...machine } = call.body
    const asking = await askingOf(call.caller, product, services.table)
    if (isRefusal(asking)) return asking
    const replyOf: ReplyOf<ReturnType<typeof activated>> = (activation, created) =>
      activated(activation, created, call.now)
    return activate(call, asking, { ...machine, offline: false }, services, replyOf)
  },

  async beatActivation({ caller, body, now }, { table }) {
    if (!('tenantId' in caller)) return refuse('FORBIDDEN', 'Machines are activated for a tenant.')
    const productId = caller.kind === 'license' ? caller.productId : undefined
    const beaten = await beat(table, caller.tenantId, body.activationId, productId, now)
    if (beaten === undefined) return notFound
    if (beaten === 'dead') {
      return refuse('ACTIVATION_DEAD', 'Its last heartbeat was too long ago, and its place is anybody’s.')
    }
    const { id, pulse } = beaten
    const deadAt = deathOf(pulse, now)
    return {
      activationId: id,
      state: stateAt(pulse, now),
      ...(deadAt && { deadAt }),
      ...firstOrNextBeat(beaten, now),
    }
  },

  async activateOffline(call, services) {
    const { request, ...told } = call.body
    const asking = await askingOf(call.caller, request.product, services.table)
    if (isRefusal(asking)) return asking
    const machine = { ...told, fingerprints: request.fingerprints, offline: true }
    return activate(call, asking, machine, services, async (activation, created, terms) => ({
      ...activated(activation, created, call.now),
      file: await responseFile(activation, terms, request, call.now, services),
    }))
  },

  async listActivations({ params, query, caller, now }, { table, secrets }) {
    if (!(await isKnownTenant(table, caller, params.tenantId))) return notFound
    const productId = query.product && (await productIdOf(table, query.product))
    if (query.product && productId === undefined) return notFound
    return readPage(table, secrets.cursorKey, { pk: activationsKey(params.tenantId) }, query, async (items) =>
      items.map((item) => {
        const activation = activationEntity.decode(item)
        const isWanted =
          (query.product === undefined || activation.productId === productId) &&
          (query.state === undefined || stateAt(activation.pulse, now) === query.state)
        return isWanted ? activationView(activation, now) : undefined
      }),
    )
  },

  async deactivateMachine(call, services) {
    return deactivate(call, call.params, call.query.reason, services)
  },

  async moveActivation(call, services) {
    const { tenantId, activationId } = call.params
    const { fingerprints, ...told } = call.body
    const old = await readActivation(services.table, tenantId, activationId)
    if (old === undefined || !knows(call.caller, old)) return notFound
    return move(call, old, fingerprints, told, services)
  },

  async resetActivations(call, services) {
    if (!(await isKnownTenant(services.table, call.caller, call.params.tenantId))) return notFound
    const productId = await productIdOf(services.table, call.body.product)
    if (productId === undefined) return notFound
    return reset(call, { tenantId: call.params.tenantId, productId }, call.body.reason, services)
  },
}

function activated(activation: Activation, created: boolean, now: Instant) {
  return { activation: activationView(activation, now), created, ...firstOrNextBeat(activation, now) }
}

function firstOrNextBeat({ pulse }: Activation, now: Instant): { nextHeartbeat?: Instant } {
  const nextHeartbeat = nextBeat(pulse, now, Math.random())
  return { ...(nextHeartbeat && { nextHeartbeat }) }
}
