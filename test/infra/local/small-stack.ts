import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { BootOptions } from '../../../infra/local/boot.ts'

/** What a route of the small stack does, by the last segment of its path. */
const ECHO = `
let count = 0
const answers = {
  event: (event) => ({
    statusCode: 201,
    headers: { 'Content-Type': 'application/json', 'X-Number': 7 },
    cookies: ['a=1; Path=/', 'b=2'],
    body: JSON.stringify(event),
  }),
  string: () => 'hello',
  object: () => ({ hello: 'you' }),
  nothing: () => undefined,
  bare: () => ({ statusCode: 200, body: 'text' }),
  binary: () => ({ statusCode: 200, headers: { 'content-type': 'image/png' }, body: 'AAEC/w==', isBase64Encoded: true }),
  malformed: () => ({ statusCode: 'many' }),
  throw: () => { throw new TypeError('thrown on purpose') },
  crash: () => new Promise(() => setTimeout(() => { throw new Error('crashed on purpose') })),
  exit: () => process.exit(3),
  never: () => new Promise(() => {}),
  environment: () => process.env,
  count: () => ++count,
  context: (event, context) => ({ ...context, remaining: context.getRemainingTimeInMillis() }),
}
export const handler = (event, context) => answers[event.rawPath.split('/').at(-1)](event, context)
`

const JOB = `
let failures = 0
export const handler = async (event) => {
  if (event.fail === 'always') throw new Error('never works')
  if (event.fail === 'twice' && failures++ < 2) throw new Error('works the third time')
  return event
}
`

/** Uses the AWS SDK as real functions do: a client without a word about where AWS is. */
const ITEMS = `
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { GenerateMacCommand, KMSClient } from '@aws-sdk/client-kms'
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'

const table = DynamoDBDocumentClient.from(new DynamoDBClient())
const kms = new KMSClient()
const { TABLE_NAME: TableName, KEY_ID: KeyId } = process.env

export async function handler(event) {
  const owner = event.pathParameters.owner
  if (event.requestContext.http.method === 'PUT') {
    const { Mac } = await kms.send(
      new GenerateMacCommand({ KeyId, MacAlgorithm: 'HMAC_SHA_256', Message: Buffer.from(event.body) }),
    )
    const Item = { pk: event.body, ownedPk: owner, mac: Buffer.from(Mac).toString('hex') }
    await table.send(new PutCommand({ TableName, Item }))
    return Item
  }
  const { Items } = await table.send(new QueryCommand({
    TableName, IndexName: 'owned', KeyConditionExpression: 'ownedPk = :owner', ExpressionAttributeValues: { ':owner': owner },
  }))
  return Items
}
`

const index = (name: string, attribute: string) => ({
  IndexName: name,
  KeySchema: [{ AttributeName: attribute, KeyType: 'HASH' }],
  Projection: { ProjectionType: 'ALL' },
})

const table = (...indexes: ReturnType<typeof index>[]) => ({
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: ['pk', ...indexes.map(({ KeySchema }) => KeySchema[0]?.AttributeName)].map(
      (AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      }),
    ),
    GlobalSecondaryIndexes: indexes,
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  },
  DeletionPolicy: 'Delete',
})

const tableWithOneIndex = table(index('owned', 'ownedPk'))
export const tableWithTwoIndexes = table(index('owned', 'ownedPk'), index('kind', 'kindPk'))
export const tableWithAnotherKey = {
  ...tableWithOneIndex,
  Properties: { ...tableWithOneIndex.Properties, KeySchema: [{ AttributeName: 'ownedPk', KeyType: 'HASH' }] },
}

/** Seconds; what runs out of it does so in `echo`. */
const TIMEOUT = 1
/** What loads the SDK takes longer than that on a busy machine. */
const LONG_TIMEOUT = 30

const lambda = (asset: string, variables: Record<string, unknown> = {}, Timeout = TIMEOUT) => ({
  Type: 'AWS::Lambda::Function',
  Metadata: { 'aws:asset:path': `asset.${asset}`, 'aws:asset:property': 'Code' },
  Properties: {
    Code: { S3Bucket: { 'Fn::Sub': `assets-\${AWS::AccountId}` }, S3Key: `${asset}.zip` },
    Handler: 'index.handler',
    Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
    Timeout,
    Environment: { Variables: variables },
  },
})

const integration = (functionId: string) => ({
  Type: 'AWS::ApiGatewayV2::Integration',
  Properties: {
    ApiId: { Ref: 'Api' },
    IntegrationType: 'AWS_PROXY',
    IntegrationUri: { 'Fn::GetAtt': [functionId, 'Arn'] },
    PayloadFormatVersion: '2.0',
  },
})

