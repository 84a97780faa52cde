import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { jobs } from '../../functions/jobs.ts'
import { type Needs, needs } from '../../functions/needs.ts'
import { RecordsEnvironment } from '../../functions/records/environment.ts'
import { operations } from '../../functions/routes.ts'
import { contextNames, contextSettings } from '../../infra/contexts.ts'
import { COUNTRY_MODULE, readStage } from '../../infra/stage.ts'
import {
  ActivationKeyEnvironment,
  AuditKeyEnvironment,
  Environment,
  LicenseKeyEnvironment,
  PlaceEnvironment,
  SessionKeyEnvironment,
  VerifierEnvironment,
  WebhookEnvironment,
} from '../../shared/platform/config/environment.ts'
import { MailEnvironment } from '../../shared/platform/config/mail-environment.ts'
import { TABLE } from '../../shared/store/table.ts'
import {
  functionsOf,
  GetAtt,
  onlyOne,
  propertiesOf,
  resourcesOf,
  type Template,
  templateOf,
} from './template.ts'

const EDGE = {
  countryHeader: 'cloudfront-viewer-country',
  proofHeader: 'x-edge-proof',
  proofSha256: ['ab'.repeat(32)],
}

let dev: Template
let prod: Template

beforeAll(async () => {
  dev = await templateOf(readStage('dev'))
  prod = await templateOf({ ...readStage('prod'), signingKeys: 4, edge: EDGE, countryModule: 'geo/mine.ts' })
})

describe('table', () => {
  test('is what shared/store/table.ts says, on demand, with recovery, stream and expiry', () => {
    const { Properties } = onlyOne(dev, 'AWS::DynamoDB::Table')
    expect(Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      TimeToLiveSpecification: { AttributeName: TABLE.ttl, Enabled: true },
      KeySchema: [
        { AttributeName: TABLE.partitionKey, KeyType: 'HASH' },
        { AttributeName: TABLE.sortKey, KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: TABLE.indexes.map(({ name, partitionKey, sortKey }) => ({
        IndexName: name,
        KeySchema: [
          { AttributeName: partitionKey, KeyType: 'HASH' },
          { AttributeName: sortKey, KeyType: 'RANGE' },
        ],
      })),
    })
  })

  test('cannot be deleted where the stage protects it, and goes with the stack elsewhere', () => {
    const [inDev, inProd] = [dev, prod].map((template) => onlyOne(template, 'AWS::DynamoDB::Table'))
    expect(inDev).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: { DeletionProtectionEnabled: false },
    })
    expect(inProd).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { DeletionProtectionEnabled: true },
    })
  })
})

describe('keys', () => {
  const signingKeys = (template: Template) =>
    [...resourcesOf(template, 'AWS::KMS::Key')].filter(([id]) => id.startsWith('LicenseSigningKey'))

  test('as many signing keys as the stage says, retained everywhere', () => {
    expect(signingKeys(dev).map(([id]) => id)).toEqual(['LicenseSigningKey1', 'LicenseSigningKey2'])
    expect(signingKeys(prod)).toHaveLength(4)
    for (const [, key] of [...signingKeys(dev), ...signingKeys(prod)]) {
      expect(key).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
      })
    }
  })

  test('functions get the signing keys oldest first', () => {
    const ids = functionsOf(prod).get('licenses')?.Environment.Variables['SIGNING_KEY_IDS']
    const refs = [1, 2, 3, 4].map((number) => ({ Ref: `LicenseSigningKey${number}` }))
    expect(ids).toEqual({
      'Fn::Join': ['', refs.flatMap((ref, index) => (index === 0 ? [ref] : [',', ref]))],
    })
  })

  test.each([
    ['CredentialKey', 'HMAC_256'],
    ['LicenseKeyKey', 'HMAC_256'],
    ['SessionKey', 'HMAC_512'],
  ])('%s is %s and stays where the stage protects it', (id, KeySpec) => {
    const Properties = { KeySpec, KeyUsage: 'GENERATE_VERIFY_MAC' }
    expect(dev.Resources[id]).toMatchObject({ DeletionPolicy: 'Delete', Properties })
    expect(prod.Resources[id]).toMatchObject({ DeletionPolicy: 'Retain', Properties })
  })
})

