import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { checkLog } from '../../../functions/logs/check-log.ts'
import { originOf } from '../../../shared/domain/checkpoint.ts'
import type { Event } from '../../../shared/domain/event.ts'
import type { LogFindingCode } from '../../../shared/domain/log-finding.ts'
import { EventId, newEventId, newTenantId } from '../../../shared/platform/ids.ts'
import { DAY, HOUR, MINUTE, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { eventItem } from '../../../shared/store/event.ts'
import {
  AUDIT_PLACE_PREFIX,
  auditCheckKey,
  auditCheckpointKey,
  auditHeadKey,
  auditLeafKey,
  auditLogOf,
  auditPlaceKey,
  auditSignedKey,
  auditTileKey,
  eventKey,
  type Key,
} from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import { startApi } from '../../support/api.ts'
import { sequenceAll } from '../../support/audit.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { eventsOf, publicKeyOf, someTenant, store } from './rig.ts'

const api = await startApi()
const { table } = api
afterAll(async () => {
  vi.useRealTimers()
  await api.stop()
})

type Row = Record<string, unknown>
const COUNT = 300
const FIRST = 270
const tenant = someTenant()
const events = eventsOf(tenant, COUNT)
const idOf = (index: number) => events[index]?.id ?? newEventId(readClock())
const leaf = (index: number) => auditLeafKey(tenant, index)
const event = (index: number) => eventKey(tenant, idOf(index))
const ISSUER = 'https://licensing.example.test'
let publicKey: Uint8Array

beforeAll(async () => {
  stopClock()
  publicKey = await publicKeyOf(api)
  await store(table, events.slice(0, FIRST))
  await sequenceAll(table, tenant)
  await api.run('publishCheckpoints')
  advanceClock(10 * MINUTE)
  await store(table, events.slice(FIRST))
  // With the checkpoint that was told as an event.
  await sequenceAll(table, tenant)
  await api.run('publishCheckpoints')
  advanceClock(HOUR)
})

const read = async (key: Key): Promise<Row> =>
  (await table.client.send(new GetCommand({ TableName: table.name, Key: key, ConsistentRead: true }))).Item ??
  {}
const put = (item: Row) => table.client.send(new PutCommand({ TableName: table.name, Item: item }))
const remove = (key: Key) => table.client.send(new DeleteCommand({ TableName: table.name, Key: key }))

/** What is undone after each test. */
let undo: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  for (const one of undo.toReversed()) await one()
  undo = []
})

async function change(key: Key, changes: (row: Row) => Row): Promise<void> {
  const row = await read(key)
  expect(row).not.toEqual({})
  undo.push(() => put(row))
  await put({ ...row, ...changes(row) })
}
async function drop(key: Key): Promise<void> {
  const row = await read(key)
  expect(row).not.toEqual({})
  undo.push(() => put(row))
  await remove(key)
}
async function insert(item: Row, key: Key): Promise<void> {
  undo.push(() => remove(key))
  await put({ ...item, ...key })
}
/** Each row gets what the other one has, all but its key. */
async function swap(one: Key, other: Key): Promise<void> {
  const [first, second] = [await read(one), await read(other)]
  undo.push(
    () => put(first),
    () => put(second),
  )
  await put({ ...second, ...one })
  await put({ ...first, ...other })
}

/** @param more a check of the whole log at once, unless said otherwise */
const check = (
  log: Parameters<typeof checkLog>[1] = tenant,
  more: Partial<Parameters<typeof checkLog>[2]> = { isWhole: true },
) =>
  checkLog(table, log, {
    key: { name: originOf(ISSUER, log), publicKey },
    checkKey: Buffer.alloc(32, 7),
    now: readClock(),
    ...more,
  })

async function found(...asked: Parameters<typeof check>): Promise<string[]> {
  const { findings } = await check(...asked)
  return findings.map(({ code, where }) => `${code} ${where.split(' / ')[1]}`).toSorted()
}
const named = (code: LogFindingCode, { sk }: Key) => `${code} ${sk}`

