import { randomUUID } from 'node:crypto'
import { KMSClient } from '@aws-sdk/client-kms'
import { activationHandlers } from '../../../functions/activations/handlers.ts'
import type { ActivationServices } from '../../../functions/activations/services.ts'
import { createServices } from '../../../functions/services.ts'
import { withVerifier } from '../../../functions/verified.ts'
import { isRefusal } from '../../../shared/domain/refusal.ts'
import { ActivationId } from '../../../shared/platform/ids.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { replay } from '../../../shared/store/commit.ts'
import type { Api } from '../../support/api.ts'
import { faultyClient } from '../../support/faults.ts'
import { fingerprints, type Shop } from './machines.ts'

/**
 * The handlers behind a client whose next writes meet these faults, in this order.
 *
 * @param maxAttempts how often the SDK tries by itself
 */
export async function faultyHandlers(api: Api, shop: Shop, maxAttempts: number) {
  const { client: dynamodb, faults, meet } = faultyClient(maxAttempts)
  // Region, credentials and endpoint come from the environment, as startApi set it for the functions.
  const kms = new KMSClient({})
  const environment = {
    STAGE: 'test',
    TABLE_NAME: api.table.name,
    ISSUER: 'https://licensing.example.test',
    CREDENTIAL_KEY_ID: api.kmsKeys.credentials,
    OIDC_ISSUERS: [],
    EDGE: null,
    LOG_LEVEL: 'error' as const,
  }
  const common = await createServices(environment, { dynamodb, kms })
  const services: ActivationServices = {
    ...(await withVerifier(common, kms, api.kmsKeys.signing)),
    sign: () => Promise.resolve('not signed here'),
    countryOf: async () => undefined,
  }
  const { tenantId, productId, license } = shop
  const callOf = (idempotencyKey: string | undefined) => ({
    params: undefined,
    query: undefined,
    now: readClock(),
    caller: { kind: 'license' as const, tenantId, productId, licenseId: license.id, subject: license.id },
    requestId: randomUUID(),
    address: '203.0.113.1',
    revision: 0,
    idempotencyKey,
    fingerprint: 'of the request',
    licenseKey: undefined,
    remaining: () => 10_000,
  })
  type Call = ReturnType<typeof callOf>
  /** As the pipeline does: the answer to an earlier request with the key comes before the handler. */
  const once = async (call: Call, handle: (call: Call) => Promise<unknown>) =>
    (await replay(common.table, common.secrets.sealingKey, call)) ?? handle(call)
  const activationId = (text: string) => ActivationId.parse(text)

  return {
    faults,
    meet,
    activate: (parts: readonly string[], key?: string) =>
      once(callOf(key), (call) =>
        activationHandlers.activateMachine(
          { ...call, body: { fingerprints: fingerprints(...parts) } },
          services,
        ),
      ),
    beat: (id: string) =>
      once(callOf(undefined), (call) =>
        activationHandlers.beatActivation({ ...call, body: { activationId: activationId(id) } }, services),
      ),
    deactivate: (id: string, key?: string) =>
      once(callOf(key), (call) =>
        activationHandlers.deactivateMachine(
          { ...call, body: undefined, params: { tenantId, activationId: activationId(id) }, query: {} },
          services,
        ),
      ),
    move: (id: string, parts: readonly string[], key?: string) =>
      once(callOf(key), (call) =>
        activationHandlers.moveActivation(
          {
            ...call,
            params: { tenantId, activationId: activationId(id) },
            body: { fingerprints: fingerprints(...parts) },
          },
          services,
        ),
      ),
    stop() {
      dynamodb.destroy()
      kms.destroy()
    },
  }
}

/** The id an answer names, or its refusal. */
export function idOf(answer: unknown): string {
  if (isRefusal(answer)) return answer.refused
  const { replayed } = Object(answer)
  return String(Object(Object(replayed ?? answer).activation).id)
}
