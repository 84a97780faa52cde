import * as z from 'zod'
import { Organization } from '../../shared/domain/organization.ts'
import { Reservation, type Seat } from '../../shared/domain/seat.ts'
import { SeatDashboard } from '../../shared/domain/seat-dashboard.ts'
import { PersonView } from '../../shared/domain/user.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import type { Api, CallOptions } from './api.ts'
import { createPlan, createProduct, createTenant } from './resources.ts'
import { expected, Issued } from './scenario.ts'

/** Learn for content roles, Observe for observers and observed, one combined seat for who needs both. */
const MODULES = [
  { code: 'learn', name: 'Learn', seat: { metric: 'learners', roles: ['author', 'reader'] } },
  { code: 'observe', name: 'Observe', seat: { metric: 'observers', roles: ['observer', 'observable'] } },
  { code: 'both', name: 'Both', seat: { metric: 'both', combines: ['learn', 'observe'] } },
  { code: 'exam', name: 'Exam', seat: { metric: 'exams', roles: ['examiner'], requires: ['learn'] } },
  { code: 'guest', name: 'Guest', seat: { metric: 'guests', roles: ['guest'], excludes: ['learn'] } },
  { code: 'campus', name: 'Campus', seat: { metric: 'users', roles: ['student'] } },
]

export type PeopleScenario = Awaited<ReturnType<typeof createPeople>>

/** A tenant with seats, and a vendor that sells them. */
export async function createPeople(api: Api, limits: Record<string, number | 'unlimited'>) {
  const product = await createProduct(api, {
    metrics: ['learners', 'observers', 'both', 'exams', 'guests', 'users'].map((code) => ({
      code,
      kind: 'gauge' as const,
    })),
    features: [],
    modules: MODULES,
  })
  const plan = await createPlan(api, product.id, { limits, features: {}, graceDays: 0 })
  const tenant = await createTenant(api, { timeZone: 'UTC' })
  const vendor = await api.token('vendor:admin')
  const token = await api.token('tenant:admin', tenant.id)
  const base = `/v1/tenants/${tenant.id}`
  const call = (method: string, path: string, options: CallOptions = {}) =>
    api.call(method, `${base}${path}`, { token, ...options })

  const issue = async (order: object = {}) => {
    const body = { tenantId: tenant.id, planId: plan.id, ...order }
    return Issued.parse(expected(201, await api.call('POST', '/v1/licenses', { token: vendor, body })))
      .license
  }
  const license = await issue()
  let people = 0
  const create = (body: object = {}, options: CallOptions = {}) => {
    people += 1
    return call('POST', '/users', { body: { name: `Person ${people}`, ...body }, ...options })
  }
  const read = async (userId: string) =>
    PersonView.parse(expected(200, await call('GET', `/users/${userId}`)))

  /** Every module of the dashboard. */
  const board = async (query: Record<string, string> = {}) => {
    const answer = expected(200, await call('GET', '/seats', { query }))
    return SeatDashboard.parse(answer).products.flatMap(({ modules }) => modules)
  }

  return {
    api,
    product,
    plan,
    tenant,
    tenantId: TenantId.parse(tenant.id),
    license,
    call,
    issue,
    create,
    read,
    hire: async (...roles: string[]) => PersonView.parse(expected(201, await create({ roles }))),
    add: async (body: object) => PersonView.parse(expected(201, await create(body))),
    edit: async (userId: string, body: object) => {
      const { revision } = await read(userId)
      return call('PATCH', `/users/${userId}`, { body, headers: { 'if-match': `"${revision}"` } })
    },
    archive: (userId: string) => call('POST', `/users/${userId}/archive`, { body: {} }),
    seat: (userId: string, action: '' | '/revoke' | '/pin', module: string, body: object = {}) =>
      call('POST', `/users/${userId}/seats${action}`, { body: { product: product.code, module, ...body } }),
    organize: async (name: string, parentId?: string) =>
      Organization.parse(expected(201, await call('POST', '/organizations', { body: { name, parentId } }))),
    reserve: async (organizationId: string, seats: number, module = 'learn') =>
      Reservation.parse(
        expected(
          200,
          await call('PUT', '/seats/reservations', {
            body: { product: product.code, module, organizationId, seats },
          }),
        ),
      ),
    /** An action of the vendor on a license. */
    act: (licenseId: string, action: string, body: object = { reason: 'a test' }) =>
      api.call('POST', `/v1/licenses/${licenseId}/${action}`, { token: vendor, body }),
    /** The key of a license. */
    async keyOf(licenseId: string) {
      const body = { reason: 'a test' }
      const answer = await api.call('POST', `/v1/licenses/${licenseId}/reveal-key`, { token: vendor, body })
      return z.object({ key: z.string() }).parse(expected(200, answer)).key
    },
    board,
    async module(code: string, query: Record<string, string> = {}) {
      const found = (await board(query)).find((one) => one.code === code)
      if (found === undefined) throw new Error(`no module ${code}`)
      return found
    },
    /** Who waits for a seat, in order. */
    async waiting(module = 'learn', query: Record<string, string> = {}) {
      const answer = await call('GET', '/seats/pending', {
        query: { product: product.code, module, ...query },
      })
      return z
        .object({ items: z.array(z.looseObject({ userId: z.string(), reason: z.string() })) })
        .parse(expected(200, answer)).items
    },
  }
}

/** What somebody has: the metrics of its seats. */
export const metricsOf = ({ seats }: { seats: readonly Seat[] }) =>
  seats.map(({ metric }) => metric).toSorted()
