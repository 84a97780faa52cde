import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isRefusal } from '../../shared/domain/refusal.ts'
import type { Item } from '../../shared/store/codec.ts'
import { type Page, readPage } from '../../shared/store/page.ts'
import type { Range } from '../../shared/store/read.ts'
import { transact } from '../../shared/store/transact.ts'
import { interpose } from '../support/sdk.ts'
import { localTable, newClient, put } from './local-table.ts'

const table = await localTable()
const KEY = randomBytes(32)
const ALL = async (items: readonly Item[]) => items.map((item) => Number(item['number']))

/** A partition of so many items, numbered from 0, in the table and in the `kind` index. */
let partitions = 0
async function filled(count: number): Promise<{ pk: string; kindPk: string }> {
  partitions += 1
  const [pk, kindPk] = [`LIST#${partitions}`, `LISTS#${partitions}`]
  const items = Array.from({ length: count }, (_, number) => {
    const sk = `N#${String(number).padStart(4, '0')}`
    return { pk, sk, kindPk, kindSk: sk, number }
  })
  for (let start = 0; start < count; start += 100) await put(table, ...items.slice(start, start + 100))
  return { pk, kindPk }
}

async function page<T>(
  range: Range,
  limit: number,
  cursor?: string,
  take?: (items: readonly Item[]) => Promise<(T | undefined)[]>,
  key = KEY,
): Promise<Page<T | number>> {
  const read = await readPage<T | number>(table, key, range, { limit, cursor }, take ?? ALL)
  if (isRefusal(read)) throw new Error(read.refused)
  return read
}

/** All pages of a list, as a client follows them. */
async function pages(range: Range, limit: number, wanted: (number: number) => boolean = () => true) {
  const take = async (items: readonly Item[]) =>
    (await ALL(items)).map((number) => (wanted(number) ? number : undefined))
  const all: number[][] = []
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await page(range, limit, cursor, take)
    all.push(items)
    cursor = nextCursor
  } while (cursor !== undefined)
  return all
}

