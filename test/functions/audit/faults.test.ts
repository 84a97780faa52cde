import { generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { publish as signLog } from '../../../functions/audit/publish.ts'
import { publishCheckpoints } from '../../../functions/audit/publish-checkpoints.ts'
import { checkLog } from '../../../functions/logs/check-log.ts'
import { sequenceEvents } from '../../../functions/logs/sequence-events.ts'
import { type LogName, originOf } from '../../../shared/domain/checkpoint.ts'
import type { TenantId } from '../../../shared/platform/ids.ts'
import { MINUTE, readClock } from '../../../shared/platform/time.ts'
import { readHead, readSigned, unanchoredRange } from '../../../shared/store/audit-log.ts'
import { auditSignedKey } from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import type { Table } from '../../../shared/store/transact.ts'
import { localTable } from '../../store/local-table.ts'
import { sequenceAll } from '../../support/audit.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { type Fault, faultyClient } from '../../support/faults.ts'
import { times } from '../../support/parallel.ts'
import { interposeAll } from '../../support/sdk.ts'
import { eventsOf, someTenant, store } from './rig.ts'

stopClock()
afterAll(() => {
  vi.useRealTimers()
})
const table = await localTable()
const issuer = 'https://licensing.example.test'
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const auditKey = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
const services = (own: Table) => ({
  table: own,
  log: () => undefined,
  issuer,
  auditKey,
  signNote: async (text: string) => sign(null, Buffer.from(text), privateKey),
})

/**
 * Whoever is killed between two steps is so after some write: what is read leaves nothing behind, and before a write is
 * after the one before it.
 */
const WRITES = new Set([
  'TransactWriteItemsCommand',
  'PutItemCommand',
  'DeleteItemCommand',
  'UpdateItemCommand',
])
const fine: Fault = { before: async () => undefined }

/** Kills the work at one of its writes, and says how many it got to. */
async function kill(work: (own: Table) => Promise<unknown>, at: number) {
  const { client, faults } = faultyClient(1, WRITES)
  const planned = [...Array.from({ length: at }, () => fine), 'lost' as const]
  faults.push(...planned)
  const own = { client, name: table.name }
  await work(own).catch(() => undefined)
  return planned.length - faults.length
}

async function findings(log: LogName, own = table) {
  const key = { name: originOf(issuer, log), publicKey: auditKey }
  return (await checkLog(own, log, { key, checkKey: Buffer.alloc(32), now: readClock() })).findings
}
const publish = (own: Table) =>
  publishCheckpoints({ scheduledAt: readClock(), remaining: () => 60_000 }, services(own))

/** Nothing is lost and nothing double: as many leaves as events, each of them in its place. */
async function expectWhole(tenantId: TenantId, size: number) {
  expect((await readHead(table, tenantId)).size).toBe(size)
  advanceClock(60 * MINUTE)
  expect(await findings(tenantId)).toEqual([])
}

describe('whoever sequences events', () => {
  // Two transactions.
  const COUNT = 50
  test('and is killed after any write: once it is repeated, each event is there once', async () => {
    for (let at = 0; ; at += 1) {
      const tenantId = someTenant()
      const events = eventsOf(tenantId, COUNT)
      await store(table, events)
      const got = await kill((own) => sequenceEvents(own, events, readClock()), at)
      await sequenceEvents(table, events, readClock())
      await expectWhole(tenantId, COUNT)
      if (got <= at) {
        expect(at).toBe(2)
        break
      }
    }
  })

  test('beside others, each with some of the same events: each event is there once', async () => {
    const tenantId = someTenant()
    const events = eventsOf(tenantId, 60)
    await store(table, events)
    const added = await times(4, (index) =>
      sequenceEvents(table, events.slice(index * 10, index * 10 + 30), readClock()),
    )
    expect(added.reduce((sum, one) => sum + one, 0)).toBe(60)
    await expectWhole(tenantId, 60)
  })
})

test('a log that grows while it is checked, by which a tile is full, is not broken', async () => {
  const tenantId = someTenant()
  const events = eventsOf(tenantId, 260)
  await store(table, events)
  await sequenceEvents(table, events.slice(0, 250), readClock())
  const { client, faults } = faultyClient(1, new Set(['QueryCommand']))
  // The head was read before.
  faults.push({ before: () => sequenceEvents(table, events.slice(250), readClock()) })
  expect(await findings(tenantId, { client, name: table.name })).toEqual([])
  expect((await readHead(table, tenantId)).size).toBe(260)
})

describe('the job that signs checkpoints', () => {
  test('and is killed after any write: once it comes again, each is signed and anchored once', async () => {
    // What is due of other logs.
    await publish(table)
    for (let at = 0; ; at += 1) {
      const tenantId = someTenant()
      const events = eventsOf(tenantId, 2)
      await store(table, events)
      await sequenceEvents(table, events, readClock())
      const anchored = (await readHead(table, 'checkpoints')).size
      // Else it is the run that is over.
      advanceClock(MINUTE)
      const got = await kill(publish, at)
      // Work that failed is tried again after a while.
      advanceClock(10 * MINUTE)
      await publish(table)
      // Beside the first checkpoint there is the event that tells it, which has to be signed, too.
      await sequenceAll(table, tenantId)
      advanceClock(10 * MINUTE)
      await publish(table)
      expect((await readSigned(table, tenantId))?.size).toBe(3)
      expect(await readRange(table, unanchoredRange)).toEqual([])
      // The one of two entries, and the one of three.
      expect((await readHead(table, 'checkpoints')).size).toBe(anchored + 2)
      expect((await readSigned(table, 'checkpoints'))?.size).toBe(anchored + 2)
      expect((await readHead(table, tenantId)).size).toBe(3)
      if (got <= at) {
        expect(at).toBeGreaterThan(4)
        break
      }
      expect(at).toBeLessThan(20)
    }
    expect(await findings('checkpoints')).toEqual([])
  })

  test('beside itself, and beside who asks for a checkpoint: each is signed and anchored once', async () => {
    const tenantId = someTenant()
    const events = eventsOf(tenantId, 2)
    await store(table, events)
    await sequenceEvents(table, events, readClock())
    const before = (await readHead(table, 'checkpoints')).size
    advanceClock(MINUTE)
    await times(4, () => publish(table))
    advanceClock(10 * MINUTE)
    await publish(table)
    expect((await readHead(table, 'checkpoints')).size).toBe(before + 1)
    expect(await findings('checkpoints')).toEqual([])
  })

  test('beside who signs the first checkpoint of a log: it is no log whose last one is gone', async () => {
    const tenantId = someTenant()
    const events = eventsOf(tenantId, 2)
    await store(table, events)
    await sequenceEvents(table, events, readClock())
    const ask = () => signLog(tenantId, { now: readClock(), requestId: 'r' }, services(table))
    let isSigned = false
    const undo = interposeAll(async ({ input }, send) => {
      const answer = await send()
      if (!isSigned && JSON.stringify(input).includes(auditSignedKey(tenantId).sk)) {
        isSigned = true
        expect((await ask())?.isNew).toBe(true)
      }
      return answer
    })
    expect(await ask()).toMatchObject({ isNew: false, checkpoint: { size: 2 } })
    undo()
  })
})
