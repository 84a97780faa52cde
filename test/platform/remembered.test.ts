import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { once, Remembered, rememberedReads } from '../../shared/platform/remembered.ts'

describe('Remembered', () => {
  test('forgets the entry that was set longest ago when it is full', () => {
    const memory = new Remembered<string, number>(2)
    memory.set('a', 1)
    memory.set('b', 2)
    memory.set('a', 3)
    memory.set('c', 4)
    expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([3, undefined, 4])
  })

  test('holds exactly the last so many keys, each with its last value', () => {
    const writes = fc.array(fc.record({ key: fc.nat({ max: 8 }), value: fc.nat() }), { maxLength: 60 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), writes, (most, entries) => {
        const memory = new Remembered<number, number>(most)
        for (const { key, value } of entries) memory.set(key, value)
        const newestFirst = [...new Set(entries.map(({ key }) => key).reverse())]
        for (const [age, key] of newestFirst.entries()) {
          const last = entries.findLast((entry) => entry.key === key)?.value
          expect(memory.get(key)).toBe(age < most ? last : undefined)
        }
      }),
    )
  })
})

describe('once', () => {
  test('makes at the first call, for all who ask', async () => {
    let made = 0
    const get = once(async () => {
      made += 1
      return made
    })
    expect(made).toBe(0)
    expect(await Promise.all([get(), get()])).toEqual([1, 1])
    expect(await get()).toBe(1)
  })

  test('makes again after it failed, and lets all know who asked meanwhile', async () => {
    let tries = 0
    const get = once(async () => {
      tries += 1
      if (tries === 1) throw new Error('not yet')
      return 'made'
    })
    const both = await Promise.allSettled([get(), get()])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await get()).toBe('made')
    expect(tries).toBe(2)
  })
})

test('what is read for a key is read once, and anew where that failed', async () => {
  const reads: string[] = []
  const read = rememberedReads(2, async (key: string) => {
    reads.push(key)
    if (reads.length === 1) throw new Error('throttled')
    return reads.length
  })
  await expect(read('a')).rejects.toThrow('throttled')
  expect([await read('a'), await read('a'), await read('b')]).toEqual([2, 2, 3])
})