test('nothing is wrong with a log that nobody touched', async () => {
  expect(await found()).toEqual([])
  expect(await found('vendor')).toEqual([])
  expect(await found('checkpoints')).toEqual([])
})

/** An event that says that it was made days ago. */
function backdated(): Event {
  const at = plusMilliseconds(readClock(), -100 * HOUR)
  const [made] = eventsOf(tenant, 1, at)
  if (made === undefined) throw new Error('no event')
  return { ...made, id: EventId.parse(newTenantId(at).replace('ten_', 'evt_')) }
}

const CHECKPOINTS = [auditCheckpointKey(tenant, FIRST), auditCheckpointKey(tenant, COUNT + 1)] as const

test('events and what is made of the leaves, each changed, gone or put there, are found and named', async () => {
  const old = backdated()
  const behind = COUNT + 9
  const noTile = { pk: auditLogOf(tenant), sk: 'TILE#03#of nothing' }
  await change(event(7), ({ after }) => ({ after: { ...Object(after), number: 8 } }))
  await drop(event(299))
  await insert(eventItem(old), eventKey(tenant, old.id))
  await swap(event(3), event(200))
  await insert({ ...(await read(leaf(5))), index: behind }, leaf(behind))
  await change(auditTileKey(tenant, 0, 0), () => ({ bytes: Buffer.alloc(32, 1) }))
  await drop(auditTileKey(tenant, 1, 0))
  for (const key of [auditTileKey(tenant, 0, 7), noTile])
    await insert(await read(auditTileKey(tenant, 0, 0)), key)
  await change(auditPlaceKey(tenant, idOf(42)), () => ({ index: 43 }))
  await drop(auditPlaceKey(tenant, idOf(43)))
  await change(CHECKPOINTS[0], ({ note }) => ({ note: String(note).replace(/\n\d+\n/, '\n1\n') }))
  await insert(await read(CHECKPOINTS[1]), auditCheckpointKey(tenant, FIRST + 1))
  expect(await found()).toEqual(
    [
      named('EVENT_CHANGED', event(7)),
      named('EVENT_MISSING', event(299)),
      named('EVENT_UNSEQUENCED', eventKey(tenant, old.id)),
      // It is in the log, but nobody finds it there.
      named('EVENT_UNSEQUENCED', event(43)),
      named('EVENT_CHANGED', event(3)),
      named('EVENT_CHANGED', event(200)),
      named('LEAF_INSERTED', leaf(behind)),
      named('TILE_CHANGED', auditTileKey(tenant, 0, 0)),
      named('TILE_MISSING', auditTileKey(tenant, 1, 0)),
      named('TILE_INSERTED', auditTileKey(tenant, 0, 7)),
      named('TILE_INSERTED', noTile),
      named('PLACE_CHANGED', auditPlaceKey(tenant, idOf(42))),
      named('PLACE_MISSING', auditPlaceKey(tenant, idOf(43))),
      named('CHECKPOINT_FORGED', CHECKPOINTS[0]),
      named('CHECKPOINT_FORGED', auditCheckpointKey(tenant, FIRST + 1)),
      // Nobody signed it as it is, so for the one after it the one before is gone.
      named('CHECKPOINT_MISSING', CHECKPOINTS[0]),
    ].toSorted(),
  )
})

