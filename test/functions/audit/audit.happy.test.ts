import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KMSClient } from '@aws-sdk/client-kms'
import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { sequenceEvents } from '../../../functions/logs/sequence-events.ts'
import { verifySource } from '../../../infra/latchkey-verify.ts'
import { eventEntry } from '../../../shared/domain/audit-entry.ts'
import {
  checkpointText,
  parseReceipt,
  parseVerifierKey,
  signedNote,
} from '../../../shared/domain/checkpoint.ts'
import { Event } from '../../../shared/domain/event.ts'
import {
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  type Frontier,
  grown,
  leafHash,
  rootOf,
} from '../../../shared/domain/merkle.ts'
import { provesConsistency, provesInclusion } from '../../../shared/domain/merkle-proof.ts'
import { entriesOf, hashesOf, perfect } from '../../../shared/domain/tile.ts'
import { auditSigner } from '../../../shared/platform/signing/audit-signer.ts'
import { verifyCheckpoint } from '../../../shared/platform/signing/note.ts'
import { DAY, HOUR, readClock } from '../../../shared/platform/time.ts'
import { readHead } from '../../../shared/store/audit-log.ts'
import { auditLeafKey, eventKey } from '../../../shared/store/keys.ts'
import { readTimer } from '../../../shared/store/timer.ts'
import { outcome, startApi } from '../../support/api.ts'
import { sequenceAll } from '../../support/audit.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { createTenant } from '../../support/resources.ts'
import { expected } from '../../support/scenario.ts'
import { eventsOf, store } from './rig.ts'

const api = await startApi()
const folder = mkdtempSync(join(tmpdir(), 'latchkey-audit-'))
afterAll(async () => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true })
  await api.stop()
})
const tenant = await createTenant(api)
const reader = await api.token('tenant:reporter', tenant.id)
const base = `/v1/tenants/${tenant.id}/audit`
const origin = `audit.licensing.example.test/t/${tenant.id}`

type Query = Record<string, string>
const ask = (path: string, query: Query = {}, token: string | undefined = reader) =>
  api.call('GET', path, { token, query })
const get = async (path: string, query?: Query, token?: string) =>
  expected(200, await ask(path, query, token))
const text = async (path: string, query?: Query, token?: string) =>
  z.string().parse(await get(path, query, token))
const bytes = async (path: string) => z.instanceof(Buffer).parse(await get(path))
const base64 = (hash: Uint8Array) => Buffer.from(hash).toString('base64')
const fromBase64 = (value: string) => Buffer.from(value, 'base64')

async function keyText(log?: string): Promise<string> {
  const { keys } = z
    .object({ keys: z.array(z.string()) })
    .parse(await get('/v1/audit/key', log ? { log } : {}))
  return keys.at(-1) ?? ''
}
async function opened(note: string, log?: string) {
  const key = parseVerifierKey(await keyText(log))
  const checkpoint = key && verifyCheckpoint(note, key)
  if (checkpoint === undefined) throw new Error(`this is not signed: ${note}`)
  return checkpoint
}

const Hashes = z.array(z.base64().transform(fromBase64))
const Inclusion = z.object({
  index: z.int(),
  size: z.int(),
  entry: z.base64().transform(fromBase64),
  root: z.base64().transform(fromBase64),
  proof: Hashes,
})
const Entries = z.object({
  items: z.array(z.object({ index: z.int(), event: Event, salt: z.base64(), entry: z.base64() })),
  nextCursor: z.string().optional(),
})

/** More than a tile, in two parts, each with its checkpoint. */
const events = eventsOf(tenant.id, 270)
let early = ''
let size = 0

beforeAll(async () => {
  stopClock()
  await store(api.table, events.slice(0, 100))
  size += await sequenceAll(api.table, tenant.id)
  early = await text(`${base}/checkpoint`)
  await store(api.table, events.slice(100))
  size += await sequenceAll(api.table, tenant.id)
  advanceClock(HOUR)
})

test('events come into the log in the order in which they are brought, and once however often', async () => {
  const stirred = [...events].reverse().slice(0, 60)
  expect(await sequenceEvents(api.table, stirred, readClock())).toBe(0)
  expect((await readHead(api.table, tenant.id)).size).toBe(size)
  // The tenant, the reader's token, those, and the first checkpoint.
  expect(size).toBe(2 + events.length + 1)
})

