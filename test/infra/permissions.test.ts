import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { jobs } from '../../functions/jobs.ts'
import { type ContextName, contexts } from '../../functions/routes.ts'
import { contextNames } from '../../infra/contexts.ts'
import { readStage } from '../../infra/stage.ts'
import type { Route } from '../../shared/platform/http/contract.ts'
import { type Guarded, guardedNames } from '../../shared/store/guarded.ts'
import * as keys from '../../shared/store/keys.ts'
import { IDS } from '../store/sample-ids.ts'
import { type Iam, iamOf } from './iam.ts'
import { functionsOf, GetAtt, propertiesOf, type Template, templateOf } from './template.ts'

const MAIL = 'Licensing <licensing@vendor.example>'
/** What Lambda asks of the role of a function that is traced. */
const TRACING = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments']
/** Scheduler has a role for each function that runs jobs. */
const jobContexts = new Set<string>(Object.values(jobs).map(({ context }) => context))

let template: Template
let iam: Iam

beforeAll(async () => {
  template = await templateOf({ ...readStage('prod'), mailFrom: MAIL })
  iam = iamOf(template)
})

const roleOf = (context: ContextName) => functionsOf(template).get(context)?.Role['Fn::GetAtt'][0] ?? ''
const roles = () => [...new Set(iam.statements.map(({ role }) => role))]

const LICENSE_SIGNING = ['LicenseSigningKey1', 'LicenseSigningKey2']
const ACTIVATION_SIGNING = ['ActivationSigningKey1', 'ActivationSigningKey2']
const KEYS = [
  ...[...LICENSE_SIGNING, ...ACTIVATION_SIGNING].map((key) => [key, 'ECDSA_SHA_256', 'DIGEST'] as const),
  ['AuditKey', 'ED25519_SHA_512', 'RAW'],
  ['CredentialKey', 'HMAC_SHA_256'],
  ['LicenseKeyKey', 'HMAC_SHA_256'],
  ['SessionKey', 'HMAC_SHA_512'],
] as const
/** What KMS is asked with, by key. */
const CONTEXT = Object.fromEntries(
  KEYS.map(([key, algorithm, message]) => [
    key,
    message === undefined
      ? { 'kms:MacAlgorithm': algorithm }
      : { 'kms:SigningAlgorithm': algorithm, 'kms:MessageType': message },
  ]),
)

/** One of each partition that one context alone writes. */
const [tenant] = IDS.tenants
const GUARDED_KEYS = {
  tokens: [keys.tokenKey(IDS.tokens[0])],
  addresses: [keys.keyAddressKey('0'), keys.licenseAddressKey(IDS.licenses[0]), keys.referenceKey('AUDIT')],
  logs: [
    ...([tenant, 'vendor', 'checkpoints'] as const).map((log) => keys.auditHeadKey(log)),
    keys.auditUnanchoredKey(tenant, 1),
  ],
  recorded: [keys.licenseRecordKey(tenant, IDS.licenses[0])],
} as const

const mayWrite = (action: string, context: ContextName, { pk }: keys.Key, attributes?: string[]) =>
  iam.may({
    role: roleOf(context),
    action: `dynamodb:${action}`,
    resource: iam.arnOf('Table'),
    context: { 'dynamodb:LeadingKeys': [pk], ...(attributes && { 'dynamodb:Attributes': attributes }) },
  })

/** What a role may do to a resource. Who is allowed what no statement of its own names is nobody: there are no wildcards. */
async function allowed(role: string, resource: string, context = {}): Promise<string[]> {
  const [, , service] = resource.split(':')
  const named = iam.statements.filter((one) => one.role === role).flatMap(({ statement }) => statement.Action)
  const actions = [...new Set(named)].filter((action) => action.startsWith(`${service}:`)).sort()
  const answers = await Promise.all(actions.map((action) => iam.may({ role, action, resource, context })))
  return actions.filter((_, index) => answers[index]).map((action) => action.slice(`${service}:`.length))
}

