import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatLicenseKey, keyHint, maskedKey, parseLicenseKey } from '../../shared/domain/license-key.ts'

const ALPHABET = [...'0123456789ABCDEFGHJKMNPQRSTVWXYZ']
const bytes = fc.uint8Array({ minLength: 17, maxLength: 40 })

/** The same keys on every run: from the hash of a number. */
const keyNumber = (number: number) => formatLicenseKey(createHash('sha256').update(`key ${number}`).digest())

describe('a license key', () => {
  // Worked out apart from this program: Crockford's base 32, then the first 20 bits of a SHA-256.
  test.each([
    [new Uint8Array(17), '00000-00000-00000-00000-00000-0YA3B'],
    [Uint8Array.from({ length: 17 }, (_, index) => index * 15), '007HW-B9W9D-D6JY4-7JTJV-9GYJW-7NJ1T'],
  ])('is written in one way', (random, key) => {
    expect(formatLicenseKey(random)).toBe(key)
  })

  test('is six groups of five characters that nobody mistakes', () => {
    fc.assert(
      fc.property(bytes, (random) => {
        expect(formatLicenseKey(random)).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){5}[0-9A-HJKMNP-TV-Z]{5}$/)
      }),
    )
  })

  test('is read back as what was written', () => {
    fc.assert(
      fc.property(bytes, (random) => {
        const key = formatLicenseKey(random)
        expect(parseLicenseKey(key)).toBe(key)
      }),
    )
  })

  test('carries all of the first 130 bits and none of the rest', () => {
    fc.assert(
      fc.property(bytes, fc.nat(135), (random, bit) => {
        const turned = Uint8Array.from(random)
        const index = Math.floor(bit / 8)
        turned[index] = (turned[index] ?? 0) ^ (0x80 >> (bit % 8))
        expect(formatLicenseKey(turned) === formatLicenseKey(random)).toBe(bit >= 130)
        expect(formatLicenseKey(random.slice(0, 17))).toBe(formatLicenseKey(random))
      }),
    )
  })

  test.each([0, 1, 16])('is refused from %i bytes', (length) => {
    expect(() => formatLicenseKey(new Uint8Array(length))).toThrow(RangeError)
  })
})

describe('parseLicenseKey forgives', () => {
  const key = fc.integer({ min: 0, max: 500 }).map(keyNumber)

  test.each<[string, (key: string) => string]>([
    ['small letters', (text) => text.toLowerCase()],
    ['missing hyphens', (text) => text.replaceAll('-', '')],
    ['spaces for hyphens', (text) => text.replaceAll('-', ' ')],
    ['blanks around it', (text) => `\t ${text} \r\n`],
    ['other groups', (text) => text.replaceAll('-', '').replaceAll(/(.{4})/g, '$1-')],
    ['O for 0', (text) => text.replaceAll('0', 'O')],
    ['o for 0', (text) => text.replaceAll('0', 'o')],
    ['I for 1', (text) => text.replaceAll('1', 'I')],
    ['i for 1', (text) => text.replaceAll('1', 'i')],
    ['L for 1', (text) => text.replaceAll('1', 'L')],
    ['l for 1', (text) => text.replaceAll('1', 'l')],
  ])('%s', (_, misspelt) => {
    const keys = Array.from({ length: 50 }, (_, number) => keyNumber(number))
    expect(keys.some((one) => misspelt(one) !== one)).toBe(true)
    expect(keys.map((one) => parseLicenseKey(misspelt(one)))).toEqual(keys)
  })

  test('all of it at once', () => {
    const look: Record<string, string[]> = {
      0: ['0', 'O', 'o'],
      1: ['1', 'I', 'i', 'L', 'l'],
      '-': ['-', '', ' ', ' - '],
    }
    const misspelt = key.chain((one) =>
      fc
        .tuple(
          ...[...one].map((letter) => fc.constantFrom(...(look[letter] ?? [letter, letter.toLowerCase()]))),
        )
        .map((letters) => ({ one, text: letters.join('') })),
    )
    fc.assert(
      fc.property(misspelt, ({ one, text }) => {
        expect(parseLicenseKey(text)).toBe(one)
      }),
    )
  })
})

describe('parseLicenseKey refuses', () => {
  const keys = Array.from({ length: 100 }, (_, number) => keyNumber(number).replaceAll('-', ''))
  // The checksum has 20 bits, so one in a million errors passes. The keys are fixed: of these none does.
  const accepted = (texts: string[]) => texts.filter((text) => parseLicenseKey(text) !== undefined)

  test('every single character replaced by another', () => {
    const wrong = keys
      .slice(0, 4)
      .flatMap((plain) =>
        [...plain].flatMap((right, index) =>
          ALPHABET.filter((letter) => letter !== right).map(
            (letter) => plain.slice(0, index) + letter + plain.slice(index + 1),
          ),
        ),
      )
    expect(wrong).toHaveLength(4 * 30 * 31)
    expect(accepted(wrong)).toEqual([])
  })

  test('every two neighbours exchanged', () => {
    const wrong = keys.flatMap((plain) =>
      Array.from(
        { length: plain.length - 1 },
        (_, index) =>
          plain.slice(0, index) + plain.charAt(index + 1) + plain.charAt(index) + plain.slice(index + 2),
      ).filter((text) => text !== plain),
    )
    expect(wrong.length).toBeGreaterThan(2500)
    expect(accepted(wrong)).toEqual([])
  })

  test('a character too few, too many, or twice', () => {
    const wrong = keys.flatMap((plain) => [
      plain.slice(1),
      plain.slice(0, -1),
      `${plain}0`,
      `0${plain}`,
      plain + plain,
    ])
    expect(accepted(wrong)).toEqual([])
  })

  test.each(['', ' ', '-', 'U'.repeat(30), '🔑', '0'.repeat(30), 'O'.repeat(30), 'null', 'ß'.repeat(15)])(
    'what is no key: %j',
    (text) => {
      expect(parseLicenseKey(text)).toBeUndefined()
    },
  )

  test('letters outside the alphabet, and other signs than spaces and hyphens', () => {
    const key = keyNumber(1)
    expect(accepted(['U', '_', '.', '/', '\0', 'Ä'].map((sign) => sign + key.slice(1)))).toEqual([])
    expect(accepted(['_', '.', '/', '\0', ','].map((sign) => key.replaceAll('-', sign)))).toEqual([])
  })

  test('any other text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        expect(parseLicenseKey(text)).toBeUndefined()
      }),
    )
  })
})

describe('what is shown of a key', () => {
  test('is its last four characters, which are checksum', () => {
    fc.assert(
      fc.property(bytes, (random) => {
        const key = formatLicenseKey(random)
        expect(keyHint(key)).toBe(key.slice(31))
        expect(keyHint(key)).toHaveLength(4)
      }),
    )
  })

  test('has the shape of a key, and nothing else of it', () => {
    const key = keyNumber(7)
    const masked = maskedKey(keyHint(key))
    expect(masked).toBe(`*****-*****-*****-*****-*****-*${key.slice(-4)}`)
    expect(masked.replaceAll(/[*-]/g, '')).toBe(keyHint(key))
    expect(masked).toHaveLength(key.length)
  })
})