describe('a list', () => {
  test('of nothing is one empty page', async () => {
    expect(await page({ pk: 'NOBODY' }, 10)).toEqual({ items: [] })
  })

  test('goes from page to page and ends', async () => {
    const { pk } = await filled(5)
    expect(await pages({ pk }, 2)).toEqual([[0, 1], [2, 3], [4]])
    expect(await pages({ pk }, 10)).toEqual([[0, 1, 2, 3, 4]])
    expect(await pages({ pk, newestFirst: true }, 3)).toEqual([
      [4, 3, 2],
      [1, 0],
    ])
  })

  test('goes the same way through an index', async () => {
    const { kindPk } = await filled(5)
    expect(await pages({ index: 'kind', pk: kindPk }, 2)).toEqual([[0, 1], [2, 3], [4]])
    expect(await pages({ index: 'kind', pk: kindPk, below: 'N#0003' }, 2)).toEqual([[0, 1], [2]])
  })

  test('reads on past what it leaves out, until its page is full', async () => {
    const { pk } = await filled(40)
    const first = (await pages({ pk }, 3, (number) => number % 10 === 9))[0]
    expect(first).toEqual([9, 19, 29])
  })

  test('of which nothing is wanted is one empty page, however long', async () => {
    const { pk } = await filled(30)
    expect(await pages({ pk }, 4, () => false)).toEqual([[]])
  })

  test('reads on in strides past what it leaves out, and no further than it may', async () => {
    const { pk } = await filled(250)
    const client = newClient()
    let queries = 0
    interpose(client, (_, send) => {
      queries += 1
      return send()
    })
    const only = (wanted: number) => async (items: readonly Item[]) =>
      (await ALL(items)).map((number) => (number === wanted ? number : undefined))
    const read = (wanted: number, cursor?: string, most?: number) =>
      readPage({ client, name: table.name }, KEY, { pk }, { limit: 1, cursor, most }, only(wanted))
    expect(await read(240)).toEqual({ items: [240] })
    expect(queries).toBe(4)
    const first = await read(240, undefined, 150)
    expect(first).toEqual({ items: [], nextCursor: expect.any(String) })
    if (isRefusal(first)) throw new Error(first.refused)
    expect(await read(240, first.nextCursor, 150)).toMatchObject({ items: [240] })
  })

  test('never loses or repeats an item, whatever is left out and however long a page is', async () => {
    const lists = new Map<number, { pk: string; kindPk: string }>()
    for (const count of [0, 1, 7, 24]) lists.set(count, await filled(count))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...lists.keys()),
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
        fc.boolean(),
        fc.boolean(),
        async (count, limit, kept, newestFirst, byIndex) => {
          const { pk, kindPk } = lists.get(count) ?? { pk: '', kindPk: '' }
          const range: Range = byIndex ? { index: 'kind', pk: kindPk, newestFirst } : { pk, newestFirst }
          const read = await pages(range, limit, (number) => kept[number] === true)
          const expected = Array.from({ length: count }, (_, number) => number).filter((one) => kept[one])
          expect(read.flat()).toEqual(newestFirst ? expected.reverse() : expected)
          // A page that is not the last is full: a client need not ask for nothing.
          for (const one of read.slice(0, -1)) expect(one).toHaveLength(limit)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('that grows meanwhile shows what was there before once, and what came behind', async () => {
    const { pk } = await filled(4)
    const first = await page({ pk }, 2)
    await put(table, { pk, sk: 'N#0000x', number: 100 }, { pk, sk: 'N#0002x', number: 102 })
    expect((await page({ pk }, 10, first.nextCursor)).items).toEqual([2, 102, 3])
  })

  test('of which the last item of a page is deleted meanwhile goes on behind it', async () => {
    const { pk } = await filled(4)
    const { nextCursor } = await page({ pk }, 2)
    await transact(table, { last: { kind: 'remove', key: { pk, sk: 'N#0001' } } })
    expect((await page({ pk }, 10, nextCursor)).items).toEqual([2, 3])
  })
})

describe('a cursor', () => {
  const cursorOf = async (range: Range) => {
    const { nextCursor } = await page(range, 1)
    if (nextCursor === undefined) throw new Error('the list has one page')
    return nextCursor
  }
  const refused = (range: Range, cursor: string, key = KEY) =>
    expect(readPage(table, key, range, { limit: 1, cursor }, ALL)).resolves.toMatchObject({
      refused: 'INVALID_CURSOR',
    })

  test('that was changed anywhere is refused', async () => {
    const range = { pk: (await filled(3)).pk }
    const cursor = await cursorOf(range)
    for (let at = 0; at < cursor.length; at += 1) {
      const other = cursor[at] === 'A' ? 'B' : 'A'
      await refused(range, cursor.slice(0, at) + other + cursor.slice(at + 1))
    }
  })

  test.each(['', '.', 'x', 'e30.', 'e30.AAAAAAAAAAAAAAAAAAAAAA', '\u0000', 'é'.repeat(30)])(
    'that was made up is refused: %j',
    async (cursor) => {
      await refused({ pk: (await filled(1)).pk }, cursor)
    },
  )

  test('of another list is refused: another partition, index, part or order', async () => {
    const [one, other] = [await filled(3), await filled(3)]
    const cursor = await cursorOf({ pk: one.pk })
    for (const range of [
      { pk: other.pk },
      { pk: one.pk, newestFirst: true },
      { pk: one.pk, prefix: 'N#' },
      { pk: one.pk, below: 'N#9' },
      { index: 'kind', pk: one.kindPk },
    ] as const)
      await refused(range, cursor)
  })

  test('of another stage, signed with another key, is refused', async () => {
    const range = { pk: (await filled(3)).pk }
    await refused(range, await cursorOf(range), randomBytes(32))
  })

  test('does not tell more than the place it names', async () => {
    const cursor = await cursorOf({ pk: (await filled(3)).pk })
    const place = JSON.parse(Buffer.from(cursor.split('.')[0] ?? '', 'base64url').toString())
    expect(Object.keys(place).toSorted()).toEqual(['pk', 'sk'])
  })
})
