import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { type Activation, ActivationView, hashesOf, MACHINES } from '../../../shared/domain/activation.ts'
import type { Plan } from '../../../shared/domain/catalog.ts'
import type { Event } from '../../../shared/domain/event.ts'
import { Explanation } from '../../../shared/domain/explanation.ts'
import { LicenseView } from '../../../shared/domain/license-view.ts'
import type { ProductId, TenantId } from '../../../shared/platform/ids.ts'
import { readMachines } from '../../../shared/store/activation.ts'
import { fingerprintEntity } from '../../../shared/store/activation-fingerprints.ts'
import { readMachinePool } from '../../../shared/store/activation-pool.ts'
import { eventEntity } from '../../../shared/store/event.ts'
import { eventLog, fingerprintKey } from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import type { Table } from '../../../shared/store/transact.ts'
import { type Answer, type Api, type CallOptions, outcome } from '../../support/api.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { expected } from '../../support/scenario.ts'

export const Activated = z.looseObject({ activation: ActivationView, created: z.boolean() })
type Component = { component?: string; value: string }

/** One machine of one component, or of several: `mac:a` is named, `a` is not. */
export const fingerprints = (...parts: string[]): Component[] =>
  parts.map((part) => {
    const [first = '', second] = part.split(':')
    return second === undefined
      ? { value: `machine-${first}` }
      : { component: first, value: `machine-${second}` }
  })

/** A tenant with node-locked licenses of one product, and its machines. */
export type Shop = {
  readonly productId: ProductId
  readonly product: string
  readonly tenantId: TenantId
  readonly plan: Plan
  readonly key: string
  readonly license: LicenseView
  issue(order?: object): Promise<{ license: LicenseView; key: string }>
  activate(parts: readonly string[], options?: CallOptions & { more?: object }): Promise<Answer>
  activateByFile(parts: readonly string[]): Promise<Answer>
  /** What `explain` says that an activation would be answered, in short. */
  foreseen(parts: readonly string[]): Promise<string | undefined>
  beat(activationId: string, options?: CallOptions): Promise<Answer>
  deactivate(activationId: string, options?: CallOptions): Promise<Answer>
  move(activationId: string, parts: readonly string[], options?: CallOptions): Promise<Answer>
  list(query?: Record<string, string>): Promise<ActivationView[]>
  act(licenseId: string, action: string, body?: object): Promise<Answer>
  rows(): Promise<Activation[]>
  events(): Promise<Event[]>
  pool(): ReturnType<typeof readMachinePool>
  /** What cannot be true of the stored rows, whatever happened: empty. */
  faults(): Promise<string[]>
}

