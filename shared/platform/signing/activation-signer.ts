import type { KMSClient } from '@aws-sdk/client-kms'
import { ACTIVATION_TYP, type ActivationClaims } from '../../domain/activation-file.ts'
import { activeKey, signEs256 } from './es256.ts'
import type { PublicKey } from './public-keys.ts'

export type ActivationSigner = (claims: ActivationClaims) => Promise<string>

/**
 * Signs response files as compact JWS with a KMS key of their own. Not with a license signing key: who serves tenants
 * must not be able to make licenses. Not with a session key: that is published for three weeks, and a machine without a
 * connection has to verify its file until its licenses end. One KMS call per offline activation, which people make by
 * hand.
 */
export function activationSigner(kms: KMSClient, keys: readonly PublicKey[]): ActivationSigner {
  const key = activeKey(keys)
  return async (claims) => {
    const input = `${encode({ alg: 'ES256', typ: ACTIVATION_TYP, kid: key.kid })}.${encode(claims)}`
    return `${input}.${await signEs256(kms, key, input)}`
  }
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
