import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { bootLocal, type LocalStack } from '../../../infra/local/boot.ts'
import { callDynamoDb } from '../../../infra/local/dynamodb-wire.ts'
import { LocalStackError } from '../../../infra/local/errors.ts'
import { claimFolder } from '../../../infra/local/folder.ts'
import { listen } from '../../../infra/local/port.ts'
import { Instant } from '../../../shared/platform/time.ts'
import { makeAssembly, tableWithAnotherKey, tableWithTwoIndexes, templateWith } from './small-stack.ts'

const { folder, options, remove } = await makeAssembly()
afterAll(remove)

describe('a booted stack', () => {
  let stack: LocalStack
  beforeAll(async () => {
    stack = await bootLocal({ ...options, inMemory: true })
  })
  afterAll(() => stack.close())

  const get = (path: string, init?: RequestInit) => fetch(stack.url + path, init)

  test('names what it does not support', () => {
    expect(stack.unsupported.toSorted()).toEqual([
      'AWS::KMS::Key (Plain), key spec SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT',
      'AWS::S3::Bucket (Bucket)',
      'AWS::Scheduler::Schedule (Nightly), expression cron(0 3 * * ? *)',
    ])
  })

  test('resolves outputs and names', () => {
    expect(stack.outputs).toEqual({ Url: stack.url, Table: 'latchkey-Table' })
    expect(stack.tableName()).toBe('latchkey-Table')
    expect(stack.schedules.toSorted()).toEqual(['always', 'fine', 'nightly', 'once', 'twice'])
  })

  test('hands a request over as API Gateway does, format 2.0', async () => {
    const response = await get('/deep/a%20b%C3%A4/event?x=1&y=a%20b&x=2', {
      headers: [
        ['User-Agent', 'test/1'],
        ['Cookie', 'one=1; two=2'],
        ['X-Custom', 'first'],
        ['x-custom', 'second'],
        ['X-Forwarded-For', '203.0.113.9'],
      ],
    })

    expect(response.status).toBe(201)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('x-number')).toBe('7')
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2'])
    const { host } = new URL(stack.url)
    expect(await response.json()).toEqual({
      version: '2.0',
      routeKey: 'GET /deep/{id}/event',
      rawPath: '/deep/a bä/event',
      rawQueryString: 'x=1&y=a%20b&x=2',
      cookies: ['one=1', 'two=2'],
      headers: expect.objectContaining({
        host,
        'user-agent': 'test/1',
        'x-custom': expect.stringMatching(/^first, ?second$/),
        'x-forwarded-for': '203.0.113.9, 127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-port': host.split(':')[1],
        'x-amzn-trace-id': expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/),
      }),
      queryStringParameters: { x: '1,2', y: 'a b' },
      requestContext: {
        accountId: '000000000000',
        apiId: expect.stringMatching(/^[0-9a-f]{10}$/),
        domainName: '127.0.0.1',
        domainPrefix: '127',
        http: {
          method: 'GET',
          path: '/deep/a bä/event',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'test/1',
        },
        requestId: response.headers.get('apigw-requestid'),
        routeKey: 'GET /deep/{id}/event',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      pathParameters: { id: 'a bä' },
      isBase64Encoded: false,
    })
  })

  test('leaves out what a request does not have', async () => {
    const event = await (await get('/echo/event')).json()
    expect(event).not.toHaveProperty('cookies')
    expect(event).not.toHaveProperty('queryStringParameters')
    expect(event).not.toHaveProperty('body')
    expect(event).not.toHaveProperty('headers.cookie')
  })

  test.each([
    ['application/json', 'äöü', false],
    ['application/json; charset=utf-8', '{}', false],
    ['text/csv', 'a,b', false],
    ['application/scim+json', '{}', true],
    ['application/x-www-form-urlencoded', 'a=b', true],
    ['application/octet-stream', '\u0000', true],
  ])(
    'a body of %s arrives whole, as base64 when API Gateway does so',
    async (type, body, isBase64Encoded) => {
      const response = await get('/echo/event', { method: 'POST', body, headers: { 'content-type': type } })
      expect(await response.json()).toMatchObject({
        body: isBase64Encoded ? Buffer.from(body).toString('base64') : body,
        isBase64Encoded,
      })
    },
  )

  test.each([
    ['string', 'application/json', 'hello'],
    ['object', 'application/json', '{"hello":"you"}'],
    ['nothing', 'application/json', 'null'],
    ['bare', 'text/plain;charset=UTF-8', 'text'],
  ])('an answer of the kind "%s" is completed as API Gateway does', async (kind, type, body) => {
    const response = await get(`/echo/${kind}`)
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      type,
      body,
    ])
  })

  test('a binary answer arrives as bytes', async () => {
    const response = await get('/echo/binary')
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 1, 2, 255])
  })

  test.each([
    ['an unknown path', '/nothing', 404, 'Not Found'],
    ['a broken percent-encoding', '/echo/%zz', 400, 'Bad Request'],
    ['an answer that is none', '/echo/malformed', 500, 'Internal Server Error'],
    ['a function that throws', '/echo/throw', 500, 'Internal Server Error'],
    ['a function that crashes', '/echo/crash', 500, 'Internal Server Error'],
    ['a function that exits', '/echo/exit', 500, 'Internal Server Error'],
    ['a function that runs out of time', '/echo/never', 500, 'Internal Server Error'],
  ])('%s is answered as API Gateway answers', async (_, path, status, message) => {
    const response = await get(path)
    expect([response.status, await response.json()]).toEqual([status, { message }])
  })

  test('a body of more than 10 MB is refused, and the connection goes on', async () => {
    const post = (size: number) => get('/echo/count', { method: 'POST', body: Buffer.alloc(size) })
    const tooLarge = await post(10 * 1024 * 1024 + 1)
    expect([tooLarge.status, await tooLarge.json()]).toEqual([413, { message: 'Request Entity Too Large' }])
    expect((await post(1024)).status).toBe(200)
  })

  test('after a crash the next call finds a fresh function', async () => {
    await get('/echo/count')
    expect(Number(await (await get('/echo/count')).text())).toBeGreaterThan(1)
    await get('/echo/crash')
    expect(await (await get('/echo/count')).text()).toBe('1')
  })

  test('one call that runs out of time does not disturb others under way', async () => {
    const never = get('/echo/never')
    const counts = await Promise.all(Array.from({ length: 20 }, () => get('/echo/count')))
    expect(counts.every(({ status }) => status === 200)).toBe(true)
    expect((await never).status).toBe(500)
  })

  test('a function sees its own environment and nothing of this process', async () => {
    const environment = z.record(z.string(), z.string()).parse(await (await get('/echo/environment')).json())
    expect(environment).toMatchObject({
      STAGE: 'local',
      URL: stack.url,
      COUNT: '3',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'latchkey-EchoFunction0A1B2C3D',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_ENDPOINT_URL_DYNAMODB: stack.endpoints.dynamodb,
      AWS_ENDPOINT_URL_KMS: stack.endpoints.kms,
    })
    expect(stack.environment('EchoFunction0A1B2C3D')).toEqual(environment)
    expect(Object.keys(environment)).not.toContain('PATH')
    expect(Object.keys(environment)).not.toContain('NODE_OPTIONS')
    expect(stack.environment('Job')).not.toHaveProperty('STAGE')
  })

  test('a function has the context of Lambda', async () => {
    const context = z.looseObject({ remaining: z.number() }).parse(await (await get('/echo/context')).json())
    expect(context).toMatchObject({
      functionName: 'latchkey-EchoFunction0A1B2C3D',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:latchkey-EchoFunction0A1B2C3D',
      memoryLimitInMB: '128',
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(context.remaining).toBeGreaterThan(0)
    expect(context.remaining).toBeLessThanOrEqual(1000)
  })

  test('an AWS SDK client in a function finds DynamoDB and KMS', async () => {
    const put = await get('/items/ann', {
      method: 'PUT',
      body: 'thing',
      headers: { 'content-type': 'text/plain' },
    })
    const item = await put.json()

    expect(item).toEqual({ pk: 'thing', ownedPk: 'ann', mac: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(await (await get('/items/ann')).json()).toEqual([item])
  })

  const at = Instant.parse('2026-11-21T10:00:00Z')

  test('a schedule fills the context attributes into its input', async () => {
    expect(await stack.runSchedule('fine', at)).toEqual({
      ok: true,
      attempts: 1,
      result: {
        at: '2026-11-21T10:00:00Z',
        execution: expect.stringMatching(/^[0-9a-f-]{36}$/),
        attempt: '1',
        schedule: 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/fine',
      },
    })
  })

  test('a schedule that fails is repeated', async () => {
    expect(await stack.runSchedule('twice', at)).toMatchObject({
      ok: true,
      attempts: 3,
      result: { attempt: '3' },
    })
  })

  test('after its last attempt it is a dead letter', async () => {
    const outcome = await stack.runSchedule('always', at)
    const [line = ''] = readFileSync(join(options.folder, 'dead-letters.jsonl'), 'utf8').trim().split('\n')
    expect(outcome).toMatchObject({ ok: false, attempts: 3 })
    expect(JSON.parse(line)).toEqual({
      at: expect.any(String),
      queue: 'latchkey-DeadLetters',
      schedule: 'always',
      scheduledTime: '2026-11-21T10:00:00Z',
      attempts: 3,
      error: 'Error: never works',
      input: '{"fail":"always","at":"2026-11-21T10:00:00Z"}',
    })
  })

  test('the policy of the function for runs that fail comes before that of the schedule for deliveries', async () => {
    expect(await stack.runSchedule('once', at)).toMatchObject({
      ok: false,
      attempts: 1,
      deadLetter: { queue: 'latchkey-DeadLetters' },
    })
  })

  test('an unknown schedule is refused', async () => {
    await expect(stack.runSchedule('nobody', at)).rejects.toThrow('There is no schedule nobody; there are: ')
  })

  test('a second stack over the same folder is refused', async () => {
    await expect(bootLocal({ ...options, inMemory: true })).rejects.toThrow(
      /^The data in .* is in use by process \d+: /,
    )
  })
})

test('data, keys and names survive a restart; a new index is added to the table that is there', async () => {
  const own = { ...options, folder: join(folder, 'persisted') }
  const put = (stack: LocalStack, thing: string) =>
    fetch(`${stack.url}/items/bob`, { method: 'PUT', body: thing, headers: { 'content-type': 'text/plain' } })

  const first = await bootLocal(own)
  const written = await (await put(first, 'thing')).json()
  await first.close()
  await first.close()
  await expect(fetch(first.url)).rejects.toThrow()
  await expect(fetch(first.endpoints.dynamodb)).rejects.toThrow()
  await expect(fetch(first.endpoints.kms)).rejects.toThrow()

  const second = await bootLocal({ ...own, template: templateWith({ Table: tableWithTwoIndexes }) })
  expect(await (await fetch(`${second.url}/items/bob`)).json()).toEqual([written])
  expect(await (await put(second, 'thing')).json()).toEqual(written)
  expect(second.environment('Items')['KEY_ID']).toBe(first.environment('Items')['KEY_ID'])
  expect(
    await callDynamoDb(second.endpoints.dynamodb, 'DescribeTable', { TableName: second.tableName() }),
  ).toMatchObject({
    Table: {
      GlobalSecondaryIndexes: expect.arrayContaining([
        expect.objectContaining({ IndexName: 'owned' }),
        expect.objectContaining({ IndexName: 'kind' }),
      ]),
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    },
  })
  expect(
    await callDynamoDb(second.endpoints.dynamodb, 'DescribeTimeToLive', { TableName: second.tableName() }),
  ).toMatchObject({ TimeToLiveDescription: { AttributeName: 'ttl', TimeToLiveStatus: 'ENABLED' } })
  await second.close()

  const third = await bootLocal(own)
  expect(
    await callDynamoDb(third.endpoints.dynamodb, 'DescribeTable', { TableName: third.tableName() }),
  ).toHaveProperty('Table.GlobalSecondaryIndexes.length', 1)
  await third.close()

  const otherKey = bootLocal({ ...own, template: templateWith({ Table: tableWithAnotherKey }) })
  await expect(otherKey).rejects.toThrow(LocalStackError)
  await expect(otherKey).rejects.toThrow(/was made with another key: delete that folder to start afresh\.$/)
  expect(statSync(join(own.folder, 'keys.json')).mode & 0o777).toBe(0o600)
})

test('a busy port is one sentence, and nothing was started', async () => {
  const other = createServer()
  const port = await listen(other, 0)
  const own = { ...options, folder: join(folder, 'busy'), port }
  const boot = bootLocal(own)
  await expect(boot).rejects.toThrow(
    new LocalStackError(
      `Port ${port} is busy: stop what listens there, or choose another with PORT=<number>.`,
    ),
  )
  other.close()

  // Nor was the folder kept.
  claimFolder(own.folder)()
})

test.each([
  ['no template', 'nonsense', /^This is not a CloudFormation template: /],
  [
    'code that is missing',
    templateWith({ Job: missingCode('asset.nowhere') }),
    /^The code of the function Job is not in /,
  ],
  [
    'a handler that is missing',
    templateWith({ Job: missingCode('asset.job', 'main.handler') }),
    /^The function Job has the handler main\.handler, but /,
  ],
])('%s is one sentence, and everything is closed again', async (_, broken, sentence) => {
  const own = { ...options, folder: join(folder, 'broken'), inMemory: true }
  const boot = bootLocal({ ...own, template: broken })
  await expect(boot).rejects.toThrow(LocalStackError)
  await expect(boot).rejects.toThrow(sentence)
})

function missingCode(path: string, Handler = 'index.handler') {
  return {
    Type: 'AWS::Lambda::Function',
    Metadata: { 'aws:asset:path': path },
    Properties: { Code: { S3Key: 'nowhere.zip' }, Handler },
  }
}