/** A plan for `capacity` machines with these rules, and a license of it. */
export async function openShop(api: Api, capacity: number | 'unlimited', rules: object = {}): Promise<Shop> {
  const product = await createProduct(api, { metrics: [{ code: MACHINES, kind: 'gauge' }], modules: [] })
  const [plan, tenant] = await Promise.all([
    createPlan(api, product.id, {
      allocation: 'node-locked',
      limits: { [MACHINES]: capacity },
      features: {},
      rules,
    }),
    createTenant(api, { timeZone: 'UTC' }),
  ])
  const [issuer, administrator] = await Promise.all([
    api.token('vendor:issuer'),
    api.token('tenant:admin', tenant.id),
  ])
  const base = `/v1/tenants/${tenant.id}/activations`
  const Issued = z.looseObject({ license: LicenseView, key: z.string() })

  async function issue(order: object = {}) {
    const body = { tenantId: tenant.id, planId: plan.id, ...order }
    return Issued.parse(expected(201, await api.call('POST', '/v1/licenses', { token: issuer, body })))
  }
  const { license, key } = await issue()
  const rows = async () => {
    const all: Activation[] = []
    for await (const row of readMachines(api.table, tenant.id, product.id)) all.push(row)
    return all
  }
  const pool = () => readMachinePool(api.table, tenant.id, product.id)

  return {
    productId: product.id,
    product: product.code,
    tenantId: tenant.id,
    plan,
    key,
    license,
    issue,
    activate: (parts, { more = {}, ...options } = {}) =>
      api.call('POST', '/v1/activations', {
        headers: { authorization: `License ${key}`, ...options.headers },
        body: { fingerprints: fingerprints(...parts), ...more },
        ...options,
        ...(options.token && { headers: { ...options.headers } }),
      }),
    activateByFile: (parts) => {
      const format = 'latchkey-activation-request/1'
      const machine = { product: product.code, fingerprints: fingerprints(...parts), nonce: randomUUID() }
      return api.call('POST', '/v1/activations/offline', {
        headers: { authorization: `License ${key}` },
        body: { request: { format, ...machine } },
      })
    },
    async foreseen(parts) {
      const body = { product: product.code, fingerprints: fingerprints(...parts) }
      const headers = { authorization: `License ${key}` }
      const answer = await api.call('POST', '/v1/explain', { headers, body })
      return Explanation.parse(expected(200, answer)).predictions?.[0]?.outcome
    },
    beat: (activationId, options = {}) =>
      api.call('POST', '/v1/activations/heartbeat', {
        headers: { authorization: `License ${key}` },
        body: { activationId },
        ...options,
      }),
    deactivate: (activationId, options = {}) =>
      api.call('DELETE', `${base}/${activationId}`, { token: administrator, ...options }),
    move: (activationId, parts, options = {}) =>
      api.call('POST', `${base}/${activationId}/move`, {
        token: administrator,
        body: { fingerprints: fingerprints(...parts) },
        ...options,
      }),
    async list(query = {}) {
      const answer = await api.call('GET', base, { token: administrator, query: { limit: '100', ...query } })
      return z.object({ items: z.array(ActivationView) }).parse(expected(200, answer)).items
    },
    act: (licenseId, action, body = { reason: 'a test' }) =>
      api.call('POST', `/v1/licenses/${licenseId}/${action}`, { token: issuer, body }),
    rows,
    pool,
    async events() {
      const items = await readRange(api.table, { pk: eventLog(tenant.id) })
      return items.map(eventEntity.decode).filter(({ type }) => type.startsWith('activation'))
    },
    async faults() {
      const [all, counts, taken] = await Promise.all([
        rows(),
        pool(),
        fingerprintsOf(api.table, tenant.id, product.id),
      ])
      const owned = new Map(
        all.flatMap((row) => hashesOf(row).map((hash) => [`${row.scope} ${hash}`, row.id])),
      )
      const flagged = all.filter(({ overdraft }) => overdraft).length
      return [
        ...(counts.used === all.length ? [] : [`${counts.used} counted, ${all.length} rows`]),
        ...(counts.overdrawn === flagged ? [] : [`${counts.overdrawn} overdrawn, ${flagged} flagged`]),
        ...[...owned]
          .filter(([name, id]) => taken.get(name) !== id)
          .map(([name]) => `${name} is not taken by its owner`),
        ...[...taken.keys()].filter((name) => !owned.has(name)).map((name) => `${name} is taken by nobody`),
      ]
    },
  }
}

/** Components that are taken, with their scope, and by which activation. */
async function fingerprintsOf(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
): Promise<Map<string, string>> {
  const { pk } = fingerprintKey(tenantId, productId, 'x', 'x')
  const items = await readRange(table, { pk })
  return new Map(
    items.flatMap((item) => {
      const { activationId, seenUntil } = fingerprintEntity.decode(item)
      return seenUntil === undefined ? [[String(item['sk']).replace('#', ' '), activationId]] : []
    }),
  )
}

/** The activation an answer has. */
export function activatedBy(answer: Answer): ActivationView {
  return Activated.parse(expected(200, answer)).activation
}

/** `created`, `there before`, or the refusal. */
export function said(answer: Answer): string {
  if (answer.status !== 200) return outcome(answer)
  return Activated.parse(answer.body).created ? 'created' : 'there before'
}

/** An Idempotency-Key of its own. */
export const keyed = (key = randomUUID()) => ({ 'idempotency-key': key })