const route = (RouteKey: string, integrationId: string) => ({
  Type: 'AWS::ApiGatewayV2::Route',
  Properties: {
    ApiId: { Ref: 'Api' },
    RouteKey,
    AuthorizationType: 'NONE',
    Target: { 'Fn::Join': ['', ['integrations/', { Ref: integrationId }]] },
  },
})

const schedule = (Name: string, input: object, job = 'Job', ScheduleExpression = 'rate(30 days)') => ({
  Type: 'AWS::Scheduler::Schedule',
  Properties: {
    Name,
    ScheduleExpression,
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: {
      Arn: { 'Fn::GetAtt': [job, 'Arn'] },
      RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
      Input: JSON.stringify(input),
      RetryPolicy: { MaximumRetryAttempts: 2 },
      DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['DeadLetters', 'Arn'] } },
    },
  },
})

export const template = {
  Parameters: { BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap' } },
  Resources: {
    // In an order in which nothing finds what it refers to, as CDK may write it.
    EchoRoute: route('ANY /echo/{what}', 'EchoIntegration'),
    DeepRoute: route('GET /deep/{id}/event', 'EchoIntegration'),
    ItemsRoute: route('ANY /items/{owner}', 'ItemsIntegration'),
    EchoIntegration: integration('EchoFunction0A1B2C3D'),
    ItemsIntegration: integration('Items'),
    EchoFunction0A1B2C3D: lambda('echo', {
      STAGE: 'local',
      URL: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] },
      COUNT: 3,
    }),
    Items: lambda(
      'items',
      { TABLE_NAME: { Ref: 'Table' }, KEY_ID: { 'Fn::GetAtt': ['Key', 'KeyId'] } },
      LONG_TIMEOUT,
    ),
    Job: lambda('job'),
    Impatient: lambda('job'),
    ImpatientConfig: {
      Type: 'AWS::Lambda::EventInvokeConfig',
      Properties: {
        FunctionName: { Ref: 'Impatient' },
        Qualifier: '$LATEST',
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['DeadLetters', 'Arn'] } } },
      },
    },
    Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: {} } },
    Table: tableWithOneIndex,
    Key: {
      Type: 'AWS::KMS::Key',
      Properties: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', KeyPolicy: {} },
    },
    Plain: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: {} } },
    Bucket: { Type: 'AWS::S3::Bucket' },
    Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'small', ProtocolType: 'HTTP' } },
    Stage: {
      Type: 'AWS::ApiGatewayV2::Stage',
      Properties: { ApiId: { Ref: 'Api' }, StageName: '$default', AutoDeploy: true },
    },
    DeadLetters: { Type: 'AWS::SQS::Queue', Properties: {} },
    Fine: schedule('fine', {
      at: '<aws.scheduler.scheduled-time>',
      execution: '<aws.scheduler.execution-id>',
      attempt: '<aws.scheduler.attempt-number>',
      schedule: '<aws.scheduler.schedule-arn>',
    }),
    Twice: schedule('twice', { fail: 'twice', attempt: '<aws.scheduler.attempt-number>' }),
    Always: schedule('always', { fail: 'always', at: '<aws.scheduler.scheduled-time>' }),
    Once: schedule('once', { fail: 'always' }, 'Impatient'),
    Nightly: schedule('nightly', {}, 'Job', 'cron(0 3 * * ? *)'),
    CDKMetadata: { Type: 'AWS::CDK::Metadata', Properties: {}, Condition: 'CDKMetadataAvailable' },
  },
  Outputs: { Url: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } }, Table: { Value: { Ref: 'Table' } } },
}

/** The same template with some resources exchanged. */
export const templateWith = (resources: Record<string, unknown>) => ({
  ...template,
  Resources: { ...template.Resources, ...resources },
})

/** A cloud assembly of the small stack in a folder of its own; `remove` deletes it with all that was written there. */
export async function makeAssembly(): Promise<{ folder: string; options: BootOptions; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-stack-'))
  const assemblyDir = join(folder, 'assembly')
  for (const [name, code] of [
    ['echo', ECHO],
    ['job', JOB],
  ] as const) {
    mkdirSync(join(assemblyDir, `asset.${name}`), { recursive: true })
    writeFileSync(join(assemblyDir, `asset.${name}`, 'index.mjs'), code)
  }
  await build({
    stdin: { contents: ITEMS, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'node',
    outfile: join(assemblyDir, 'asset.items', 'index.cjs'),
    logLevel: 'error',
  })
  return {
    folder,
    options: { template, assemblyDir, folder: join(folder, 'data'), port: 0, quiet: true },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