describe('functions', () => {
  test('one per context, arm64, Node.js 24, done before the API gives up', () => {
    const functions = functionsOf(prod)
    expect(resourcesOf(prod, 'AWS::Lambda::Function').size).toBe(contextNames.length)
    for (const [context, lambda] of functions) {
      expect(lambda).toMatchObject({
        Architectures: ['arm64'],
        Runtime: 'nodejs24.x',
        MemorySize: contextSettings[context].memoryMb,
      })
      expect(lambda.Timeout).toBeLessThan(30)
    }
  })

  test('each has exactly the variables of its schemas', () => {
    for (const [context, { Environment: environment }] of functionsOf(prod)) {
      const need: Needs = needs[context]
      const schemas = [
        need.stream === 'only' ? RecordsEnvironment : Environment,
        ...(need.signing ? [VerifierEnvironment] : []),
        ...(need.activationKeys ? [ActivationKeyEnvironment] : []),
        ...(need.auditKeys ? [AuditKeyEnvironment] : []),
        ...(need.licenseKeys ? [LicenseKeyEnvironment] : []),
        ...(need.sessionKeys ? [SessionKeyEnvironment] : []),
        ...(need.places ? [PlaceEnvironment] : []),
        ...(need.webhooks ? [WebhookEnvironment] : []),
        ...(need.mail ? [MailEnvironment] : []),
      ]
      const names = schemas.flatMap((schema) => Object.keys(schema.shape))
      expect(Object.keys(environment.Variables).sort(), context).toEqual(names.sort())
    }
  })

  test('the variables of a stage are what the functions can read', () => {
    const variables = functionsOf(prod).get('service')?.Environment.Variables
    const parsed = Environment.safeParse({ ...variables, TABLE_NAME: 'table', CREDENTIAL_KEY_ID: 'key' })
    expect(parsed.data).toMatchObject({
      STAGE: 'prod',
      ISSUER: readStage('prod').issuer,
      OIDC_ISSUERS: [],
      EDGE,
    })
  })

  test('those that look at places find the country module of the stage beside them', () => {
    const moduleOf = (template: Template) =>
      functionsOf(template).get('validation')?.Environment.Variables['COUNTRY_MODULE']
    expect([moduleOf(prod), moduleOf(dev)]).toEqual([`./${COUNTRY_MODULE}`, ''])
  })

  test('each writes to its own log group, and every log group forgets', () => {
    const groups = resourcesOf(prod, 'AWS::Logs::LogGroup')
    const used = [...functionsOf(prod).values()].map(({ LoggingConfig }) => LoggingConfig.LogGroup.Ref)
    expect(new Set(used).size).toBe(contextNames.length)
    // One more for the access log of the API.
    expect(groups.size).toBe(contextNames.length + 1)
    for (const { Properties } of groups.values()) {
      expect(Properties['RetentionInDays']).toBe(readStage('prod').logRetentionDays)
    }
  })
})

describe('API', () => {
  const Route = z.object({
    RouteKey: z.string(),
    Target: z.object({
      'Fn::Join': z.tuple([z.string(), z.tuple([z.string(), z.object({ Ref: z.string() })])]),
    }),
  })
  const Integration = z.object({ IntegrationUri: GetAtt, PayloadFormatVersion: z.literal('2.0') })

  test('every operation has exactly one route, of its own or of all methods of its path, to the function of its context; the rest goes to service', () => {
    const integrations = resourcesOf(dev, 'AWS::ApiGatewayV2::Integration')
    const contextOf = (integration: string) => {
      const { IntegrationUri } = Integration.parse(integrations.get(integration)?.Properties)
      const [target] = IntegrationUri['Fn::GetAtt']
      return [...functionsOf(dev)].find(([, { logicalId }]) => logicalId === target)?.[0]
    }
    const routes = propertiesOf(dev, 'AWS::ApiGatewayV2::Route', Route).map(({ RouteKey, Target }) => [
      RouteKey,
      contextOf(Target['Fn::Join'][1][1].Ref),
    ])
    const expected = operations.map(({ method, path, context }) => {
      const isForAll = routes.some(([key]) => key === `ANY ${path}`)
      return `${isForAll ? 'ANY' : method} ${path} ${context}`
    })
    const found = routes.map(([key, context]) => `${key} ${context}`)
    expect(found.sort()).toEqual([...new Set([...expected, '$default service'])].sort())
  })

  test('has one stage that deploys itself, with the throttle of the settings', () => {
    const { rate, burst } = readStage('prod').throttle
    expect(onlyOne(prod, 'AWS::ApiGatewayV2::Stage').Properties).toMatchObject({
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst },
    })
  })

  test('is not open to browsers of other origins', () => {
    expect(onlyOne(prod, 'AWS::ApiGatewayV2::Api').Properties).not.toHaveProperty('CorsConfiguration')
  })

  test('logs no path, query, header or body', () => {
    const Stage = z.object({ AccessLogSettings: z.object({ Format: z.string() }) })
    const { Format } = Stage.parse(onlyOne(prod, 'AWS::ApiGatewayV2::Stage').Properties).AccessLogSettings
    const logged: unknown = JSON.parse(Format)
    expect(Object.values(z.record(z.string(), z.string()).parse(logged)).sort()).toEqual([
      '$context.httpMethod',
      '$context.identity.sourceIp',
      '$context.integration.latency',
      '$context.integrationErrorMessage',
      '$context.requestId',
      '$context.requestTime',
      '$context.responseLatency',
      '$context.responseLength',
      '$context.routeKey',
      '$context.status',
    ])
  })
})