describe('leaves', () => {
  test('that were changed are told from events that were', async () => {
    for (const index of [5, 260, 290]) await change(leaf(index), () => ({ entry: Buffer.alloc(32, 1) }))
    const wrong = await found()
    expect(wrong).toEqual(
      expect.arrayContaining([5, 260, 290].map((index) => named('LEAF_CHANGED', leaf(index)))),
    )
    expect(wrong.filter((one) => one.startsWith('EVENT'))).toEqual([])
  })
  test('that were deleted: the first, one within, and the last', async () => {
    for (const index of [0, 255, COUNT]) await drop(leaf(index))
    expect(await found()).toEqual(
      expect.arrayContaining([0, 255, COUNT].map((index) => named('LEAF_MISSING', leaf(index)))),
    )
  })
  test('that were swapped, with their numbers', async () => {
    await swap(leaf(3), leaf(4))
    expect(await found()).toEqual(
      expect.arrayContaining([3, 4].map((index) => named('LEAF_CHANGED', leaf(index)))),
    )
  })
  test('that were swapped, all but their numbers', async () => {
    const [one, other] = [await read(leaf(3)), await read(leaf(4))]
    await change(leaf(3), () => ({ ...other, ...leaf(3), index: 3 }))
    await change(leaf(4), () => ({ ...one, ...leaf(4), index: 4 }))
    expect(await found()).toEqual(
      expect.arrayContaining([
        named('CHECKPOINT_INCONSISTENT', CHECKPOINTS[0]),
        named('PLACE_CHANGED', auditPlaceKey(tenant, idOf(3))),
        named('PLACE_CHANGED', auditPlaceKey(tenant, idOf(4))),
        named('TILE_CHANGED', auditTileKey(tenant, 0, 0)),
      ]),
    )
  })
  test('that say what another event says, which is there', async () => {
    const { entry, salt, name } = await read(leaf(11))
    await change(leaf(10), () => ({ entry, salt, name }))
    expect(await found()).toContain(named('CHECKPOINT_INCONSISTENT', CHECKPOINTS[0]))
  })
})

