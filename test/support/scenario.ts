import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { Plan, Product } from '../../shared/domain/catalog.ts'
import type { Event } from '../../shared/domain/event.ts'
import { LicenseFile } from '../../shared/domain/license-file.ts'
import { LicenseView } from '../../shared/domain/license-view.ts'
import type { Tenant } from '../../shared/domain/tenant.ts'
import { Verdict } from '../../shared/domain/verdict.ts'
import { DAY, type Instant, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { licenseKey } from '../../shared/store/keys.ts'
import { type Answer, type Api, type CallOptions, outcome } from './api.ts'
import { eventsOf } from './events.ts'
import { createPlan, createProduct, createTenant } from './resources.ts'

/** What issuing answers. */
export const Issued = z.strictObject({ license: LicenseView, key: z.string(), file: LicenseFile })
export type Issued = z.infer<typeof Issued>
export const Answered = z.strictObject({ ...Verdict.shape, signed: z.string().optional() })
export type Answered = z.infer<typeof Answered>

type Row = Record<string, unknown>

/** A vendor with a product and plans of each term, and a tenant in UTC, made through the API. */
export type Scenario = {
  readonly api: Api
  readonly product: Product
  readonly plans: Readonly<Record<'year' | 'month' | 'perpetual' | 'trial', Plan>>
  readonly tenant: Tenant
  /** Asks for a license; the yearly plan and this tenant unless said otherwise. */
  order(order?: object, options?: CallOptions): Promise<Answer>
  issue(order?: object): Promise<Issued>
  /** An action of the vendor on a license, such as `suspend`. */
  act(licenseId: string, action: string, body?: object, options?: CallOptions): Promise<Answer>
  read(licenseId: string): Promise<LicenseView>
  fileOf(licenseId: string): Promise<LicenseFile>
  upload(file: unknown, options?: CallOptions): Promise<Answer>
  validate(body: object, options?: CallOptions): Promise<Answered>
  /** The tenant's events about a subject, oldest first. */
  events(subjectId: string): Promise<Event[]>
  /** The stored row of a license. */
  row(license: LicenseView): Promise<Row>
  /** Changes the row behind the API's back; `undefined` takes a field away. */
  edit(license: LicenseView, changes: Row): Promise<void>
  /** Puts back a row as it was read. */
  restore(row: Row): Promise<void>
}

/** Days from now; negative ones are over. */
export const inDays = (days: number): Instant => plusMilliseconds(readClock(), days * DAY)

const PRODUCT = {
  metrics: [
    { code: 'users', kind: 'gauge' },
    { code: 'departments', kind: 'gauge' },
    { code: 'signatures', kind: 'counter' },
    { code: 'certificates', kind: 'gauge' },
  ],
  features: [
    { code: 'sso', type: 'boolean' },
    { code: 'storage-gb', type: 'number' },
    { code: 'edition', type: 'string' },
  ],
  modules: [
    { code: 'learn', name: 'Learn', metrics: ['users', 'departments'], features: ['sso'] },
    { code: 'observe', name: 'Observe', metrics: ['certificates'], features: [] },
  ],
} satisfies Parameters<typeof createProduct>[1]

const PLANS = {
  year: {},
  month: { duration: 'P1M', graceDays: 0 },
  perpetual: { term: 'perpetual', duration: undefined, graceDays: 0 },
  trial: { term: 'trial', duration: 'P14D', graceDays: 0 },
}

export async function createScenario(api: Api): Promise<Scenario> {
  const product = await createProduct(api, PRODUCT)
  const [year, month, perpetual, trial, tenant] = await Promise.all([
    createPlan(api, product.id, PLANS.year),
    createPlan(api, product.id, PLANS.month),
    createPlan(api, product.id, PLANS.perpetual),
    createPlan(api, product.id, PLANS.trial),
    createTenant(api, { timeZone: 'UTC' }),
  ])
  const issuer = await api.token('vendor:issuer')
  const administrator = await api.token('tenant:admin', tenant.id)
  const keyOf = ({ tenantId, productId, id }: LicenseView) => licenseKey(tenantId, productId, id)

  const order: Scenario['order'] = (wanted = {}, options = {}) =>
    api.call('POST', '/v1/licenses', {
      token: issuer,
      body: { tenantId: tenant.id, planId: year.id, ...wanted },
      ...options,
    })

  async function row(license: LicenseView): Promise<Row> {
    const { client, name } = api.table
    const { Item } = await client.send(
      new GetCommand({ TableName: name, Key: keyOf(license), ConsistentRead: true }),
    )
    return Item ?? {}
  }

  async function write(item: Row): Promise<void> {
    const { client, name } = api.table
    await client.send(new PutCommand({ TableName: name, Item: item }))
  }

  return {
    api,
    product,
    plans: { year, month, perpetual, trial },
    tenant,
    order,
    issue: async (wanted) => Issued.parse(expected(201, await order(wanted))),
    act: (licenseId, action, body = { reason: 'a test' }, options = {}) =>
      api.call('POST', `/v1/licenses/${licenseId}/${action}`, { token: issuer, body, ...options }),
    read: async (licenseId) =>
      LicenseView.parse(expected(200, await api.call('GET', `/v1/licenses/${licenseId}`, { token: issuer }))),
    fileOf: async (licenseId) =>
      LicenseFile.parse(
        expected(200, await api.call('GET', `/v1/licenses/${licenseId}/file`, { token: issuer })),
      ),
    upload: (file, options = {}) =>
      api.call('POST', `/v1/tenants/${tenant.id}/licenses/upload`, {
        token: administrator,
        body: { file },
        ...options,
      }),
    validate: async (body, options = {}) =>
      Answered.parse(expected(200, await api.call('POST', '/v1/validate', { body, ...options }))),
    events: (subjectId) => eventsOf(api.table, subjectId, tenant.id),
    row,
    edit: async (license, changes) => write({ ...(await row(license)), ...changes }),
    restore: write,
  }
}

/** The body, if the answer has the status. */
export function expected(status: number, answer: Answer): unknown {
  if (answer.status === status) return answer.body
  throw new Error(`expected ${status}, got ${outcome(answer)}: ${JSON.stringify(answer.body)}`)
}

/** The findings of a verdict, by their codes. */
export const codesOf = ({ findings }: Pick<Answered, 'findings'>) => findings.map(({ code }) => code)