describe('jobs', () => {
  const Schedule = z.object({
    ScheduleExpression: z.string(),
    Target: z.object({ Input: z.string(), Arn: GetAtt, DeadLetterConfig: z.object({ Arn: GetAtt }) }),
  })

  test('every job has one schedule: its rate, its function, what it is for', () => {
    const schedules = propertiesOf(dev, 'AWS::Scheduler::Schedule', Schedule).map(({ Target, ...rest }) => ({
      ...rest,
      function: Target.Arn['Fn::GetAtt'][0],
      input: JSON.parse(Target.Input),
    }))
    const expected = Object.entries(jobs).map(([name, { context, everyMinutes }]) => ({
      ScheduleExpression: rate(everyMinutes),
      function: functionsOf(dev).get(context)?.logicalId,
      input: { job: name, scheduledAt: '<aws.scheduler.scheduled-time>' },
    }))
    const byJob = (a: { input: { job: string } }, b: { input: { job: string } }) =>
      a.input.job < b.input.job ? -1 : 1
    expect(schedules.toSorted(byJob)).toEqual(expected.toSorted(byJob))
  })

  test('a schedule fires on time, tries again, and gives up no later than the next run', () => {
    const Whole = z.looseObject({ Target: z.looseObject({ Input: z.string() }) })
    const schedules = propertiesOf(dev, 'AWS::Scheduler::Schedule', Whole)
    expect(schedules).toHaveLength(Object.keys(jobs).length)
    for (const [name, { everyMinutes }] of Object.entries(jobs)) {
      const schedule = schedules.find(({ Target }) => JSON.parse(Target.Input).job === name)
      expect(schedule).toMatchObject({
        State: 'ENABLED',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: {
          RetryPolicy: {
            MaximumRetryAttempts: 10,
            MaximumEventAgeInSeconds: Math.min(everyMinutes * 60, 24 * 60 * 60),
          },
        },
      })
    }
  })

  const Failing = z.object({
    FunctionName: z.object({ Ref: z.string() }),
    MaximumRetryAttempts: z.number(),
    MaximumEventAgeInSeconds: z.number(),
    DestinationConfig: z.object({ OnFailure: z.object({ Destination: GetAtt }) }),
  })

  test('a run that fails is repeated twice, for which it has to be allowed to wait', () => {
    for (const failing of propertiesOf(dev, 'AWS::Lambda::EventInvokeConfig', Failing)) {
      expect(failing.MaximumRetryAttempts).toBe(2)
      // A minute before the first repetition, two before the second, and what two runs take (Lambda developer guide).
      expect(failing.MaximumEventAgeInSeconds).toBeGreaterThanOrEqual(60 + 120 + 2 * 28)
    }
  })

  test('a run that cannot be delivered and a run that fails end in the same dead-letter queue', () => {
    const queues = new Map(
      propertiesOf(dev, 'AWS::Lambda::EventInvokeConfig', Failing).map(
        ({ FunctionName, DestinationConfig }) => [FunctionName.Ref, DestinationConfig.OnFailure.Destination],
      ),
    )
    for (const { Target } of propertiesOf(dev, 'AWS::Scheduler::Schedule', Schedule)) {
      expect(Target.DeadLetterConfig.Arn).toEqual(queues.get(Target.Arn['Fn::GetAtt'][0]))
      expect(dev.Resources[Target.DeadLetterConfig.Arn['Fn::GetAtt'][0]]?.Type).toBe('AWS::SQS::Queue')
    }
  })

  test('dead-letter queues are encrypted and take nothing in the clear', () => {
    const queues = [...resourcesOf(dev, 'AWS::SQS::Queue').values()]
    const policies = [...resourcesOf(dev, 'AWS::SQS::QueuePolicy').values()]
    expect(policies).toHaveLength(queues.length)
    for (const queue of queues) expect(queue.Properties).toMatchObject({ SqsManagedSseEnabled: true })
    for (const policy of policies) {
      expect(JSON.stringify(policy.Properties)).toContain(
        '"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"',
      )
    }
  })
})

function rate(minutes: number): string {
  const units = [
    [1_440, 'day'],
    [60, 'hour'],
  ] as const
  const [size, unit] = units.find(([most]) => minutes % most === 0) ?? [1, 'minute']
  const value = minutes / size
  return `rate(${value} ${unit}${value === 1 ? '' : 's'})`
}
