import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type StreamRecord, sequenceNumberOf } from '../../../infra/local/streams/records.ts'
import type { Caller } from '../../../shared/domain/access.ts'
import type { Entry } from '../../../shared/domain/lease-entry.ts'
import { type Last, lastOf } from '../../../shared/domain/lease-last.ts'
import type { PoolChange } from '../../../shared/domain/pool-change.ts'
import { newProductId, newTenantId } from '../../../shared/platform/ids.ts'
import { epochSeconds, Instant, plusMilliseconds } from '../../../shared/platform/time.ts'
import { changePool } from '../../../shared/store/change-pool.ts'
import { eventEntity } from '../../../shared/store/event.ts'
import { raiseFences } from '../../../shared/store/fence.ts'
import { eventLog } from '../../../shared/store/keys.ts'
import { readLeaseDetails } from '../../../shared/store/lease-detail.ts'
import { readRange } from '../../../shared/store/read.ts'
import { type Table, transact } from '../../../shared/store/transact.ts'
import { type Streamed, streamedTable } from './streamed.ts'

const now = Instant.parse('2026-11-21T10:00:00.000Z')
const tenantId = newTenantId(now)
const caller: Caller = { kind: 'tenant', role: 'tenant:app', tenantId, subject: 'tok_1' }
const holder = { userId: 'ann', machine: 'laptop' }
const lease: Entry = {
  kind: 'lease',
  units: 1,
  overdraft: false,
  until: epochSeconds(now) + 600,
  beat: epochSeconds(now),
  generation: 7,
  sharers: 0,
}

let streamed: Streamed
let table: Table
let address: Parameters<typeof changePool>[0]

beforeAll(async () => {
  streamed = await streamedTable()
  table = streamed.table
})
beforeEach(() => {
  address = { tenantId, productId: newProductId(now), metric: 'concurrent' }
})

async function change(op: 'out' | 'in', ref: string) {
  const entries = new Map([[ref, lease]])
  const made: PoolChange =
    op === 'out'
      ? { put: entries, seen: new Map(), remove: [] }
      : { put: new Map(), seen: entries, remove: [ref] }
  await write(made, lastOf(op, ref, { caller, now, requestId: 'request-1' }, { holder, department: 'R&D' }))
}

async function write(made: PoolChange, last: Last | undefined) {
  const actions = changePool(address, made, last)
  const labeled = Object.fromEntries(actions.map((action, index) => [`item ${index}`, action]))
  expect(await transact(table, labeled)).toEqual({ ok: true })
}

const records = () => streamed.records(address.productId)
const deliver = (batch: readonly StreamRecord[]) => streamed.deliver(batch)

/** The tenant's log of this pool's product: what happened to which lease, by whom, and whose it was. */
async function log() {
  const items = await readRange(table, { pk: eventLog(tenantId) })
  const events = items.map(eventEntity.decode)
  const own = events.filter((event) => JSON.stringify(event).includes(address.productId))
  return own.map(({ type, subject, actor, at, requestId }) => [
    type,
    subject.id,
    actor.subject,
    at,
    requestId,
  ])
}

const details = async () => [...(await readLeaseDetails(table, address, ['abcdefgh', 'ijklmnop'])).values()]
const anns = { ref: 'abcdefgh', holder, department: 'R&D', since: now }

