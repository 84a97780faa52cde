import { expect, test } from 'vitest'
import { localTable, newClient } from '../../store/local-table.ts'
import { aWorld, granted } from './rig.ts'

const table = await localTable()

/** A client that asks what each call consumes, and sums it up. */
function metered() {
  const client = newClient()
  const seen: { command: string; units: number }[] = []
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const input = Object.assign(args.input, { ReturnConsumedCapacity: 'TOTAL' })
      const result = await next({ ...args, input })
      const consumed: unknown = Object(result.output).ConsumedCapacity
      const all = [consumed].flat().map((one) => Number(Object(one).CapacityUnits ?? 0))
      seen.push({ command: String(context.commandName), units: all.reduce((sum, one) => sum + one, 0) })
      return result
    },
    { step: 'initialize' },
  )
  return { client, take: () => seen.splice(0) }
}

const HOLDER = { userId: 'ada.lovelace@example.edu', machine: 'ws-0815.cs.example.edu', process: '4711' }
const ONE_WRITE = [{ command: 'UpdateItemCommand', units: 1 }]

test('a check-out of a pool with shares is a read besides', async () => {
  const world = await aWorld(table, { limits: { concurrent: 1000 } })
  await world.shareOut({ department: 'Computer Science', share: { units: 100 }, guaranteed: true })
  const { client, take } = metered()
  const warm = world.warm(client)
  await world.out({ holder: HOLDER, department: 'Computer Science' }, warm)
  take()
  const lease = granted(await world.out({ holder: HOLDER, department: 'Computer Science' }, warm))
  expect(take()).toEqual([{ command: 'GetItemCommand', units: 1 }, ...ONE_WRITE])
  await world.in(lease, warm)
  expect(take()).toEqual(ONE_WRITE)
})

test('check-out, heartbeat and check-in are one write of one unit while 50 leases are held', async () => {
  const world = await aWorld(table, { limits: { concurrent: 1000 } })
  const { client, take } = metered()
  const warm = world.warm(client)
  // API Gateway's request ids have 16 characters, Lambda's subjects 30.
  const call = {
    requestId: 'JKJaXmPLvHcESHA=',
    caller: { ...world.caller, subject: `tok_${'0'.repeat(26)}` },
  }
  const out = () => world.out({ holder: HOLDER, department: 'Computer Science' }, warm, call)
  await out()
  take()

  for (let held = 2; held <= 50; held += 1) await out()
  expect(new Set(take().map((one) => JSON.stringify(one)))).toEqual(
    new Set(ONE_WRITE.map((one) => JSON.stringify(one))),
  )

  const crowded = await aWorld(table, { limits: { concurrent: 50 } })
  const service = crowded.warm(client)
  let last = granted(await crowded.out({ holder: HOLDER }, service))
  for (let held = 2; held <= 50; held += 1) last = granted(await crowded.out({ holder: HOLDER }, service))
  crowded.pass(30)
  take()
  const renewed = granted(await crowded.beat(last, service))
  expect(take()).toEqual(ONE_WRITE)
  await crowded.in(renewed, service)
  expect(take()).toEqual(ONE_WRITE)
})

test('of a lease on a page each is one transaction of its page and its pool, whatever others hold, and no read', async () => {
  const world = await aWorld(table, { limits: { concurrent: 10_000 } })
  await world.fill(100)
  const { client, take } = metered()
  const warm = world.warm(client)
  // DynamoDB Local counts a transaction twice over once an item of it has more than 1 KB.
  const commands = () => take().map(({ command }) => command)
  granted(await world.out({ holder: HOLDER }, warm))
  take()
  const lease = granted(await world.out({ holder: HOLDER }, warm))
  expect(commands()).toEqual(['TransactWriteItemsCommand'])
  world.pass(30)
  const renewed = granted(await world.beat(lease, warm))
  expect(commands()).toEqual(['TransactWriteItemsCommand'])
  await world.in(renewed, warm)
  expect(commands()).toEqual(['TransactWriteItemsCommand'])
})