/** The columns of the table: what a function may do to what. */
async function cellsOf(context: ContextName): Promise<Record<string, string>> {
  const role = roleOf(context)
  const table = iam.arnOf('Table')
  const to = async (...resources: string[]) =>
    [
      ...new Set(
        (await Promise.all(resources.map((resource) => allowed(role, resource, MAIL_CONTEXT)))).flat(),
      ),
    ].join(', ')
  const key = async (...names: string[]) =>
    [
      ...new Set(
        await Promise.all(
          names.map(async (name) => (await allowed(role, iam.arnOf(name), CONTEXT[name])).join(', ')),
        ),
      ),
    ].join(' or ')
  const all = <T>(names: readonly T[], isTrue: (name: T) => Promise<boolean>) =>
    Promise.all(names.map(async (name) => ((await isTrue(name)) ? [name] : []))).then((found) =>
      found.flat().join(', '),
    )
  const queues = Object.entries(template.Resources).filter(([, { Type }]) => Type === 'AWS::SQS::Queue')
  return {
    function: context,
    table: await to(table),
    indexes: await all(['kind', 'owned'], async (index) => (await to(`${table}/index/${index}`)) === 'Query'),
    'guarded partitions': await all(guardedNames, (name) => mayWriteAll(context, name)),
    'license signing keys': await key(...LICENSE_SIGNING),
    'activation signing keys': await key(...ACTIVATION_SIGNING),
    'audit key': await key('AuditKey'),
    'credential key': await key('CredentialKey'),
    'license key key': await key('LicenseKeyKey'),
    'session key': await key('SessionKey'),
    stream: await to(iam.arnOf('Table', 'StreamArn')),
    mail: await to(ses('identity/vendor.example')),
    queues: await to(...queues.map(([id]) => iam.arnOf(id))),
    'of others': await to(
      `${table}-of-others`,
      `${iam.arnOf('AuditKey')}-of-others`,
      ses('identity/other.example'),
    ),
  }
}

const MAIL_CONTEXT = { 'ses:FromAddress': 'licensing@vendor.example' }
const ses = (resource: string) => `arn:aws:ses:eu-central-1:111122223333:${resource}`

async function mayWriteAll(context: ContextName, name: Guarded): Promise<boolean> {
  const answers = await Promise.all(GUARDED_KEYS[name].map((key) => mayWrite('PutItem', context, key)))
  if (new Set(answers).size > 1) throw new Error(`${context} may write parts of ${name}`)
  return answers.includes(true)
}

const SHORT: readonly (readonly [string, string])[] = [
  [
    'BatchGetItem, ConditionCheckItem, DeleteItem, GetItem, PutItem, Query, UpdateItem',
    'read, write, remove',
  ],
  ['BatchGetItem, ConditionCheckItem, GetItem, PutItem, Query, UpdateItem', 'read, write'],
  ['BatchGetItem, GetItem, Query', 'read'],
  ['GetQueueAttributes, GetQueueUrl, SendMessage', 'send'],
]

test('what each function may do is what infra/permissions.md says', async () => {
  const rows = await Promise.all(contextNames.map(cellsOf))
  const columns = Object.keys(rows[0] ?? {})
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const short = (cell = '') => SHORT.find(([long]) => long === cell)?.[1] ?? cell
  const text = `# What each function may do

Made by test/infra/permissions.test.ts: the permissions of the stage \`prod\`, evaluated as AWS would. \`read\` is GetItem,
BatchGetItem and Query; \`write\` PutItem, UpdateItem and ConditionCheckItem; \`remove\` DeleteItem; \`send\` is for what was
given up. Empty is denied; so is all that is not here, for nobody has a wildcard, but for writing its own log and traces.
Only digests are signed with ES256 and the keys of licenses and activations, only short texts with Ed25519 and the audit key.

${[line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(columns.map((column) => short(row[column]))))].join('\n')}
`
  await expect(text).toMatchFileSnapshot('../../infra/permissions.md')
})