describe('the stream of a pool', () => {
  test('tells what happened, and who holds a lease until it is given back', async () => {
    await change('out', 'abcdefgh')
    expect(await deliver(await records())).toEqual({ batchItemFailures: [] })
    expect(await details()).toMatchObject([anns])
    const checkedOut = ['lease.checked-out', 'abcdefgh', 'tok_1', now, 'request-1']
    expect(await log()).toEqual([checkedOut])

    await change('in', 'abcdefgh')
    const [, checkIn] = await records()
    expect(await deliver(checkIn === undefined ? [] : [checkIn])).toEqual({ batchItemFailures: [] })
    expect(await details()).toEqual([])
    const checkedIn = ['lease.checked-in', 'abcdefgh', 'tok_1', now, 'request-1']
    expect((await log()).sort()).toEqual([checkedIn, checkedOut])
  })

  test('delivered twice says the same', async () => {
    await change('out', 'abcdefgh')
    await change('out', 'ijklmnop')
    await change('in', 'ijklmnop')
    const batch = await records()
    expect(batch).toHaveLength(3)
    expect(await deliver(batch)).toEqual({ batchItemFailures: [] })
    expect(await deliver(batch)).toEqual({ batchItemFailures: [] })
    expect(await details()).toMatchObject([anns])
    expect((await log()).map(([type, ref]) => `${type} ${ref}`).sort()).toEqual([
      'lease.checked-in ijklmnop',
      'lease.checked-out abcdefgh',
      'lease.checked-out ijklmnop',
    ])
  })

  test('names the new holder where a lease takes the place of one of its name that lapsed', async () => {
    await change('out', 'abcdefgh')
    const later = plusMilliseconds(now, 700_000)
    const next = { ...lease, until: lease.until + 700, beat: lease.beat + 700, generation: 9 }
    const anew = {
      put: new Map([['abcdefgh', next]]),
      seen: new Map([['abcdefgh', lease]]),
      remove: [],
    }
    const bens = { holder: { userId: 'ben' } }
    await write(anew, lastOf('out', 'abcdefgh', { caller, now: later, requestId: 'request-3' }, bens))
    expect(await deliver(await records())).toEqual({ batchItemFailures: [] })
    expect(await details()).toMatchObject([{ holder: { userId: 'ben' }, since: later }])
  })

  test('tells of a page what it tells of the item, and of each change once', async () => {
    const page = { ...lease, paged: true } as const
    const by = (op: Last['op'], ref: string) =>
      lastOf(op, ref, { caller, now, requestId: 'request-1' }, { holder, department: 'R&D' })
    const none = { put: new Map(), seen: new Map(), remove: [] }
    // Checked out onto a page; back, and its place is kept for the one that waits, who claims it: on a page again.
    await write({ ...none, put: new Map([['abcdefgh', page]]) }, by('out', 'abcdefgh'))
    await write({ ...none, tickets: 1 }, by('join', 'ijklmnop'))
    const hold = { ...lease, kind: 'hold' } as const
    const back = { seen: new Map([['abcdefgh', page]]), remove: ['abcdefgh'], tickets: -1 }
    await write({ ...back, put: new Map([['ijklmnop', hold]]) }, by('in', 'abcdefgh'))
    const claimed = { seen: new Map([['ijklmnop', hold]]), put: new Map([['ijklmnop', page]]), remove: [] }
    await write(claimed, by('claim', 'ijklmnop'))
    const batch = await records()
    expect(await deliver(batch)).toEqual({ batchItemFailures: [] })
    expect(await deliver(batch)).toEqual({ batchItemFailures: [] })
    expect((await log()).map(([type, ref, who]) => `${type} ${ref} ${who}`).sort()).toEqual([
      'lease.checked-in abcdefgh tok_1',
      'lease.checked-out abcdefgh tok_1',
      'lease.checked-out ijklmnop tok_1',
      'ticket.held ijklmnop pool',
      'ticket.joined ijklmnop tok_1',
    ])
    expect(await details()).toMatchObject([{ ...anns, ref: 'ijklmnop' }])
  })

  test('says nothing of a change that is none of its leases: a license changed, a heartbeat came', async () => {
    await change('out', 'abcdefgh')
    const renewed = { ...lease, until: lease.until + 60, beat: lease.beat + 60, generation: 8 }
    const renewal = {
      put: new Map([['abcdefgh', renewed]]),
      seen: new Map([['abcdefgh', lease]]),
      remove: [],
    }
    await write(renewal, undefined)
    const licenses = { ...address, limits: { [address.metric]: 5 } }
    await transact(table, await raiseFences(table, licenses))
    const batch = await records()
    expect(batch).toHaveLength(3)
    expect(await deliver(batch)).toEqual({ batchItemFailures: [] })
    expect((await log()).map(([type]) => type)).toEqual(['lease.checked-out'])
  })

  test('with a record that somebody broke reports that one alone', async () => {
    await change('out', 'abcdefgh')
    await change('out', 'ijklmnop')
    const [first, second] = await records()
    if (first === undefined || second === undefined) throw new Error('the stream lost a record')
    const broken = { ...first, dynamodb: { ...first.dynamodb, NewImage: { used: { S: 'many' } } } }
    expect(await deliver([broken, second])).toEqual({
      batchItemFailures: [{ itemIdentifier: sequenceNumberOf(first) }],
    })
    expect(await details()).toMatchObject([{ ref: 'ijklmnop' }])
  })
})
