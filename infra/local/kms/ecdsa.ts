import { createECDH, type KeyObject } from 'node:crypto'
import { joseToDer } from 'ecdsa-sig-formatter'
import * as z from 'zod'

/** The order of the curve P-256 (NIST SP 800-186, section 3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const PrivateJwk = z.object({ d: z.base64url() })

const scalars = new WeakMap<KeyObject, bigint>()

/**
 * Signs a SHA-256 digest as it is, as KMS does for `MessageType: DIGEST`: ECDSA over P-256 (FIPS 186-5, section 6.4.1),
 * as DER. Node.js offers only signing functions that hash what they are given, so the equation is computed here, with
 * the curve operation by OpenSSL. It makes no attempt at constant time: the keys of a local stack protect nothing.
 */
export function signDigest(privateKey: KeyObject, digest: Buffer): Buffer {
  const d = privateScalar(privateKey)
  const z = toInteger(digest)
  for (;;) {
    const once = createECDH('prime256v1')
    const point = once.generateKeys()
    const k = toInteger(once.getPrivateKey())
    const r = toInteger(point.subarray(1, 33)) % ORDER
    const s = (inverse(k) * ((z + r * d) % ORDER)) % ORDER
    // Both zero with a probability of 2^-255; the standard asks for another k then.
    if (r !== 0n && s !== 0n) return joseToDer(Buffer.concat([toBytes(r), toBytes(s)]), 'ES256')
  }
}

function privateScalar(key: KeyObject): bigint {
  const known = scalars.get(key)
  if (known !== undefined) return known
  const { d } = PrivateJwk.parse(key.export({ format: 'jwk' }))
  const scalar = toInteger(Buffer.from(d, 'base64url'))
  scalars.set(key, scalar)
  return scalar
}

/** The inverse modulo the order, by the extended Euclidean algorithm. */
function inverse(value: bigint): bigint {
  let [previous, current] = [ORDER, value]
  let [previousFactor, factor] = [0n, 1n]
  while (current !== 0n) {
    const quotient = previous / current
    ;[previous, current] = [current, previous - quotient * current]
    ;[previousFactor, factor] = [factor, previousFactor - quotient * factor]
  }
  return previousFactor < 0n ? previousFactor + ORDER : previousFactor
}

const toInteger = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)
const toBytes = (integer: bigint): Buffer => Buffer.from(integer.toString(16).padStart(64, '0'), 'hex')