test('the signed checkpoint is of the tree that its tiles and entries make', async () => {
  const checkpoint = await opened(await text(`${base}/checkpoint`), tenant.id)
  const full = hashesOf(await bytes(`${base}/tile/0/000`))
  const partial = hashesOf(await bytes(`${base}/tile/0/001.p/${size - 256}`))
  const leaves = [...full, ...partial]
  const root = rootOf(leaves.reduce<Frontier>(grown, EMPTY_FRONTIER))
  expect({ ...checkpoint, root: base64(checkpoint.root) }).toEqual({ origin, size, root: base64(root) })
  const entries = [
    ...(entriesOf(await bytes(`${base}/tile/entries/000`)) ?? []),
    ...(entriesOf(await bytes(`${base}/tile/entries/001.p/3`)) ?? []),
  ]
  expect(entries.map(leafHash).map(base64)).toEqual(leaves.slice(0, 259).map(base64))
  expect(await bytes(`${base}/tile/1/000.p/1`)).toEqual(perfect(full))
  for (const none of ['0/001', `0/001.p/${size - 255}`, '1/000', '2/000.p/1', '0/002.p/1', 'entries/001'])
    expect(outcome(await ask(`${base}/tile/${none}`))).toBe('404 NOT_FOUND')
})

test('an event is proven to be in the log, by its id or index, at any size', async () => {
  const event = events[42]
  if (event === undefined) throw new Error('no event')
  const now = Inclusion.parse(await get(`${base}/inclusion`, { eventId: event.id }))
  const before = Inclusion.parse(await get(`${base}/inclusion`, { index: String(now.index), size: '77' }))
  const { items } = Entries.parse(await get(`${base}/entries`, { subject: event.subject.id }))
  expect(items.map((item) => item.event)).toEqual([event])
  expect(eventEntry(event, fromBase64(items[0]?.salt ?? ''))).toEqual(now.entry)
  for (const claim of [now, before])
    expect(provesInclusion({ ...claim, leaf: leafHash(claim.entry) }, claim.proof)).toBe(true)
  expect([now.size, before.size]).toEqual([size, 77])
  for (const query of [
    { index: String(size) },
    { index: '80', size: '77' },
    { index: '1', size: String(size + 1) },
  ])
    expect(outcome(await ask(`${base}/inclusion`, query))).toBe('404 NOT_FOUND')
  expect(outcome(await ask(`${base}/inclusion`))).toBe('400 INVALID_REQUEST')
})

test('the log grew out of every checkpoint that was signed of it', async () => {
  const [before, after] = [
    await opened(early, tenant.id),
    await opened(await text(`${base}/checkpoint`), tenant.id),
  ]
  expect([before.size, after.size]).toEqual([102, size])
  const answer = await get(`${base}/consistency`, { from: '102', to: String(size) })
  expect(provesConsistency(before, after, z.object({ proof: Hashes }).parse(answer).proof)).toBe(true)
  expect(await text(`${base}/checkpoint`, { size: '102' })).toBe(early)
  expect(outcome(await ask(`${base}/checkpoint`, { size: '103' }))).toBe('404 NOT_FOUND')
})

test('a receipt proves an event offline, one of just now too', async () => {
  const [late] = eventsOf(tenant.id, 1)
  if (late === undefined) throw new Error('no event')
  await text(`${base}/checkpoint`)
  await store(api.table, [late])
  size += await sequenceEvents(api.table, [late], readClock())
  const receipt = parseReceipt(await text(`${base}/receipt`, { eventId: late.id }))
  if (receipt === undefined) throw new Error('no receipt')
  const checkpoint = await opened(receipt.note, tenant.id)
  const { items } = Entries.parse(
    await get(`${base}/entries`, { requestId: late.requestId, order: 'newest' }),
  )
  const leaf = leafHash(eventEntry(late, fromBase64(items[0]?.salt ?? '')))
  expect(provesInclusion({ ...checkpoint, index: receipt.index, leaf }, receipt.proof)).toBe(true)
})

