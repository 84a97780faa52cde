import { expect, test } from 'vitest'
import { nameOf } from '../../shared/domain/lease-terms.ts'

test('the name of a lease is short, and never that of a count of its pool', () => {
  const names = Array.from({ length: 5_000 }, (_, index) => nameOf('token', String(index)))
  expect(names.filter((name) => !/^[\w-]{7}$/.test(name) || /^[a-z]+$/.test(name))).toEqual([])
  expect(new Set(names).size).toBe(names.length)
})
