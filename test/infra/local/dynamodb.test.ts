import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startDynamoDb } from '../../../infra/local/dynamodb.ts'
import { callDynamoDb } from '../../../infra/local/dynamodb-wire.ts'
import { LocalStackError } from '../../../infra/local/errors.ts'
import { javaProblem } from '../../../infra/local/java.ts'

const folder = mkdtempSync(join(tmpdir(), 'latchkey-dynamodb-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const createTable = (endpoint: string) =>
  callDynamoDb(endpoint, 'CreateTable', {
    TableName: 'things',
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  })

// That its data is there again after a restart is in boot.test.ts.
describe('DynamoDB Local over a data folder', () => {
  const data = join(folder, 'data')
  const database = join(data, 'dynamodb', 'shared-local-instance.db')

  beforeAll(async () => {
    const { endpoint, close } = await startDynamoDb({ folder: data })
    await createTable(endpoint)
    const things = Array.from({ length: 25 }, (_, index) => ({
      PutRequest: { Item: { pk: { S: `thing ${index}` }, text: { S: 'x'.repeat(4000) } } },
    }))
    await callDynamoDb(endpoint, 'BatchWriteItem', { RequestItems: { things } })
    await close()
  })

  test.each([
    ['at its start', (bytes: Buffer) => bytes.fill(0x5a, 0, 4096)],
    [
      'in the middle of a table',
      (bytes: Buffer) => bytes.fill(0x5a, bytes.length - 40_000, bytes.length - 20_000),
    ],
    ['by being cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ])('a file damaged %s is one sentence', async (where, damage) => {
    const damaged = join(folder, `damaged ${where}`)
    mkdirSync(join(damaged, 'dynamodb'), { recursive: true })
    writeFileSync(join(damaged, 'dynamodb', 'shared-local-instance.db'), damage(readFileSync(database)))

    const start = startDynamoDb({ folder: damaged })

    await expect(start).rejects.toThrow(LocalStackError)
    await expect(start).rejects.toThrow(/^The data in .* is damaged and cannot be read: [^.]+\.$/)
  })

  test('a folder that is a file is one sentence', async () => {
    await expect(startDynamoDb({ folder: database })).rejects.toThrow(/^The data folder .* cannot be made: /)
    expect(statSync(database).isFile()).toBe(true)
  })
})

test('it ends when the process that started it is killed', async () => {
  const script = `
    import { startDynamoDb } from ${JSON.stringify(join(import.meta.dirname, '../../../infra/local/dynamodb.ts'))}
    console.log((await startDynamoDb()).endpoint)`
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [printed] = await once(parent.stdout, 'data')
  const endpoint = String(printed).trim()
  expect(await callDynamoDb(endpoint, 'ListTables', {})).toEqual({ TableNames: [] })

  parent.kill('SIGKILL')

  await expect
    .poll(
      () =>
        fetch(endpoint).then(
          () => 'alive',
          () => 'gone',
        ),
      { timeout: 20_000 },
    )
    .toBe('gone')
})

describe('Java', () => {
  test.each([
    ['17', 'openjdk version "17.0.15" 2025-04-15'],
    ['11', 'openjdk version "11.0.2" 2019-01-15'],
    ['an early release of 25', 'openjdk version "25-ea" 2025-09-16'],
  ])('%s is new enough', (_, printed) => {
    expect(javaProblem(printed)).toBeUndefined()
  })

  test.each([
    ['missing', undefined, 'DynamoDB Local needs Java, and there is none on the PATH. '],
    [
      'missing on a Mac',
      'Unable to locate a Java Runtime.',
      'DynamoDB Local needs Java, and there is none on the PATH. ',
    ],
    ['8', 'java version "1.8.0_392"', 'The Java on the PATH is version 8, too old for DynamoDB Local. '],
    ['10', 'openjdk version "10.0.1"', 'The Java on the PATH is version 10, too old for DynamoDB Local. '],
    ['something else', 'brewed coffee', 'The java on the PATH does not tell its version. '],
  ])('%s: the sentence says how to get one', (_, printed, sentence) => {
    expect(javaProblem(printed)).toBe(
      `${sentence}Install a Java runtime 11 or newer, for example from adoptium.net, and put it on the PATH.`,
    )
  })
})
