import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { KMSClient } from '@aws-sdk/client-kms'
import { rememberedReads } from '../remembered.ts'
import { DAY, epochMilliseconds, type Instant } from '../time.ts'
import { kmsMac } from './mac.ts'
import { type PublicKey, publicKey } from './public-keys.ts'

/**
 * Keys for short-lived tokens (signed verdicts), without a KMS call per token. Each is derived from a KMS HMAC key and
 * the number of its period, so every function has the same one, none is stored, and KMS alone can make them.
 */
export type SessionKeys = {
  /** The key that signs now. */
  current(now: Instant): Promise<SessionKey>
  /** The public halves of the previous, the current and the next period, for the JWKS. */
  published(now: Instant): Promise<PublicKey[]>
}
type SessionKey = { readonly kid: string; readonly privateKey: KeyObject }

const PERIOD = 7 * DAY
/** Those that are published, and the next to be. */
const PERIODS = 4

// P-256's order n (FIPS 186-5 / SP 800-186, 3.2.1.3).
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

export function sessionKeys(kms: KMSClient, keyId: string): SessionKeys {
  const ofPeriod = rememberedReads(PERIODS, derive)

  async function derive(period: number) {
    const bits = await kmsMac(kms, keyId, 'HMAC_SHA_512', `latchkey/session-key/1/${period}`)
    // FIPS 186-5, A.2.1: with 64 more bits than needed the reduction has no measurable bias.
    const scalar = (BigInt(`0x${Buffer.from(bits).toString('hex')}`) % (ORDER - 1n)) + 1n
    const d = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex')
    const curve = createECDH('prime256v1')
    curve.setPrivateKey(d)
    const point = curve.getPublicKey()
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      d: d.toString('base64url'),
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    }
    const privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
    return { privateKey, publicKey: await publicKey(keyId, createPublicKey(privateKey), 'active') }
  }

  return {
    async current(now) {
      const { privateKey, publicKey } = await ofPeriod(periodOf(now))
      return { kid: publicKey.kid, privateKey }
    },
    async published(now) {
      const period = periodOf(now)
      const keys = await Promise.all([period - 1, period, period + 1].map(ofPeriod))
      return keys.map((key) => key.publicKey)
    },
  }
}

const periodOf = (now: Instant) => Math.floor(epochMilliseconds(now) / PERIOD)
