import type { KMSClient } from '@aws-sdk/client-kms'
import type { Signature, SignedFacts } from '../../domain/license.ts'
import { signingInput } from '../../domain/license-file.ts'
import { activeKey, signEs256 } from './es256.ts'
import type { PublicKey } from './public-keys.ts'

export type LicenseSigner = (facts: SignedFacts) => Promise<Signature>

/** Signs license files with the active KMS key. */
export function licenseSigner(kms: KMSClient, keys: readonly PublicKey[], issuer: string): LicenseSigner {
  const key = activeKey(keys)
  return async (facts) => ({
    kid: key.kid,
    value: await signEs256(kms, key, signingInput(facts, issuer, key.kid)),
  })
}
