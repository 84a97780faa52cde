import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { inject } from 'vitest'
import * as z from 'zod'
import { type JobName, jobs } from '../../functions/jobs.ts'
import { type ContextName, operations } from '../../functions/routes.ts'
import { firstVendorToken } from '../../infra/first-token.ts'
import { callDynamoDb } from '../../infra/local/dynamodb-wire.ts'
import { RouteTable } from '../../infra/local/http/routes.ts'
import type { Role } from '../../shared/domain/access.ts'
import type { EdgeSettings, OidcIssuer } from '../../shared/platform/config/environment.ts'
import type { MailSettings } from '../../shared/platform/config/mail-environment.ts'
import type { HttpHandler } from '../../shared/platform/http/pipeline.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { type Instant, readClock } from '../../shared/platform/time.ts'
import type { Table } from '../../shared/store/transact.ts'
import { meterDynamo } from './dynamo-meter.ts'
import { clientSettings, createTestTable } from './dynamodb.ts'
import { startTestKms, type TestKeys } from './kms.ts'
import { noteOutcome } from './note-outcome.ts'
import { signNothing } from './sdk.ts'

export type CallOptions = {
  /** For `Authorization: Bearer`. */
  readonly token?: string | undefined
  /** An object is sent as JSON, a string as it is. */
  readonly body?: unknown
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Where the request comes from. */
  readonly address?: string
  /** Milliseconds until the function is stopped, each time it asks; a timeout's worth unless said otherwise. */
  readonly remaining?: () => number
}

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Parsed, where it is JSON; bytes, where it is base64. */
  readonly body: unknown
}

/** Milliseconds until a function is stopped, always or each time it asks. */
type Remaining = number | (() => number)

export type Api = {
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** Any event for the function of a context. */
  invoke(context: ContextName, event: unknown, remaining?: Remaining): Promise<unknown>
  /** A run of a job as the scheduler starts it. */
  run(job: JobName, scheduledAt?: Instant, remaining?: Remaining): Promise<void>
  /** A live token of this role; the same one each time. */
  token(role: Role, tenantId?: TenantId): Promise<string>
  /** For looking behind the API. */
  readonly table: Table
  readonly kmsKeys: TestKeys
  /** Calls of this process to DynamoDB since the start, by operation. */
  dynamoCalls(): Readonly<Record<string, number>>
  /** Calls to KMS since the start, by operation. */
  kmsCalls(): Readonly<Record<string, number>>
  stop(): Promise<void>
}

/** What making a world takes: also of an API that is deployed, by HTTP. */
export type ApiClient = Pick<Api, 'call' | 'token' | 'table'>

type ApiOptions = {
  readonly oidcIssuers?: readonly z.input<typeof OidcIssuer>[]
  readonly edge?: EdgeSettings
  /** The URL of a module with `countryOf`. */
  readonly countryModule?: string
  /** How mail is sent; not at all unless said otherwise. */
  readonly mail?: MailSettings
  /** Where functions find DynamoDB, if something stands between. */
  readonly dynamoDb?: string
}

/**
 * The API in this process: the real functions, with a table of their own, behind events as API Gateway makes them. A
 * function is loaded at its first request. It reads its environment then, so there is one API at a time in a process.
 */
export async function startApi({
  oidcIssuers = [],
  edge,
  countryModule,
  mail,
  dynamoDb,
}: ApiOptions = {}): Promise<Api> {
  signNothing()
  const endpoint = inject('dynamodbEndpoint')
  const [kms, tableName] = await Promise.all([startTestKms(), createTestTable(endpoint)])
  const settings = clientSettings(endpoint)
  const environment = {
    STAGE: 'test',
    TABLE_NAME: tableName,
    ISSUER: 'https://licensing.example.test',
    CREDENTIAL_KEY_ID: kms.keys.credentials,
    SIGNING_KEY_IDS: kms.keys.signing.join(','),
    ACTIVATION_KEY_IDS: kms.keys.activations.join(','),
    AUDIT_KEY_ID: kms.keys.audit,
    LICENSE_KEY_KEY_ID: kms.keys.licenseKeys,
    SESSION_KEY_ID: kms.keys.sessions,
    OIDC_ISSUERS: JSON.stringify(oidcIssuers),
    EDGE: JSON.stringify(edge ?? null),
    COUNTRY_MODULE: countryModule ?? '',
    WEBHOOK_TARGETS: 'loopback',
    MAIL: JSON.stringify(mail ?? null),
    PUBLIC_URL: 'https://licensing.example.test',
    LOG_LEVEL: 'error',
    AWS_REGION: settings.region,
    AWS_ACCESS_KEY_ID: settings.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: settings.credentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb ?? endpoint,
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
  }
  Object.assign(process.env, environment)
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(settings), {
    marshallOptions: { removeUndefinedValues: true },
  })
  const dynamoCalls = meterDynamo()
  const load = loader(tableName)
  const routes = routeTable(load)
  const tokens = new Map<string, Promise<string>>()

  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const match = routes.match(method, path)
    if (match === undefined) return { status: 404, headers: {}, body: { message: 'Not Found' } }
    const { routeKey, pathParameters } = match
    const event = eventOf({ method, path, routeKey, pathParameters, ...options })
    const { remaining = () => TIMEOUT_MILLISECONDS } = options
    const answer = answerOf(await clock.run(remaining, () => match.target.invoke(JSON.stringify(event))))
    noteOutcome(operationIds.get(routeKey) ?? 'none', outcome(answer))
    return answer
  }

  async function makeToken(role: Role, tenantId: TenantId | undefined): Promise<string> {
    if (role === 'vendor:admin')
      return firstVendorToken({ environment, endpoints: { dynamodb: endpoint, kms: kms.endpoint } })
    const body = { name: `A ${role}`, role, tenantId }
    const answer = await call('POST', '/v1/tokens', { token: await token('vendor:admin'), body })
    return z.object({ token: z.string() }).parse(answer.body).token
  }

  function token(role: Role, tenantId?: TenantId): Promise<string> {
    const name = `${role} ${tenantId}`
    const made = tokens.get(name) ?? makeToken(role, tenantId)
    tokens.set(name, made)
    return made
  }

  async function invoke(
    context: ContextName,
    event: unknown,
    remaining: Remaining = 60_000,
  ): Promise<unknown> {
    const handler = await load(context)
    return handler(event, {
      getRemainingTimeInMillis: typeof remaining === 'number' ? () => remaining : remaining,
    })
  }

  async function run(job: JobName, scheduledAt: Instant = readClock(), remaining?: Remaining): Promise<void> {
    await invoke(jobs[job].context, { job, scheduledAt }, remaining)
  }

  return {
    call,
    invoke,
    run,
    token,
    table: { client, name: tableName },
    kmsKeys: kms.keys,
    dynamoCalls,
    kmsCalls: kms.calls,
    async stop() {
      await callDynamoDb(endpoint, 'DeleteTable', { TableName: tableName })
      client.destroy()
      await kms.close()
    },
  }
}

