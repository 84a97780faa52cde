import { createHash } from 'node:crypto'
import { type KMSClient, SignCommand } from '@aws-sdk/client-kms'
import { derToJose } from 'ecdsa-sig-formatter'
import { ACTIVATION_TYP, type ActivationClaims } from '../../shared/domain/activation-file.ts'
import type { PublicKey } from '../../shared/platform/signing/public-keys.ts'

export type ActivationSigner = (claims: ActivationClaims) => Promise<string>

/**
 * Signs response files with the active license signing key, not with a session key: a session key is published for
 * three weeks, and a machine without a connection has to verify its file until its licenses end. One KMS call per
 * offline activation, which people make by hand.
 */
export function activationSigner(kms: KMSClient, keys: readonly PublicKey[]): ActivationSigner {
  const active = keys.find(({ state }) => state === 'active')
  if (active === undefined)
    throw new Error('No signing key is active; SIGNING_KEY_IDS needs at least two keys')
  return async (claims) => {
    const input = `${encode({ alg: 'ES256', typ: ACTIVATION_TYP, kid: active.kid })}.${encode(claims)}`
    const { Signature: der } = await kms.send(
      new SignCommand({
        KeyId: active.keyId,
        Message: createHash('sha256').update(input).digest(),
        MessageType: 'DIGEST',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    )
    if (der === undefined) throw new Error('KMS answered Sign without a signature')
    return `${input}.${derToJose(Buffer.from(der), 'ES256')}`
  }
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