test('entries are found by type, who, what and when, page by page', async () => {
  const list = async (query: Query) => {
    const found: number[] = []
    for (let cursor: string | undefined; ; ) {
      const page = Entries.parse(
        await get(`${base}/entries`, { limit: '100', ...query, ...(cursor && { cursor }) }),
      )
      found.push(...page.items.map(({ index }) => index))
      cursor = page.nextCursor
      if (cursor === undefined) return found
    }
  }
  const all = await list({})
  expect(all).toEqual([...all].toSorted((one, other) => one - other))
  expect(all).toHaveLength(size)
  expect(await list({ order: 'newest' })).toEqual([...all].reverse())
  expect(await list({ type: 'seat.revoked' })).toHaveLength(135)
  expect(await list({ type: 'seat.assigned', actor: 'tok_0' })).toHaveLength(46)
  expect(await list({ since: events[10]?.at ?? '', until: events[13]?.at ?? '', type: 'seat.*' })).toEqual([
    12, 13, 14,
  ])
  expect(await list({ since: events[13]?.at ?? '', until: events[10]?.at ?? '' })).toEqual([])
})

describe('an export', () => {
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  /** All pages of an export, put together. */
  async function exported(query: Query, page = ask): Promise<string> {
    let content = ''
    for (let next: string | undefined = `?${new URLSearchParams(query)}`; next !== undefined; ) {
      const answer = await page(`${base}/export`, Object.fromEntries(new URLSearchParams(next.split('?')[1])))
      content += z.string().parse(expected(200, answer))
      next = /<(.*)>; rel="next"/.exec(answer.headers['link'] ?? '')?.[1]
    }
    return content
  }
  let [whole, key] = ['', '']
  beforeAll(async () => {
    await api.run('publishCheckpoints')
    whole = await exported({ limit: '100' })
    key = await keyText(tenant.id)
  })
  const verify = async (source: string, options: object = {}) => {
    const { line, exitCode } = await verifySource({ source, key, ...options })
    expect(exitCode).toBe(line.startsWith('Proven') ? 0 : 1)
    return line
  }

  test('of all entries proves that there were these and no others, and since when', async () => {
    expect(whole.split('\n').filter((line) => line.startsWith('{"log"'))).toHaveLength(3)
    const line = await verify(file('whole.jsonl', whole), { earlier: file('early.txt', early) })
    expect(line).toBe(
      `Proven: ${origin} has exactly these ${size} entries, in this order; it grew out of your checkpoint of size 102; its checkpoint is in the public log of all checkpoints (size 3); signed by the key you pinned.`,
    )
    expect(await verify(join(folder, 'whole.jsonl'), { key: undefined })).toMatch(/pin one with --key\.$/)
  })

  test('as CSV proves the same, with the checkpoint beside it', async () => {
    const csv = file('whole.csv', await exported({ format: 'csv', limit: '250' }))
    const checkpoint = file('checkpoint.txt', await text(`${base}/checkpoint`))
    expect(await verify(csv, { checkpoint })).toMatch(/has exactly these/)
    expect(await verify(csv)).toMatch(/CHECKPOINT_MISSING/)
    const forged = file('forged.csv', readFileSync(csv, 'utf8').replace(',user 7,', ',user 8,'))
    expect(await verify(forged, { checkpoint })).toMatch(/ENTRY_CHANGED.*a column of entry/)
  })

  test('of some entries proves that they are there', async () => {
    const some = file('some.jsonl', await exported({ type: 'seat.revoked' }))
    expect(await verify(some)).toMatch(/^Proven: these 135 entries are in .*others may be left out here/)
    expect(await verify(some, { earlier: file('early.txt', early) })).toMatch(/EARLIER_UNPROVEN/)
  })

  test('of which little passes the filter has pages without any of it, where time is over', async () => {
    const query = { subject: 'user 250' }
    const inTime = await exported(query)
    const cut = await exported(query, async (path, asked = {}) =>
      api.call('GET', path, { query: asked, token: reader, remaining: () => 1_000 }),
    )
    const entries = (content: string) => content.split('\n').filter((line) => line.startsWith('{"index"'))
    const heads = (content: string) => content.split('\n').filter((line) => line.startsWith('{"log"'))
    expect(entries(cut)).toEqual(entries(inTime))
    expect(entries(cut)).toHaveLength(1)
    expect([heads(inTime).length, heads(cut).length]).toEqual([1, 3])
    expect(await verify(file('cut.jsonl', cut))).toMatch(/^Proven: these 1 entries are in/)
  })

  const lines = () => whole.trimEnd().split('\n')
  const edited = (edit: (all: string[]) => string[]) => file('edited.jsonl', edit(lines()).join('\n'))

  test.each([
    [
      'an event with a word changed',
      (all: string[]) => all.map((one) => one.replace('"user 7"', '"user 8"')),
      'ENTRY_CHANGED',
    ],
    [
      'one entry left out',
      (all: string[]) => all.filter((one) => !one.includes('"user 7"')),
      'ENTRY_MISSING',
    ],
    ['the last page left out, and said to be all', (all: string[]) => all.slice(0, 150), 'ENTRY_MISSING'],
    [
      'two entries in another order',
      ([head = '', one = '', two = '', ...rest]: string[]) => [head, two, one, ...rest],
      'ENTRY_MISSING',
    ],
    [
      'an entry twice',
      ([head = '', one = '', ...rest]: string[]) => [head, one, one, ...rest],
      'ENTRY_MISPLACED',
    ],
    [
      'another root',
      (all: string[]) => all.map((one) => one.replace(/(\\n\d+\\n)..../g, '$1AAAA')),
      'CHECKPOINT_UNSIGNED',
    ],
    ['a page twice', (all: string[]) => [...all.slice(0, 101), ...all], 'ENTRY_MISPLACED'],
    ['something else', () => ['nonsense', '{'], 'FILE_UNREADABLE'],
    ['CSV that is cut off', () => ['index,"id'], 'FILE_UNREADABLE'],
    ['nothing', () => [], 'FILE_UNREADABLE'],
  ])('with %s is not proven', async (_, edit, fault) => {
    expect(await verify(edited(edit))).toMatch(new RegExp(`^NOT proven \\(${fault}\\)`))
  })

  test('that cannot be had is not proven', async () => {
    expect(await verify(folder)).toMatch(/^NOT proven \(FILE_UNREADABLE\): there is no file/)
    // Nobody listens at the port 1.
    expect(await verify('http://127.0.0.1:1/v1/tenants/ten_0/audit')).toMatch(
      /^NOT proven \(FILE_UNREADABLE\): .* did not answer/,
    )
  })

  test('signed by another key, or held against another past, is not proven', async () => {
    const all = edited((lines) => lines)
    expect(await verify(all, { key: await keyText('vendor') })).toMatch(/CHECKPOINT_UNSIGNED/)
    // What an operator could sign for somebody else: another history of the same log.
    const pinned = parseVerifierKey(key)
    if (pinned === undefined) throw new Error('no key')
    const kms = new KMSClient({})
    const forge = async (of: number) => {
      const other = checkpointText({ origin, size: of, root: EMPTY_ROOT })
      return file('other.txt', signedNote(other, pinned, await auditSigner(kms, api.kmsKeys.audit)(other)))
    }
    expect(await verify(all, { earlier: await forge(102) })).toMatch(
      /HISTORY_REWRITTEN.*the first 102 entries/,
    )
    expect(await verify(all, { earlier: await forge(size + 1) })).toMatch(
      /HISTORY_REWRITTEN.*were signed before/,
    )
    kms.destroy()
  })

  test('shows an entry whose event was erased with its salt, and its proof holds', async () => {
    const event = events[5]
    if (event === undefined) throw new Error('no event')
    const { client, name: TableName } = api.table
    await client.send(new DeleteCommand({ TableName, Key: eventKey(tenant.id, event.id) }))
    const Key = auditLeafKey(tenant.id, 7)
    await client.send(new UpdateCommand({ TableName, Key, UpdateExpression: 'REMOVE salt' }))
    const erased = file('erased.jsonl', await exported({}))
    expect(readFileSync(erased, 'utf8')).not.toContain('"user 5"')
    expect(await verify(erased)).toMatch(/has exactly these .*; of 1 the event was erased;/)
  })
})

