import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KMSClient } from '@aws-sdk/client-kms'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type * as z from 'zod'
import type { Refusal } from '../shared/domain/refusal.ts'
import { type Authenticate, authenticator } from '../shared/platform/auth/authenticate.ts'
import { type FailureGuard, failureGuard } from '../shared/platform/auth/failures.ts'
import { type KeyLocator, keyLocator } from '../shared/platform/auth/license-keys.ts'
import { oidcVerifier } from '../shared/platform/auth/oidc.ts'
import { rateLimit } from '../shared/platform/auth/rate-limit.ts'
import type { Environment } from '../shared/platform/config/environment.ts'
import type { Replayed } from '../shared/platform/http/contract.ts'
import type { Ports } from '../shared/platform/http/exchange.ts'
import { createLog, type Log } from '../shared/platform/log.ts'
import { edgeCountry } from '../shared/platform/places/edge.ts'
import { loadSecrets, type Secrets } from '../shared/platform/signing/mac.ts'
import { Sha256 } from '../shared/platform/signing/sha256.ts'
import { readClock } from '../shared/platform/time.ts'
import { findLicenseByKey } from '../shared/store/address.ts'
import { commit, type Decision, type Request, replay } from '../shared/store/commit.ts'
import { addCount } from '../shared/store/count.ts'
import { readLicense } from '../shared/store/holdings.ts'
import { readToken, touchToken } from '../shared/store/token.ts'
import type { Table } from '../shared/store/transact.ts'

/** The part of a request that a commit records. */
export type CommitRequest = Request

/** What every context's handlers work with. */
export type Services = {
  readonly stage: string
  readonly issuer: string
  readonly table: Table
  readonly secrets: Secrets
  readonly keys: KeyLocator
  readonly guard: FailureGuard
  readonly log: Log
  /** Commits a decision with its events and the idempotent reply; see store/commit.ts. */
  readonly commit: <Reply, Label extends string>(
    request: CommitRequest,
    decision: Decision<Reply, Label>,
  ) => Promise<Reply | Refusal | Replayed>
}

/** The AWS clients of a function. */
export type Clients = { readonly dynamodb: DynamoDBDocumentClient; readonly kms: KMSClient }

/**
 * What the SDK does for each call and nobody gets anything from, a tenth of a call's CPU: it copies question and answer
 * for a logger that is none, and tells AWS again what the client is made of.
 */
const IDLE = ['loggerMiddleware', 'getUserAgentMiddleware']

export function createClients(): Clients {
  const [dynamodb, kms] = [new DynamoDBClient({ sha256: Sha256 }), new KMSClient({ sha256: Sha256 })]
  for (const name of IDLE) for (const { middlewareStack } of [dynamodb, kms]) middlewareStack.remove(name)
  return {
    dynamodb: DynamoDBDocumentClient.from(dynamodb, {
      marshallOptions: { removeUndefinedValues: true },
    }),
    kms,
  }
}

/** Puts together what all functions need. One KMS call, once in the life of a function. */
export async function createServices(
  env: z.output<typeof Environment>,
  { dynamodb, kms }: Clients,
): Promise<Services> {
  const table: Table = { client: dynamodb, name: env.TABLE_NAME }
  const secrets = await loadSecrets(kms, env.CREDENTIAL_KEY_ID)
  return {
    stage: env.STAGE,
    issuer: env.ISSUER,
    table,
    secrets,
    keys: keyLocator(secrets.licenseKeyHash, (hash) => findLicenseByKey(table, hash)),
    guard: failureGuard(addCount.bind(undefined, table)),
    log: createLog(env.LOG_LEVEL),
    commit: (request, decision) => commit(table, secrets.sealingKey, request, decision),
  }
}

/** The pipeline's side of the same services. */
export function createPorts(env: z.output<typeof Environment>, services: Services): Ports {
  const { table, secrets, keys, guard, log } = services
  const authenticate: Authenticate = authenticator({
    readToken: (id) => readToken(table, id),
    touchToken: (id, now) => touchToken(table, id, now),
    tokenHash: secrets.tokenHash,
    staffAlias: secrets.staffAlias,
    keys,
    isCurrentKey: async (key) => (await readLicense(table, key))?.keyHash === key.keyHash,
    oidc: oidcVerifier(env.OIDC_ISSUERS),
    guard,
  })
  return {
    clock: readClock,
    log,
    authenticate,
    rateLimit: rateLimit(addCount.bind(undefined, table)),
    edgeCountry: edgeCountry(env.EDGE),
    replay: (call) => replay(table, secrets.sealingKey, call),
  }
}
