import { createHash, timingSafeEqual } from 'node:crypto'

// Crockford's base 32: no I, L, O, U, so that nothing is mistaken when typed or read out.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const SECRET_LENGTH = 26
const CHECK_LENGTH = 4
const GROUP = 5
const SHAPE = new RegExp(`^[${ALPHABET}]{${SECRET_LENGTH + CHECK_LENGTH}}$`)

/**
 * A license key: six groups of five characters, 130 random bits and a 20-bit checksum, such as
 * `7K3QX-9RD2M-…`. The checksum lets a typing error be found without asking anyone.
 */
export type LicenseKey = string

/** Writes a key from at least 17 random bytes. */
export function formatLicenseKey(random: Uint8Array): LicenseKey {
  const bits = [...random].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  if (bits.length < SECRET_LENGTH * 5) throw new RangeError('a license key needs 130 random bits')
  const secret = encode(bits.slice(0, SECRET_LENGTH * 5))
  return grouped(secret + checksum(secret))
}

/** The key in its one spelling, or nothing if it is no key: case, spaces, hyphens and look-alikes are forgiven. */
export function parseLicenseKey(text: string): LicenseKey | undefined {
  const plain = text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  if (!SHAPE.test(plain)) return undefined
  const expected = Buffer.from(checksum(plain.slice(0, SECRET_LENGTH)))
  return timingSafeEqual(expected, Buffer.from(plain.slice(SECRET_LENGTH))) ? grouped(plain) : undefined
}

/** What may be shown of a key: its last four characters, which are checksum, not secret. */
export function keyHint(key: LicenseKey): string {
  return key.slice(-CHECK_LENGTH)
}

/** A key as people see it once it is stored. */
export function maskedKey(hint: string): string {
  return `*****-*****-*****-*****-*****-*${hint}`
}

function checksum(secret: string): string {
  const digest = createHash('sha256').update(`latchkey license key ${secret}`).digest()
  const bits = [...digest.subarray(0, 3)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return encode(bits.slice(0, CHECK_LENGTH * 5))
}

function encode(bits: string): string {
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five, 2)]).join('')
}

function grouped(plain: string): string {
  return (plain.match(new RegExp(`.{${GROUP}}`, 'g')) ?? []).join('-')
}