describe('nobody', () => {
  test('has a wildcard, in an action or in a resource; X-Ray has no resources', () => {
    expect(iam.statements.length).toBeGreaterThan(contextNames.length)
    for (const { statement } of iam.statements) {
      if (statement.Action.every((action) => TRACING.includes(action))) continue
      // The ARN of a log group ends so, and what lies in it is meant.
      const resources = statement.Resource.map((resource) => resource.replace(/^(arn:aws:logs:.*):\*$/, '$1'))
      expect([statement.Action, resources].join()).not.toContain('*')
    }
  })

  const forbidden: [resource: string, actions: string[]][] = [
    [
      'Table',
      ['DeleteTable', 'UpdateTable', 'UpdateContinuousBackups', 'UpdateTimeToLive', 'PutResourcePolicy'],
    ],
    ['Table', ['Scan', 'PartiQLDelete', 'PartiQLUpdate', 'BatchWriteItem', 'ExportTableToPointInTime']],
    ['LicenseSigningKey1', ['ScheduleKeyDeletion', 'DisableKey', 'PutKeyPolicy', 'CreateGrant']],
    ['CredentialKey', ['ScheduleKeyDeletion', 'DisableKey', 'PutKeyPolicy', 'CreateGrant']],
  ]
  test.each(forbidden)('may do to %s: %s', async (logicalId, actions) => {
    const resource = iam.arnOf(logicalId)
    const [, , service] = resource.split(':')
    for (const action of actions)
      for (const role of roles())
        expect(await iam.may({ role, action: `${service}:${action}`, resource }), role).toBe(false)
  })

  test('may change what it may do, or take another role', async () => {
    const actions = [
      'iam:PutRolePolicy',
      'iam:AttachRolePolicy',
      'iam:UpdateAssumeRolePolicy',
      'sts:AssumeRole',
    ]
    for (const role of roles())
      for (const action of actions)
        expect(await iam.may({ role, action, resource: `arn:aws:iam::111122223333:role/${role}` })).toBe(
          false,
        )
  })

  test('of another account gets at the table or a key, whatever it may do there', async () => {
    const named = new Set(iam.statements.flatMap(({ statement }) => statement.Action))
    for (const logicalId of ['Table', ...KEYS.map(([key]) => key)]) {
      const resource = iam.arnOf(logicalId)
      const [, , service] = resource.split(':')
      for (const action of [...named].filter((one) => one.startsWith(`${service}:`)))
        expect(await iam.may({ action, resource, context: CONTEXT[logicalId] ?? {} })).toBe(false)
    }
  })
})

test('license files are signed by the function licenses alone, which serves vendor staff only: digests, with ES256', async () => {
  const isOpen = ({ access }: Route) =>
    typeof access === 'string' || access.some((role) => !role.startsWith('vendor:'))
  const serving = contextNames.filter((context) => Object.values<Route>(contexts[context]).some(isOpen))
  expect(serving).toContain('installs')
  expect(serving).not.toContain('licenses')
  for (const key of LICENSE_SIGNING) {
    const sign = (context: ContextName, asked: Record<string, string>) =>
      iam.may({ role: roleOf(context), action: 'kms:Sign', resource: iam.arnOf(key), context: asked })
    const right = CONTEXT[key] ?? {}
    const signing = await Promise.all(
      contextNames.map(async (context) => ((await sign(context, right)) ? context : [])),
    )
    expect(signing.flat()).toEqual(['licenses'])
    expect(await sign('licenses', { ...right, 'kms:MessageType': 'RAW' })).toBe(false)
  }
})

describe('guarded partitions', () => {
  const samples = guardedNames.flatMap((name) => GUARDED_KEYS[name])

  test('are updated by those who put what is there, and nobody else removes anything', async () => {
    for (const context of contextNames)
      for (const name of guardedNames) {
        const isWriter = await mayWriteAll(context, name)
        const [key] = GUARDED_KEYS[name]
        expect(await mayWrite('UpdateItem', context, key, ['role']), `${context} ${name}`).toBe(isWriter)
        if (!isWriter) expect(await mayWrite('DeleteItem', context, key)).toBe(false)
      }
  })

  test('everybody notes when a token was used, and changes nothing else of it', async () => {
    const [key] = GUARDED_KEYS.tokens
    expect(await mayWrite('UpdateItem', 'leases', key, ['pk', 'lastUsedAt'])).toBe(true)
    // What is decided of it, until when it is there, where it is found, what it is.
    for (const other of ['revokedAt', 'ttl', 'kindPk', 'ownedSk', 'entity', 'schema'])
      expect(await mayWrite('UpdateItem', 'leases', key, ['pk', 'lastUsedAt', other]), other).toBe(false)
    expect(await mayWrite('UpdateItem', 'access', key, ['pk', 'revokedAt'])).toBe(true)
  })

  test('are no others, whatever names people give', async () => {
    const others = [
      keys.tenantKey(tenant),
      keys.eventKey(tenant, IDS.events[0]),
      keys.customerKey('AUDIT'),
      keys.userNameKey(tenant, 'AUDIT'),
      keys.groupMemberKey(tenant, IDS.groups[0], IDS.users[0]),
      keys.noticeSettingsKey(undefined),
    ]
    for (const key of others) expect(await mayWrite('PutItem', 'leases', key), key.pk).toBe(true)
    for (const key of samples) expect(await mayWrite('PutItem', 'leases', key), key.pk).toBe(false)
  })
})