/** How a request ended, in short: `201`, or `409 CODE_TAKEN`. */
export function outcome({ status, headers, body }: Answer): string {
  const problem = z.object({ code: z.string() }).safeParse(body)
  // SCIM's error bodies have no place for it.
  const code = problem.success ? problem.data.code : headers['x-problem-code']
  return status >= 400 && code !== undefined ? `${status} ${code}` : String(status)
}

/** The fields that a problem document names. */
export function wrongFields({ body }: Answer): string[] {
  const Problem = z.object({ errors: z.array(z.object({ field: z.string() })).default([]) })
  return Problem.parse(body).errors.map(({ field }) => field)
}

const operationIds = new Map(
  operations.map(({ method, path, operationId }) => [`${method} ${path}`, operationId]),
)

const TIMEOUT_MILLISECONDS = 150_000

/** The remaining time of the request a function serves. */
const clock = new AsyncLocalStorage<() => number>()

function routeTable(load: ReturnType<typeof loader>): RouteTable {
  const routes = new RouteTable()
  for (const { method, path, context } of operations) {
    routes.add(`${method} ${path}`, {
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
      async invoke(event) {
        const handler = await load(context)
        const getRemainingTimeInMillis = clock.getStore()
        if (getRemainingTimeInMillis === undefined) throw new Error('a function runs within a request')
        const result = await handler(JSON.parse(event), { getRemainingTimeInMillis })
        return JSON.stringify(result)
      },
    })
  }
  return routes
}

const Entry = z.object({ handler: z.custom<HttpHandler>((value) => typeof value === 'function') })

/** Loads a function once for a table: its entry is evaluated anew, what it imports is what this process has already. */
function loader(tableName: string) {
  const handlers = new Map<ContextName, Promise<HttpHandler>>()
  return (context: ContextName): Promise<HttpHandler> => {
    const entry = new URL(`../../functions/${context}/index.ts`, import.meta.url).pathname
    const loading =
      handlers.get(context) ??
      import(/* @vite-ignore */ `${entry}?table=${tableName}`).then((module) => Entry.parse(module).handler)
    handlers.set(context, loading)
    return loading
  }
}

type Request = Omit<CallOptions, 'remaining'> & {
  readonly method: string
  readonly path: string
  readonly routeKey: string
  readonly pathParameters: Readonly<Record<string, string>> | undefined
}

/** What API Gateway sends, payload format 2.0: parts that are empty are absent. */
function eventOf({ method, path, routeKey, pathParameters, token, body, query, headers, address }: Request) {
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: new URLSearchParams(query).toString(),
    headers: {
      ...(text !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(query && { queryStringParameters: query }),
    ...(pathParameters && { pathParameters }),
    requestContext: {
      requestId: randomUUID(),
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: address ?? '203.0.113.1' },
    },
    ...(text !== undefined && { body: text }),
    isBase64Encoded: false,
  }
}

const Result = z.strictObject({
  statusCode: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  isBase64Encoded: z.literal(true).optional(),
})

function answerOf(result: string): Answer {
  const { statusCode, headers, body, isBase64Encoded } = Result.parse(JSON.parse(result))
  if (isBase64Encoded) return { status: statusCode, headers, body: Buffer.from(body, 'base64') }
  const isJson = /[/+]json(;|$)/.test(headers['content-type'] ?? '')
  return { status: statusCode, headers, body: isJson ? JSON.parse(body) : body }
}