describe('checkpoints', () => {
  test('are signed by the job when the log grew, and put into the log of all of them', async () => {
    expect(await readTimer(api.table, { kind: 'audit-checkpoint', subject: [tenant.id] })).toBeUndefined()
    const all = await opened(await text('/v1/audit/checkpoints/checkpoint', {}, undefined))
    const own = await opened(await text(`${base}/checkpoint`), tenant.id)
    const query = { origin, logSize: String(own.size) }
    const claim = Inclusion.parse(await get('/v1/audit/checkpoints/inclusion', query))
    expect(claim.entry.toString()).toBe(`${origin}\n${own.size}\n${base64(own.root)}\n`)
    expect(provesInclusion({ ...claim, leaf: leafHash(claim.entry) }, claim.proof)).toBe(true)
    expect([claim.size, base64(claim.root)]).toEqual([all.size, base64(all.root)])
  })

  test('are told as an event once a day, as long as something else happens', async () => {
    const told = async () => {
      const query = { type: 'audit.checkpoint-published' }
      return Entries.parse(await get(`${base}/entries`, query)).items.length
    }
    const pass = async (milliseconds: number) => {
      advanceClock(milliseconds)
      await sequenceAll(api.table, tenant.id)
      await api.run('publishCheckpoints')
      await sequenceAll(api.table, tenant.id)
      return told()
    }
    const before = await told()
    await store(api.table, eventsOf(tenant.id, 1))
    expect(await pass(HOUR)).toBe(before)
    expect(await pass(DAY)).toBe(before)
    await store(api.table, eventsOf(tenant.id, 1))
    expect(await pass(HOUR)).toBe(before + 1)
    // By itself, nothing is told any more.
    for (let day = 0; day < 2; day += 1) expect(await pass(DAY)).toBe(before + 1)
  })
})

