import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Instant } from '../../shared/platform/time.ts'
import type { Item } from '../../shared/store/codec.ts'
import { readReply, replyItem } from '../../shared/store/reply.ts'
import { localTable, put } from './local-table.ts'

const table = await localTable()
const KEY = randomBytes(32)
const NOW = Instant.parse('2026-03-01T12:00:00.000Z')
const SECRET = 'lk_prod_01ARZ3NDEKTSV4RRFFQ69G5FAV_hunter2'

let count = 0
/** Stores a reply, changed on the way; its key. */
async function stored(reply: unknown, change: (item: Item) => Item = (item) => item): Promise<string> {
  count += 1
  await put(table, change(replyItem(KEY, 'tok_1', `key-${count}`, 'print', reply, NOW)))
  return `key-${count}`
}
const read = (key: string, sealingKey: Uint8Array = KEY) =>
  readReply(table, sealingKey, 'tok_1', key, 'print')

describe('a reply that is kept', () => {
  test.each([
    ['an object', { token: SECRET, nested: { list: [1, 'é', null] } }],
    ['nothing', undefined],
    ['text', ''],
  ])('%s comes back as it was', async (_, reply) => {
    expect(await read(await stored(reply))).toEqual({ reply: reply ?? null })
  })

  test('cannot be read in the table, and looks different each time', () => {
    const items = [1, 2].map(() => replyItem(KEY, 'tok_1', 'key', 'print', { token: SECRET }, NOW))
    expect(items[0]?.['sealed']).not.toBe(items[1]?.['sealed'])
    for (const item of items) {
      const text = JSON.stringify(item)
      expect(text).not.toContain('hunter2')
      expect(Buffer.from(String(item['sealed']), 'base64url').toString('latin1')).not.toContain('token')
    }
  })

  test('cannot be opened with another key', async () => {
    await expect(read(await stored({ token: SECRET }), randomBytes(32))).rejects.toThrow()
  })

  test.each([0, 12, 28, -1])('that was changed at byte %i is not believed', async (at) => {
    const key = await stored({ token: SECRET }, (item) => {
      const bytes = Buffer.from(String(item['sealed']), 'base64url')
      const place = at < 0 ? bytes.length + at : at
      bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place)
      return { ...item, sealed: bytes.toString('base64url') }
    })
    await expect(read(key)).rejects.toThrow()
  })

  test('cut short is not believed', async () => {
    const key = await stored({ token: SECRET }, (item) => ({
      ...item,
      sealed: Buffer.from(String(item['sealed']), 'base64url').subarray(0, 20).toString('base64url'),
    }))
    await expect(read(key)).rejects.toThrow()
  })

  test.each([
    ['another caller', 'tok_2', 'own', 'print'],
    ['another key', 'tok_1', 'own', 'print'],
    ['another request', 'tok_1', 'key', 'print of another'],
  ])('that was put in the place of that of %s is not believed', async (_, subject, key, print) => {
    const { sealed } = replyItem(KEY, 'tok_1', 'key', 'print', { token: SECRET }, NOW)
    await put(table, { ...replyItem(KEY, subject, key, print, {}, NOW), sealed })
    await expect(readReply(table, KEY, subject, key, print)).rejects.toThrow()
  })

  test('is found by its subject and key alone, and only for the same request', async () => {
    const key = await stored({ token: SECRET })
    expect(await readReply(table, KEY, 'tok_2', key, 'print')).toBeUndefined()
    expect(await readReply(table, KEY, 'tok_1', `${key}x`, 'print')).toBeUndefined()
    expect(await readReply(table, KEY, 'tok_1', key, 'another print')).toBe('mismatch')
  })

  test('of an OIDC subject with any characters has a place of its own', async () => {
    const subjects = ['https://id.example|a#b', 'https://id.example|a%23b', 'https://id.example|a/b']
    for (const subject of subjects) await put(table, replyItem(KEY, subject, 'k', 'print', subject, NOW))
    for (const subject of subjects)
      expect(await readReply(table, KEY, subject, 'k', 'print')).toEqual({ reply: subject })
  })
})