describe('roles', () => {
  test('every function has its own, without a managed policy', () => {
    const Role = z.object({ ManagedPolicyArns: z.undefined().optional() })
    expect(propertiesOf(template, 'AWS::IAM::Role', Role)).toHaveLength(
      contextNames.length + jobContexts.size,
    )
    expect(new Set(contextNames.map(roleOf)).size).toBe(contextNames.length)
  })

  test('a function writes its own log and no other', async () => {
    const logs = [...functionsOf(template)].map(([context, { LoggingConfig }]) => ({
      context,
      log: iam.arnOf(LoggingConfig.LogGroup.Ref).replace(/\*$/, 'log-stream:one'),
    }))
    for (const [index, { context, log }] of logs.entries()) {
      const ask = (resource = '') => iam.may({ role: roleOf(context), action: 'logs:PutLogEvents', resource })
      expect([await ask(log), await ask(logs.at(index - 1)?.log)], context).toEqual([true, false])
    }
  })

  test('Scheduler alone starts functions, those that have jobs', () => {
    const starting = iam.statements.filter(({ statement }) =>
      statement.Action.includes('lambda:InvokeFunction'),
    )
    const own = contextNames.filter((context) => jobContexts.has(context))
    const arns = own.map((context) => iam.arnOf(functionsOf(template).get(context)?.logicalId ?? ''))
    expect(starting.flatMap(({ statement }) => statement.Resource).sort()).toEqual(arns.sort())
    expect(starting.filter(({ role }) => contextNames.map(roleOf).includes(role))).toEqual([])
  })

  test('Scheduler takes its roles for schedules of this stack only', () => {
    const Role = z.object({ AssumeRolePolicyDocument: z.unknown() })
    const trusts = propertiesOf(template, 'AWS::IAM::Role', Role).map((role) => JSON.stringify(role))
    const scheduler = trusts.filter((trust) => trust.includes('scheduler.amazonaws.com'))
    expect(scheduler).toHaveLength(jobContexts.size)
    for (const trust of scheduler) {
      expect(trust).toContain('aws:SourceArn')
      expect(trust).toContain('aws:SourceAccount')
    }
  })
})

test('a function is called by this API, by the rule for what SES tells, or by Scheduler, never by anybody', () => {
  const Permission = z.object({ Principal: z.string(), SourceArn: z.unknown(), FunctionName: GetAtt })
  const permissions = propertiesOf(template, 'AWS::Lambda::Permission', Permission)
  const ofApi = permissions.filter(({ Principal }) => Principal === 'apigateway.amazonaws.com')
  const logicalIdOf = (context: ContextName) => functionsOf(template).get(context)?.logicalId ?? ''
  // Those without a route, such as the one that the stream feeds, are not behind the API.
  const callable = contextNames.filter((context) => Object.keys(contexts[context]).length > 0)
  expect(ofApi.map(({ FunctionName }) => FunctionName['Fn::GetAtt'][0]).sort()).toEqual(
    callable.map(logicalIdOf).sort(),
  )
  for (const { SourceArn } of ofApi) expect(JSON.stringify(SourceArn)).toContain(':execute-api:')
  expect(permissions.filter((permission) => !ofApi.includes(permission))).toEqual([
    {
      Principal: 'events.amazonaws.com',
      SourceArn: expect.anything(),
      FunctionName: { 'Fn::GetAtt': [logicalIdOf('notifications'), 'Arn'] },
    },
  ])
})
