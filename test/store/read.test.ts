import { describe, expect, test } from 'vitest'
import type { Key } from '../../shared/store/keys.ts'
import { readItems } from '../../shared/store/read.ts'
import { interpose } from '../support/sdk.ts'
import { localTable, newClient, put } from './local-table.ts'

const table = await localTable()
const KEYS = Array.from({ length: 7 }, (_, number) => ({ pk: `ROW#${number}`, sk: 'ROW' }))
await put(table, ...KEYS)

/** The same table, so busy that it answers no more than so many items of a batch. */
function busy(most: number) {
  const client = newClient()
  const asked: number[] = []
  interpose(client, async (_, send) => {
    const result = await send()
    const { output } = Object(result)
    const found: Key[] = output.Responses[table.name]
    asked.push(found.length)
    const left = found.splice(most)
    output.UnprocessedKeys = left.length > 0 ? { [table.name]: { Keys: left } } : {}
    return result
  })
  return { table: { client, name: table.name }, asked }
}

describe('of a batch that a busy table answers in parts', () => {
  test('what is left over is asked for again', async () => {
    const { table: own, asked } = busy(3)
    const items = await readItems(own, KEYS)
    expect(items.map(({ pk }) => pk).toSorted()).toEqual(KEYS.map(({ pk }) => pk))
    expect(asked).toEqual([7, 4, 1])
  })

  test('nothing is taken for absent that was not read', async () => {
    const { table: own } = busy(0)
    await expect(readItems(own, KEYS)).rejects.toThrow('7 items were left over 8 times')
  })
})
