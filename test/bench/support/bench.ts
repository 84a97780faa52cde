import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firstVendorToken } from '../../../infra/first-token.ts'
import { startDynamoDb } from '../../../infra/local/dynamodb.ts'
import type { Environment } from '../../../shared/platform/config/environment.ts'
import { clientSettings, createTestTable } from '../../support/dynamodb.ts'
import { startTestKms } from '../../support/kms.ts'
import { type Arm, startArm } from './arm.ts'
import { type Bundles, bundleAll } from './bundles.ts'
import { type Sold, sell } from './sale.ts'

/** What every subject measures with: the bundles, a stack behind them, and licenses in it. */
export type Bench = {
  readonly bundles: Bundles
  readonly table: string
  readonly dynamoDb: string
  /** Calls to KMS since the start. */
  readonly kmsCalls: () => number
  readonly sold: Sold
  /** Of a `vendor:admin`. */
  readonly token: string
  /** Starts a function with the environment it has when deployed. */
  start(bundle: keyof Bundles, options?: { dynamoDb?: string; flags?: readonly string[] }): Promise<Arm>
  /** Says on stderr what is being done. */
  progress(text: string): void
  stop(): Promise<void>
}

export async function startBench(
  progress: (text: string) => void,
  { forHours = false }: { forHours?: boolean } = {},
): Promise<Bench> {
  progress('bundling')
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  const bundles = await bundleAll(folder)
  progress('starting DynamoDB Local and KMS')
  const [dynamoDb, kms] = await Promise.all([startDynamoDb({ forHours }), startTestKms()])
  const table = await createTestTable(dynamoDb.endpoint)
  const environment = environmentOf(table, dynamoDb.endpoint, kms)

  const start: Bench['start'] = (bundle, { dynamoDb: endpoint, flags = [] } = {}) =>
    startArm({
      bundle: bundles[bundle].file,
      environment: { ...environment, ...(endpoint && { AWS_ENDPOINT_URL_DYNAMODB: endpoint }) },
      flags,
    })

  progress('issuing licenses')
  const endpoints = { dynamodb: dynamoDb.endpoint, kms: kms.endpoint }
  const token = await firstVendorToken({ environment, endpoints })
  const sold = await sell(start, token)
  return {
    bundles,
    table,
    dynamoDb: dynamoDb.endpoint,
    kmsCalls: () => Object.values(kms.calls()).reduce((total, calls) => total + calls, 0),
    sold,
    token,
    start,
    progress,
    async stop() {
      await Promise.all([dynamoDb.close(), kms.close()])
      rmSync(folder, { recursive: true })
    },
  }
}

function environmentOf(
  table: string,
  dynamoDb: string,
  kms: Awaited<ReturnType<typeof startTestKms>>,
): Record<string, string> {
  const { region, credentials } = clientSettings(dynamoDb)
  const ours: Record<keyof (typeof Environment)['shape'], string> = {
    STAGE: 'bench',
    TABLE_NAME: table,
    ISSUER: 'https://licensing.example.test',
    CREDENTIAL_KEY_ID: kms.keys.credentials,
    OIDC_ISSUERS: '[]',
    EDGE: 'null',
    LOG_LEVEL: 'info',
  }
  return {
    ...ours,
    SIGNING_KEY_IDS: kms.keys.signing.join(','),
    ACTIVATION_KEY_IDS: kms.keys.activations.join(','),
    LICENSE_KEY_KEY_ID: kms.keys.licenseKeys,
    SESSION_KEY_ID: kms.keys.sessions,
    COUNTRY_MODULE: '',
    POWERTOOLS_METRICS_DISABLED: 'true',
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb,
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
  }
}
