import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { jobs } from '../../functions/jobs.ts'
import { needs } from '../../functions/needs.ts'
import { contexts } from '../../functions/routes.ts'
import { contextNames } from '../../infra/contexts.ts'
import { readStage } from '../../infra/stage.ts'
import { functionsOf, propertiesOf, type Template, templateOf } from './template.ts'

const Statement = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.array(z.string()), z.string().transform((action) => [action])]),
  Resource: z.union([z.array(z.unknown()), z.unknown().transform((resource) => [resource])]),
  Condition: z.unknown().optional(),
})
type Statement = z.infer<typeof Statement>

const Policy = z.object({
  PolicyDocument: z.object({ Statement: z.array(Statement) }),
  Roles: z.array(z.object({ Ref: z.string() })),
})

/** All that anything of ours may do. Whoever adds to it says here why. */
const KNOWN_ACTIONS = [
  'dynamodb:BatchGetItem',
  'dynamodb:ConditionCheckItem',
  'dynamodb:DeleteItem',
  // Those of streams are what Lambda asks of the role of a stream's function.
  'dynamodb:DescribeStream',
  'dynamodb:GetItem',
  'dynamodb:GetRecords',
  'dynamodb:GetShardIterator',
  'dynamodb:ListStreams',
  'dynamodb:PutItem',
  'dynamodb:Query',
  'dynamodb:UpdateItem',
  'kms:GenerateMac',
  'kms:GetPublicKey',
  'kms:Sign',
  // Scheduler's role: to start the jobs.
  'lambda:InvokeFunction',
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  // The failure destination of the jobs' function; CDK grants the reading of two attributes with it.
  'sqs:GetQueueAttributes',
  'sqs:GetQueueUrl',
  'sqs:SendMessage',
]

/** What Lambda asks of the role of a function that is traced. */
const TRACING = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments']

/** Scheduler has a role for each function that runs jobs. */
const jobContexts = new Set<string>(Object.values(jobs).map(({ context }) => context))

let template: Template
let statements: { role: string; statement: Statement }[]

beforeAll(async () => {
  template = await templateOf(readStage('prod'))
  statements = propertiesOf(template, 'AWS::IAM::Policy', Policy).flatMap(({ PolicyDocument, Roles }) =>
    PolicyDocument.Statement.flatMap((statement) => Roles.map(({ Ref }) => ({ role: Ref, statement }))),
  )
}, 180_000)

/** The contexts whose function may do something to a resource of the template. */
function whoMay(action: string, logicalId: string): string[] {
  const roles = statements
    .filter(({ statement }) => statement.Effect === 'Allow' && statement.Action.includes(action))
    .filter(({ statement }) => JSON.stringify(statement.Resource).includes(`"${logicalId}"`))
    .map(({ role }) => role)
  return [...functionsOf(template)]
    .filter(([, { Role }]) => roles.includes(Role['Fn::GetAtt'][0]))
    .map(([context]) => context)
    .sort()
}

const all = [...contextNames].sort()
/** Those that requests reach; the others get records of the table's stream. */
const callable = all.filter((context) => Object.keys(contexts[context]).length > 0)