test('tenants see that the vendor acted, and in which role, and not by which credential', async () => {
  const admin = await api.token('vendor:admin')
  const Tokens = z.object({ items: z.array(z.object({ id: z.string(), alias: z.string().optional() })) })
  const tokens = Tokens.parse(expected(200, await api.call('GET', '/v1/tokens', { token: admin }))).items
  const staff = tokens.filter(({ alias }) => alias !== undefined)
  expect(staff).toHaveLength(1)
  const [{ id = '', alias } = {}] = staff
  const made = { type: 'tenant.created' }
  const [entry] = Entries.parse(await get(`${base}/entries`, { ...made, order: 'oldest' })).items
  expect(entry?.event.actor).toEqual({ kind: 'vendor', role: 'vendor:admin', subject: alias })
  // What everybody sees is what the leaf is made of.
  expect(entry?.entry).toBe(entry && base64(eventEntry(entry.event, fromBase64(entry.salt))))
  for (const path of [`${base}/entries`, `${base}/export`, `/v1/tenants/${tenant.id}/events`])
    expect(JSON.stringify(await get(path))).not.toContain(id)
  const by = async (actor: string, token: string) =>
    Entries.parse(await get(`${base}/entries`, { ...made, actor }, token)).items.length
  expect([await by(id, reader), await by(alias ?? '', reader), await by(id, admin)]).toEqual([0, 1, 1])
})

test('events that the stream gave up are found, put into the log by hand, once, and the log verifies', async () => {
  const other = await createTenant(api)
  const path = `/v1/tenants/${other.id}`
  const admin = await api.token('vendor:admin')
  const lost = eventsOf(other.id, 90)
  await store(api.table, lost)
  // All but some come to the consumer of the stream, and those never again.
  await sequenceEvents(api.table, [...lost.slice(0, 20), ...lost.slice(85)], readClock())
  advanceClock(HOUR)
  const Scan = z.object({ found: z.int(), mended: z.int() })
  const scan = async () =>
    Scan.parse(expected(200, await api.call('POST', `${path}/integrity/scans`, { token: admin })))
  // As many as a scan tells of, and more than that are lost; nobody followed what is recorded of the tenant itself.
  expect(await scan()).toEqual({ found: 20 + 1, mended: 0 })
  const heal = (token: string, headers = {}) =>
    api.call('POST', `${path}/audit/sequencings`, { token, headers })
  expect(outcome(await heal(await api.token('tenant:admin', other.id)))).toBe('403 FORBIDDEN')
  const Healed = z.strictObject({ events: z.array(z.string()) })
  const once = { 'idempotency-key': 'heal' }
  const healed = Healed.parse(expected(200, await heal(admin, once)))
  // With what the tenant was made by, and in the order of time.
  expect(healed.events.slice(-65)).toEqual(lost.slice(20, 85).map(({ id }) => id))
  expect(Healed.parse(expected(200, await heal(admin, once)))).toEqual(healed)
  expect(Healed.parse(expected(200, await heal(admin)))).toEqual({ events: [] })
  await sequenceAll(api.table, other.id)
  expect(await scan()).toEqual({ found: 0, mended: 20 })
  const entries = Entries.parse(
    await get(`${path}/audit/entries`, { type: 'audit.events-sequenced' }, admin),
  ).items.map(({ event }) => z.object({ events: z.array(z.string()) }).parse(event.after).events)
  expect(entries.flat()).toEqual(healed.events)
  const whole = join(folder, 'healed.jsonl')
  writeFileSync(whole, await text(`${path}/audit/export`, {}, admin))
  const { line } = await verifySource({ source: whole, key: await keyText(other.id) })
  expect(line).toMatch(/^Proven: .*has exactly these/)
})
