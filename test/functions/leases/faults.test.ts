import { randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { describe, expect, inject, test } from 'vitest'
import type { Lease } from '../../../functions/leases/shapes.ts'
import { isRefusal, type Refusal } from '../../../shared/domain/refusal.ts'
import { localTable } from '../../store/local-table.ts'
import { clientSettings } from '../../support/dynamodb.ts'
import { times } from '../../support/parallel.ts'
import { aWorld, codeOf, granted, type World } from './rig.ts'

const table = await localTable()

type Fault = 'throttled' | 'lost' | 'twice'
const WRITES = new Set(['UpdateItemCommand', 'TransactWriteItemsCommand'])

/** A client whose next writes meet these faults, in this order; `maxAttempts` is how often the SDK tries by itself. */
function faulty(maxAttempts: number) {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({ ...clientSettings(inject('dynamodbEndpoint')), maxAttempts }),
    { marshallOptions: { removeUndefinedValues: true } },
  )
  const faults: Fault[] = []
  // The innermost step: the SDK's own retries are around it, as they are around the network.
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const fault = WRITES.has(String(context.commandName)) ? faults.shift() : undefined
      if (fault === 'throttled') throw named('ThrottlingException')
      const result = await next(args)
      if (fault === 'lost') throw named('TimeoutError')
      return fault === 'twice' ? next(args) : result
    },
    { step: 'deserialize', priority: 'high' },
  )
  return { client, faults }
}

const named = (name: string) => Object.assign(new Error(`injected: ${name}`), { name })

/** Asks again while the service fails, as a client does. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      if (tries === 5) throw error
    }
  }
}

const used = async (world: World) => (await world.pool()).used
const ways: [string, Fault[]][] = [
  ['throttled', ['throttled']],
  ['timed out after it was written', ['lost']],
  ['timed out twice', ['lost', 'lost']],
  ['answered twice', ['twice']],
  ['throttled, then timed out', ['throttled', 'lost']],
]

describe.each([
  ['the SDK tries again', 3],
  ['the caller asks again', 1],
])('%s after a write was', (_, attempts) => {
  test.each(ways)('%s: nothing is lost, nothing leaks', async (_name, planned) => {
    const world = await aWorld(table, { limits: { concurrent: 2, render: 2 } })
    const { client, faults } = faulty(attempts)
    const service = world.warm(client)
    const meet = async <T>(ask: () => Promise<T>) => {
      faults.splice(0, faults.length, ...planned)
      const answer = await insist(ask)
      faults.length = 0
      return answer
    }
    const both = [
      { metric: 'concurrent', units: 1 },
      { metric: 'render', units: 1 },
    ]
    const one = both.slice(0, 1)

    const token = randomUUID()
    const lease = granted(await meet(() => world.out({ leaseToken: token, items: one }, service)))
    expect(await used(world)).toBe(1)
    world.pass(60)
    const renewed = granted(await meet(() => world.beat(lease, service)))
    world.pass(60)
    // The id that the caller was told in the end is the one that works.
    const third = granted(await meet(() => world.beat(renewed, service)))
    expect(await used(world)).toBe(1)

    const pairToken = randomUUID()
    const pair = granted(await meet(() => world.out({ leaseToken: pairToken, items: both }, service)))
    expect([await used(world), (await world.pool('render')).used]).toEqual([2, 1])
    await meet(() => world.in(pair, service))
    const key = { idempotencyKey: randomUUID() }
    const kept = granted(await meet(() => world.out({ items: one }, service, key)))
    expect(await used(world)).toBe(2)
    await meet(() => world.in(kept, service))
    await meet(() => world.in(third, service))
    expect([await used(world), (await world.pool('render')).used]).toEqual([0, 0])
  })
})

test('20 at once on 5 places, every third write failing in some way, leave exactly 5', async () => {
  const world = await aWorld(table, { limits: { concurrent: 5 } })
  const { client, faults } = faulty(3)
  const service = world.warm(client)
  const order: Fault[] = ['lost', 'throttled', 'twice']
  const answers: (Lease | Refusal)[] = await times(20, async (index) => {
    const fault = index % 3 === 0 ? order[(index / 3) % 3] : undefined
    if (fault !== undefined) faults.push(fault)
    return insist(() => world.out({ leaseToken: `process-${index}` }, service))
  })
  const leases = answers.flatMap((answer) => (isRefusal(answer) ? [] : [answer]))
  expect(leases).toHaveLength(5)
  expect((await world.pool()).used).toBe(5)
  // Each of them is really held.
  const beats = await Promise.all(leases.map((lease) => world.beat(lease)))
  expect(beats.map(codeOf)).toEqual(Array(5).fill('granted'))
})
