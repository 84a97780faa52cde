import type { KMSClient } from '@aws-sdk/client-kms'
import { formatLicenseKey, type LicenseKey } from '../../domain/license-key.ts'
import type { LicenseId } from '../ids.ts'
import { kmsMac } from './mac.ts'

export type LicenseKeyMaker = (id: LicenseId, generation: number) => Promise<LicenseKey>

/**
 * Derives a license's key from a KMS HMAC key: unguessable without KMS, the same each time, stored nowhere. Revealing
 * a key is deriving it again, which CloudTrail records besides our own event.
 */
export function licenseKeyMaker(kms: KMSClient, keyId: string): LicenseKeyMaker {
  return async (id, generation) =>
    formatLicenseKey(await kmsMac(kms, keyId, 'HMAC_SHA_256', `latchkey/license-key/1/${id}/${generation}`))
}
