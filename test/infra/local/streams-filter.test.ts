import { describe, expect, test } from 'vitest'
import { isWanted, Pattern } from '../../../infra/local/streams/filter.ts'

const record = {
  eventName: 'INSERT',
  dynamodb: { NewImage: { a: { S: 'x' }, n: { N: '1' }, b: { BOOL: true } } },
}
const image = (rules: object) => ({ dynamodb: { NewImage: rules } })

describe('a filter', () => {
  test.each([
    ['one of several values', { eventName: ['MODIFY', 'INSERT'] }, true],
    ['none of them', { eventName: ['MODIFY', 'REMOVE'] }, false],
    ['every field it names', image({ a: { S: ['x'] }, n: { N: ['1'] } }), true],
    ['only some of the fields', image({ a: { S: ['x'] }, n: { N: ['2'] } }), false],
    ['a number that is text', image({ n: { N: [1] } }), false],
    ['a truth', image({ b: { BOOL: [true] } }), true],
    ['a field that has to be there', image({ a: { S: [{ exists: true }] } }), true],
    ['a field that is missing', image({ c: { S: [{ exists: true }] } }), false],
    ['a field that must not be there', image({ c: { S: [{ exists: false }] } }), true],
    ['one that is there nevertheless', image({ a: { S: [{ exists: false }] } }), false],
    ['a field below what is none', image({ a: { S: { deeper: ['x'] } } }), false],
    ['what every object has', image({ toString: { S: [{ exists: true }] } }), false],
  ])('on %s', (_, pattern, wanted) => {
    expect(isWanted([Pattern.parse(pattern)], record)).toBe(wanted)
  })

  test('lets through what one of several patterns does, and without patterns everything', () => {
    const [never, insert] = [{ eventName: ['REMOVE'] }, { eventName: ['INSERT'] }]
    expect(isWanted([never, insert], record)).toBe(true)
    expect(isWanted([never], record)).toBe(false)
    expect(isWanted([], record)).toBe(true)
  })

  test.each([{ prefix: 'a' }, { 'anything-but': ['a'] }, { numeric: ['>', 1] }])(
    'does not know %j',
    (rule) => {
      expect(Pattern.safeParse({ eventName: [rule] }).success).toBe(false)
    },
  )
})
