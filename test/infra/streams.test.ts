import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { contextSettings } from '../../infra/contexts.ts'
import { readStage } from '../../infra/stage.ts'
import { functionsOf, GetAtt, propertiesOf, resourcesOf, type Template, templateOf } from './template.ts'

let template: Template
let records: string
let webhooks: string

beforeAll(async () => {
  template = await templateOf(readStage('prod'))
  records = functionsOf(template).get('records')?.logicalId ?? ''
  webhooks = functionsOf(template).get('webhooks')?.logicalId ?? ''
})

const mappingOf = (lambda: string) =>
  [...resourcesOf(template, 'AWS::Lambda::EventSourceMapping').values()].find(({ Properties }) =>
    JSON.stringify(Properties).includes(`{"Ref":"${lambda}"}`),
  )?.Properties
const mapping = () => mappingOf(records)

describe('the stream of the table', () => {
  test('goes to the function records, from the oldest record on', () => {
    expect(mapping()).toMatchObject({
      EventSourceArn: { 'Fn::GetAtt': ['Table', 'StreamArn'] },
      FunctionName: { Ref: records },
      StartingPosition: 'TRIM_HORIZON',
    })
  })

  test('only with pool items whose last change names its operation, and with events as they are committed', () => {
    const { FilterCriteria } = z
      .object({ FilterCriteria: z.object({ Filters: z.array(z.object({ Pattern: z.string() })) }) })
      .parse(mapping())
    expect(FilterCriteria.Filters.map(({ Pattern }) => JSON.parse(Pattern))).toEqual([
      { dynamodb: { NewImage: { last: { M: { op: { S: [{ exists: true }] } } } } } },
      { eventName: ['INSERT'], dynamodb: { NewImage: { entity: { S: ['event'] } } } },
    ])
  })

  test('within a second, and a record that always fails is found, repeated, and given up while the stream still has it', () => {
    const properties = z
      .object({ MaximumRecordAgeInSeconds: z.number(), MaximumRetryAttempts: z.number() })
      .parse(mapping())
    expect(mapping()).toMatchObject({
      MaximumBatchingWindowInSeconds: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      ParallelizationFactor: 10,
    })
    expect(properties.MaximumRetryAttempts).toBeGreaterThan(0)
    // A stream keeps its records for a day.
    expect(properties.MaximumRecordAgeInSeconds).toBeLessThan(24 * 60 * 60)
  })

  test('what is given up goes to an encrypted queue of its own', () => {
    const { DestinationConfig } = z
      .object({ DestinationConfig: z.object({ OnFailure: z.object({ Destination: GetAtt }) }) })
      .parse(mapping())
    const [queue] = DestinationConfig.OnFailure.Destination['Fn::GetAtt']
    expect(resourcesOf(template, 'AWS::SQS::Queue').get(queue)?.Properties).toMatchObject({
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 14 * 24 * 60 * 60,
    })
    const invokeConfigs = propertiesOf(template, 'AWS::Lambda::EventInvokeConfig', z.unknown())
    expect(JSON.stringify(invokeConfigs)).not.toContain(queue)
  })
})

describe('deliveries of webhooks', () => {
  test('go to the function webhooks at once, those alone that nobody has tried; there is no third reader', () => {
    expect(resourcesOf(template, 'AWS::Lambda::EventSourceMapping').size).toBe(2)
    expect(mappingOf(webhooks)).toMatchObject({
      EventSourceArn: { 'Fn::GetAtt': ['Table', 'StreamArn'] },
      FilterCriteria: {
        Filters: [
          {
            Pattern: JSON.stringify({
              dynamodb: {
                NewImage: { entity: { S: ['webhook-delivery'] }, fresh: { BOOL: [{ exists: true }] } },
              },
            }),
          },
        ],
      },
      ParallelizationFactor: 10,
    })
    expect(mappingOf(webhooks)).not.toHaveProperty('MaximumBatchingWindowInSeconds')
  })
})

describe('the function records', () => {
  const Statement = z.object({ Action: z.union([z.string(), z.array(z.string())]), Resource: z.unknown() })
  const Policy = z.object({
    PolicyDocument: z.object({ Statement: z.array(Statement) }),
    Roles: z.array(z.object({ Ref: z.string() })),
  })

  // What else it may do, and what it may not, is in infra/permissions.md; a simulator knows no resource of ListStreams.
  test('may list this stream, and no others', () => {
    const role = functionsOf(template).get('records')?.Role['Fn::GetAtt'][0]
    const listing = propertiesOf(template, 'AWS::IAM::Policy', Policy)
      .filter(({ Roles }) => Roles.some(({ Ref }) => Ref === role))
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .filter(({ Action }) => [Action].flat().includes('dynamodb:ListStreams'))
    expect(listing).toMatchObject([{ Resource: { 'Fn::GetAtt': ['Table', 'StreamArn'] } }])
  })

  test.each([
    ['IteratorAge', () => [{ Name: 'FunctionName', Value: { Ref: records } }]],
    ['ApproximateNumberOfMessagesVisible', () => [{ Name: 'QueueName', Value: expect.anything() }]],
  ])('%s rings, and says what users lose', (metric, dimensions) => {
    const Alarm = z.object({
      MetricName: z.string(),
      AlarmDescription: z.string(),
      Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
      Threshold: z.number(),
    })
    const rung = propertiesOf(template, 'AWS::CloudWatch::Alarm', Alarm).filter(
      ({ MetricName, AlarmDescription }) =>
        MetricName === metric && AlarmDescription.startsWith(contextSettings.records.errorImpact),
    )
    expect(rung).toMatchObject([{ Dimensions: dimensions() }])
  })
})
