import { randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { inject } from 'vitest'
import { activationHandlers } from '../../../functions/activations/handlers.ts'
import type { ActivationServices } from '../../../functions/activations/services.ts'
import { createServices } from '../../../functions/services.ts'
import { withVerifier } from '../../../functions/verified.ts'
import { ActivationId } from '../../../shared/domain/activation.ts'
import { isRefusal } from '../../../shared/domain/refusal.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { replay } from '../../../shared/store/commit.ts'
import type { Api } from '../../support/api.ts'
import { clientSettings } from '../../support/dynamodb.ts'
import { fingerprints, type Shop } from './machines.ts'

/** What happens to a call to DynamoDB that writes. */
export type Fault = 'throttled' | 'lost' | 'twice' | { before: () => Promise<unknown> }

const WRITES = new Set(['UpdateItemCommand', 'TransactWriteItemsCommand'])

/**
 * The handlers behind a client whose next writes meet these faults, in this order: throttled, timed out after it was
 * committed, sent twice, or overtaken by something that happens before it.
 *
 * @param maxAttempts how often the SDK tries by itself
 */
export async function faultyHandlers(api: Api, shop: Shop, maxAttempts: number) {
  const client = new DynamoDBClient({ ...clientSettings(inject('dynamodbEndpoint')), maxAttempts })
  const dynamodb = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })
  const faults: Fault[] = []
  // The innermost step: the SDK's own retries are around it, as they are around the network.
  dynamodb.middlewareStack.add(
    (next, context) => async (args) => {
      const fault = WRITES.has(String(context.commandName)) ? faults.shift() : undefined
      if (fault === 'throttled') throw named('ThrottlingException')
      if (typeof fault === 'object') await fault.before()
      const result = await next(args)
      if (fault === 'lost') throw named('TimeoutError')
      return fault === 'twice' ? next(args) : result
    },
    { step: 'deserialize', priority: 'high' },
  )
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
      client.destroy()
      kms.destroy()
    },
  }
}

export type FaultyHandlers = Awaited<ReturnType<typeof faultyHandlers>>

const named = (name: string) => Object.assign(new Error(`injected: ${name}`), { name })

/** Asks again while the service fails, as a client does. */
export async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      if (tries === 5) throw error
    }
  }
}

/** The id an answer names, or its refusal. */
export function idOf(answer: unknown): string {
  if (isRefusal(answer)) return answer.refused
  const { replayed } = Object(answer)
  return String(Object(Object(replayed ?? answer).activation).id)
}
