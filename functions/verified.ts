import type { KMSClient } from '@aws-sdk/client-kms'
import { type LicenseVerifier, licenseVerifier } from '../shared/platform/signing/license-verifier.ts'
import { loadPublicKeys, type PublicKey } from '../shared/platform/signing/public-keys.ts'
import type { Services } from './services.ts'

/** Services of contexts that hold licenses against their signatures. */
export type VerifyingServices = Services & {
  readonly verifier: LicenseVerifier
  readonly publicKeys: readonly PublicKey[]
}

/** Adds the verifier: one KMS call per signing key, once in the life of a function. */
export async function withVerifier(
  services: Services,
  kms: KMSClient,
  keyIds: readonly string[],
): Promise<VerifyingServices> {
  const publicKeys = await loadPublicKeys(kms, keyIds)
  return { ...services, publicKeys, verifier: licenseVerifier(publicKeys, services.issuer) }
}
