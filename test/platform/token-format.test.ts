import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatToken, newTokenSecret, parseToken } from '../../shared/platform/auth/token-format.ts'
import { newTokenId, TokenId } from '../../shared/platform/ids.ts'
import { fromEpochMilliseconds } from '../../shared/platform/time.ts'

const ID = TokenId.parse('tok_01ARZ3NDEKTSV4RRFFQ69G5FAV')
const SECRET = 'abcdefghijklmnopqrstuvwxyzABCDEF'
const BASE62 = /^[0-9A-Za-z]+$/

const tokens = fc
  .record({
    stage: fc.stringMatching(/^[a-z][a-z0-9-]{0,15}$/),
    id: fc.integer({ min: 0, max: 4_102_444_800_000 }).map((at) => newTokenId(fromEpochMilliseconds(at))),
    secret: fc.stringMatching(/^[0-9A-Za-z]{32}$/),
  })
  .map((parts) => ({ ...parts, text: formatToken(parts.stage, parts.id, parts.secret) }))

describe('a token', () => {
  test('has one spelling, for ever: tokens that were given out must go on working', () => {
    // CRC-32 of all before it, 0x8fcb836d, in base 62; computed by Python's zlib.
    expect(formatToken('prod', ID, SECRET)).toBe(`lk_prod_01ARZ3NDEKTSV4RRFFQ69G5FAV_${SECRET}2dGW57`)
  })

  test('is read back as it was written', () => {
    fc.assert(
      fc.property(tokens, ({ id, secret, text }) => {
        expect(parseToken(text)).toEqual({ id, secret })
      }),
    )
  })

  test('with one character changed is none, known without asking anyone', () => {
    fc.assert(
      fc.property(tokens, fc.nat(), fc.stringMatching(/^[0-9A-Za-z_-]$/), ({ text }, at, other) => {
        const place = at % text.length
        fc.pre(text[place] !== other)
        expect(parseToken(text.slice(0, place) + other + text.slice(place + 1))).toBeUndefined()
      }),
      { numRuns: 1_000 },
    )
  })

  test.each([
    ['nothing', () => ''],
    ['a part', (text: string) => text.slice(0, -1)],
    ['more than the whole', (text: string) => `${text}0`],
    ['a line behind', (text: string) => `${text}\n`],
    ['a space before', (text: string) => ` ${text}`],
    ['another prefix', (text: string) => text.replace('lk_', 'gh_')],
    ['another case', (text: string) => text.toUpperCase()],
  ])('%s is none', (_, change) => {
    const text = formatToken('prod', ID, SECRET)
    expect(parseToken(text)).toBeDefined()
    expect(parseToken(change(text))).toBeUndefined()
  })
})

describe('a secret', () => {
  test('has 32 characters of 62, all of them in use, none twice alike', () => {
    const secrets = Array.from({ length: 500 }, newTokenSecret)
    for (const secret of secrets) {
      expect(secret).toMatch(BASE62)
      expect(secret).toHaveLength(32)
    }
    expect(new Set(secrets).size).toBe(secrets.length)
    // 16,000 draws: that one of 62 characters is missing has a chance of 62 · (61/62)^16000 < 10^-110.
    expect(new Set(secrets.join('')).size).toBe(62)
  })
})