describe('least privilege', () => {
  test('no permission has a wildcard, in its action or in its resource; X-Ray has no resources', () => {
    expect(statements.length).toBeGreaterThan(contextNames.length)
    for (const { statement } of statements) {
      if (statement.Action.every((action) => TRACING.includes(action))) continue
      expect(JSON.stringify([statement.Action, statement.Resource])).not.toContain('*')
    }
  })

  test('nobody may do more than the known actions: no Scan, no DeleteTable', () => {
    const actions = new Set(statements.flatMap(({ statement }) => statement.Action))
    expect([...actions].sort()).toEqual([...KNOWN_ACTIONS, ...TRACING].sort())
  })

  test('every role has its own policy and no managed one', () => {
    const Role = z.object({ ManagedPolicyArns: z.undefined().optional(), Policies: z.undefined().optional() })
    expect(propertiesOf(template, 'AWS::IAM::Role', Role)).toHaveLength(
      contextNames.length + jobContexts.size,
    )
    const roles = [...functionsOf(template).values()].map(({ Role }) => Role['Fn::GetAtt'][0])
    expect(new Set(roles).size).toBe(contextNames.length)
  })

  test('licenses alone signs license files, activations alone response files; only digests, only with ES256', () => {
    for (const number of [1, 2]) {
      expect(whoMay('kms:Sign', `LicenseSigningKey${number}`)).toEqual(['licenses'])
      expect(whoMay('kms:Sign', `ActivationSigningKey${number}`)).toEqual(['activations'])
    }
    const signing = statements
      .filter(({ statement }) => statement.Action.includes('kms:Sign'))
      .filter(({ statement }) => !JSON.stringify(statement.Resource).includes('"AuditKey"'))
    expect(signing).toHaveLength(2)
    for (const { statement } of signing) {
      expect([statement.Action, statement.Condition]).toEqual([
        ['kms:Sign'],
        { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256', 'kms:MessageType': 'DIGEST' } },
      ])
    }
  })

  test('audit alone signs checkpoints: short texts as they are, with Ed25519; who scans has the public half', () => {
    expect(whoMay('kms:Sign', 'AuditKey')).toEqual(['audit'])
    expect(whoMay('kms:GetPublicKey', 'AuditKey')).toEqual(['audit', 'trust'])
    const [signing] = statements.filter(
      ({ statement }) =>
        statement.Action.includes('kms:Sign') && JSON.stringify(statement.Resource).includes('"AuditKey"'),
    )
    expect(signing?.statement.Condition).toEqual({
      StringEquals: { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' },
    })
  })

  test('only licenses makes license keys; every function of the API keeps credentials', () => {
    expect(whoMay('kms:GenerateMac', 'LicenseKeyKey')).toEqual(['licenses'])
    expect(whoMay('kms:GenerateMac', 'CredentialKey')).toEqual(callable)
  })

  test('only those who sign with session keys, or publish them, make them', () => {
    expect(whoMay('kms:GenerateMac', 'SessionKey')).toEqual(['leases', 'trust', 'validation'])
  })

  test('signing keys are verified with by those who need it, and by nobody else', () => {
    const verifiers = all.filter((context) =>
      Object.entries(needs).some(([name, need]) => name === context && 'signing' in need),
    )
    expect(whoMay('kms:GetPublicKey', 'LicenseSigningKey1')).toEqual(verifiers)
    expect(verifiers).not.toContain('service')
  })

  test('the table is written by those who need it, and read by all', () => {
    const writers = Object.entries(needs)
      .filter(([, { table }]) => table === 'write')
      .map(([name]) => name)
      .sort()
    for (const action of ['PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem']) {
      expect(whoMay(`dynamodb:${action}`, 'Table')).toEqual(writers)
    }
    for (const action of ['GetItem', 'BatchGetItem', 'Query']) {
      expect(whoMay(`dynamodb:${action}`, 'Table')).toEqual(all)
    }
    expect(writers).not.toContain('service')
  })
})

describe('who may call', () => {
  test('a function is called by this API or by Scheduler, never by anybody', () => {
    const Permission = z.object({ Principal: z.literal('apigateway.amazonaws.com'), SourceArn: z.unknown() })
    const permissions = propertiesOf(template, 'AWS::Lambda::Permission', Permission)
    expect(permissions).toHaveLength(callable.length)
    for (const { SourceArn } of permissions) expect(JSON.stringify(SourceArn)).toContain(':execute-api:')
  })

  test('Scheduler takes its role for schedules of this stack only', () => {
    const roles = propertiesOf(
      template,
      'AWS::IAM::Role',
      z.object({ AssumeRolePolicyDocument: z.unknown() }),
    )
    const trusts = roles.map(({ AssumeRolePolicyDocument }) => JSON.stringify(AssumeRolePolicyDocument))
    const scheduler = trusts.filter((trust) => trust.includes('scheduler.amazonaws.com'))
    expect(scheduler).toHaveLength(jobContexts.size)
    for (const trust of scheduler) {
      expect(trust).toContain('aws:SourceArn')
      expect(trust).toContain('aws:SourceAccount')
    }
  })
})