describe('the head', () => {
  const key = auditHeadKey(tenant)
  test('changed, or gone', async () => {
    await change(key, () => ({ root: Buffer.alloc(32).toString('base64') }))
    expect(await found()).toEqual([named('HEAD_CHANGED', key)])
    await remove(key)
    expect(await found()).toContain(named('HEAD_MISSING', key))
  })
  test('as it was before: leaves lie behind it, and more was signed', async () => {
    const empty = { size: 0, peaks: Buffer.of(), root: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' }
    await change(key, () => empty)
    const codes = (await found()).map((one) => one.split(' ')[0])
    expect(codes).toEqual(expect.arrayContaining(['LEAF_INSERTED', 'CHECKPOINT_INSERTED']))
  })
})

describe('checkpoints', () => {
  test.each([
    ['an earlier one', CHECKPOINTS[0]],
    ['the last one', CHECKPOINTS[1]],
    ['the last signed one', auditSignedKey(tenant)],
  ])('%s that was deleted', async (_, key) => {
    await drop(key)
    expect(await found()).toEqual([named('CHECKPOINT_MISSING', key)])
  })
  test('an older one in the place of the last', async () => {
    const older = await read(CHECKPOINTS[0])
    await change(auditSignedKey(tenant), () => ({ ...older, ...auditSignedKey(tenant) }))
    expect(await found()).toEqual([named('CHECKPOINT_FORGED', auditSignedKey(tenant))])
  })
  test.each([
    ['the last one', CHECKPOINTS[1]],
    ['the last signed one', auditSignedKey(tenant)],
  ])('%s that cannot be read any more is told, and keeps nothing else from being found', async (_, key) => {
    await change(key, () => ({ note: 7 }))
    await drop(leaf(COUNT))
    const wrong = await found()
    expect(wrong).toContain(named('CHECKPOINT_FORGED', key))
    expect(wrong).toContain(named('LEAF_MISSING', leaf(COUNT)))
  })
  test('deleted altogether are missed by the log of all of them', async () => {
    for (const key of [auditSignedKey(tenant), ...CHECKPOINTS]) await drop(key)
    expect(await found()).toEqual([])
    expect(await found('checkpoints')).toEqual(CHECKPOINTS.map((key) => named('CHECKPOINT_MISSING', key)))
  })
})

test('an event that was put there with an old date has a late place in the log', async () => {
  const other = someTenant()
  const old = { ...backdated(), tenantId: other }
  await store(table, eventsOf(other, 2))
  await sequenceAll(table, other)
  await store(table, [old])
  await sequenceAll(table, other)
  expect(await found(other)).toEqual([named('EVENT_BACKDATED', eventKey(other, old.id))])
})

describe('a check', () => {
  const checked = auditCheckKey(tenant)
  test('begins with the last checkpoint that it found to be right, and once a week with the first leaf', async () => {
    expect(await check()).toMatchObject({ leaves: COUNT + 1, isWhole: true, isOver: true, findings: [] })
    await change(event(7), () => ({ reason: 'another' }))
    const calls = api.dynamoCalls()['BatchGetItem'] ?? 0
    expect(await check(tenant, {})).toMatchObject({ leaves: COUNT + 1, isWhole: false, findings: [] })
    // There is nothing new, so nothing is read again.
    expect((api.dynamoCalls()['BatchGetItem'] ?? 0) - calls).toBe(0)
    advanceClock(7 * DAY)
    expect(await found(tenant, {})).toEqual([named('EVENT_CHANGED', event(7))])
    // What is wrong is told again until it is right.
    expect(await found(tenant, {})).toEqual([named('EVENT_CHANGED', event(7))])
  })
  test('trusts nothing that it did not remember itself, nor what was not signed', async () => {
    await check()
    await change(event(7), () => ({ reason: 'another' }))
    const { checks } = await read(checked)
    await change(checked, () => ({
      checks: { ...Object(checks), wholeSince: plusMilliseconds(readClock(), HOUR) },
    }))
    expect(await found(tenant, {})).toEqual([named('EVENT_CHANGED', event(7))])
    for (const one of undo.splice(0).toReversed()) await one()
    await check()
    await drop(CHECKPOINTS[1])
    expect(await found(tenant, {})).toEqual([named('CHECKPOINT_MISSING', CHECKPOINTS[1])])
  })
  test('stops in time, tells what it found, and goes on where it stopped', async () => {
    await change(event(7), () => ({ reason: 'another' }))
    await drop(auditPlaceKey(tenant, idOf(20)))
    const slices: string[] = []
    for (let isOver = false; !isOver; ) {
      const slice = await check(tenant, { isWhole: true, page: 100, hasTime: () => false })
      isOver = slice.isOver
      slices.push(`${slice.leaves} of ${slice.of}: ${slice.findings.map(({ code }) => code)}`)
      expect(slices.length).toBeLessThan(10)
    }
    expect(slices.slice(0, 3)).toEqual([100, 200, 300].map((leaves) => `${leaves} of 301: PLACE_MISSING`))
    expect(slices.at(-1)).toBe('301 of 301: PLACE_MISSING,EVENT_CHANGED,EVENT_UNSEQUENCED')
    // 301 leaves and 301 events, each in pages of a hundred; the last of leaves and the first of events in one.
    expect(slices.length).toBe(7)
  })
  test('of the log of all checkpoints stops among the names, too, and finds a wrong one behind that', async () => {
    const names = await readRange(table, { pk: auditLogOf('checkpoints'), prefix: AUDIT_PLACE_PREFIX })
    const { pk, sk } = names.at(-1) ?? {}
    await change({ pk: String(pk), sk: String(sk) }, () => ({ index: 999 }))
    let slices = 0
    for (let isOver = false; !isOver; slices += 1) {
      const slice = await check('checkpoints', { isWhole: true, page: 1, hasTime: () => false })
      isOver = slice.isOver
      if (isOver) expect(slice.findings.map(({ where }) => where)).toContain(`${pk} / ${sk}`)
      expect(slices).toBeLessThan(20)
    }
    // A leaf or a name each; behind the last of either one looks once more.
    expect(slices).toBe(2 * names.length + 1)
  })
})

test('nothing is signed on top of a log that is not what was signed', async () => {
  await change(leaf(COUNT), () => ({ entry: Buffer.alloc(32, 1) }))
  await store(table, eventsOf(tenant, 3))
  await sequenceAll(table, tenant)
  await api.run('publishCheckpoints')
  expect((await read(auditSignedKey(tenant)))['size']).toBe(COUNT + 1)
})

test('the logs that are no tenant’s are looked at by a job, which fails on what it finds', async () => {
  await api.run('checkLogs')
  const key = auditHeadKey('checkpoints')
  const row = await read(key)
  await put({ ...row, size: Number(row['size']) + 1 })
  advanceClock(HOUR)
  await expect(api.run('checkLogs')).rejects.toThrow(/checkpoints: \d+, first \w+ at /)
  await put(row)
  await api.run('checkLogs')
})
