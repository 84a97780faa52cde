import { randomUUID } from 'node:crypto'
import { KMSClient } from '@aws-sdk/client-kms'
import * as z from 'zod'
import { executeTransfers } from '../../../functions/licenses/execute-transfers.ts'
import type { LicenseServices } from '../../../functions/licenses/services.ts'
import { createServices } from '../../../functions/services.ts'
import { withVerifier } from '../../../functions/verified.ts'
import type { Event } from '../../../shared/domain/event.ts'
import { LicenseFile } from '../../../shared/domain/license-file.ts'
import { LicenseView } from '../../../shared/domain/license-view.ts'
import type { Tenant } from '../../../shared/domain/tenant.ts'
import { TransferView } from '../../../shared/domain/transfer-view.ts'
import { Verdict } from '../../../shared/domain/verdict.ts'
import {
  Environment,
  LicenseKeyEnvironment,
  readEnvironment,
  VerifierEnvironment,
} from '../../../shared/platform/config/environment.ts'
import type { TenantId } from '../../../shared/platform/ids.ts'
import { licenseKeyMaker } from '../../../shared/platform/signing/license-key-maker.ts'
import { licenseSigner } from '../../../shared/platform/signing/license-signer.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { eventEntity } from '../../../shared/store/event.ts'
import { eventLog } from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import type { Answer, Api } from '../../support/api.ts'
import { faultyClient } from '../../support/faults.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { expected, Issued } from '../../support/scenario.ts'

const Requested = z.object({ transfer: TransferView, transferCode: z.string().optional() })
const Collected = z.object({
  licenses: z.array(z.object({ license: LicenseView, key: z.string(), file: LicenseFile })),
})

type Market = Awaited<ReturnType<typeof openMarket>>

/** A product of which licenses may be transferred, and what can be asked about it. */
export async function openMarket(api: Api) {
  const product = await createProduct(api, {
    metrics: ['users', 'machines', 'concurrent'].map((code) => ({ code, kind: 'gauge' as const })),
    modules: [],
  })
  const issuer = await api.token('vendor:issuer')
  const admin = (tenantId: TenantId) => api.token('tenant:admin', tenantId)

  async function by(
    tenant: Tenant | undefined,
    method: string,
    path: string,
    body?: object,
  ): Promise<Answer> {
    const token = tenant === undefined ? issuer : await admin(tenant.id)
    return api.call(method, path, { token, body, headers: { 'idempotency-key': randomUUID() } })
  }

  return {
    product,
    by,
    tenant: (name = 'Example University') => createTenant(api, { name, timeZone: 'UTC' }),
    plan: (transfer: object, overrides: object = {}) =>
      createPlan(api, product.id, { rules: { transfer: { allowed: true, ...transfer } }, ...overrides }),
    async issue(tenant: Tenant, planId: string, more: object = {}): Promise<Issued> {
      const body = { tenantId: tenant.id, planId, ...more }
      return Issued.parse(expected(201, await by(undefined, 'POST', '/v1/licenses', body)))
    },
    /** Asks for a transfer: a tenant, or vendor staff where there is none. */
    ask: (tenant: Tenant | undefined, licenseId: string, body: object = {}) =>
      by(tenant, 'POST', `/v1/licenses/${licenseId}/transfers`, body),
    async request(tenant: Tenant | undefined, licenseId: string, body: object = {}) {
      const path = `/v1/licenses/${licenseId}/transfers`
      const answer = Requested.parse(expected(201, await by(tenant, 'POST', path, body)))
      return { id: answer.transfer.id, code: answer.transferCode ?? '', transfer: answer.transfer }
    },
    takeUp: (tenant: Tenant, transferCode: string) =>
      by(tenant, 'POST', `/v1/tenants/${tenant.id}/transfers`, { transferCode }),
    act: (tenant: Tenant | undefined, id: string, action: string, body: object = {}) =>
      by(tenant, 'POST', `/v1/transfers/${id}/${action}`, body),
    /** Carries out what was approved. */
    execute: () => api.run('executeTransfers'),
    async read(tenant: Tenant | undefined, id: string) {
      return TransferView.parse(expected(200, await by(tenant, 'GET', `/v1/transfers/${id}`)))
    },
    async collect(tenant: Tenant, id: string) {
      const answer = await by(tenant, 'POST', `/v1/transfers/${id}/collect`)
      const [first, ...rest] = Collected.parse(expected(200, answer)).licenses
      if (first === undefined) throw new Error('nothing was collected')
      return { ...first, rest }
    },
    /** All licenses that a tenant was ever given, by their status. */
    async held(tenant: Tenant): Promise<LicenseView[]> {
      const answer = await by(tenant, 'GET', `/v1/tenants/${tenant.id}/licenses`)
      return z.object({ items: z.array(LicenseView) }).parse(expected(200, answer)).items
    },
    async verdict(body: object): Promise<z.infer<typeof Verdict>> {
      return Verdict.parse(expected(200, await api.call('POST', '/v1/validate', { body })))
    },
    async log(tenant: Tenant): Promise<Event[]> {
      const items = await readRange(api.table, { pk: eventLog(tenant.id) })
      return items.map(eventEntity.decode)
    },
  }
}

/** A transfer of one license that waits for the approval of both sides. */
export async function waiting(
  market: Market,
  issued: Pick<Issued, 'license'>,
  giver: Tenant,
  receiver: Tenant,
) {
  const { id, code } = await market.request(giver, issued.license.id)
  expected(200, await market.takeUp(receiver, code))
  return id
}

/** The job behind a client whose next transactions meet these faults; the SDK tries once. */
export async function faultyJob() {
  const { client: dynamodb, faults } = faultyClient(1, new Set(['TransactWriteItemsCommand']))
  const kms = new KMSClient({})
  const own = readEnvironment(VerifierEnvironment.extend(LicenseKeyEnvironment.shape))
  const common = await createServices(readEnvironment(Environment), { dynamodb, kms })
  const verifying = await withVerifier(common, kms, own.SIGNING_KEY_IDS)
  const services: LicenseServices = {
    ...verifying,
    sign: licenseSigner(kms, verifying.publicKeys, common.issuer),
    keyOf: licenseKeyMaker(kms, own.LICENSE_KEY_KEY_ID),
  }
  return {
    faults,
    run: () => executeTransfers({ scheduledAt: readClock(), remaining: () => 60_000 }, services),
    stop() {
      dynamodb.destroy()
      kms.destroy()
    },
  }
}
