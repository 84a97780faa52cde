import { KMSClient } from '@aws-sdk/client-kms'
import { loadSecrets, type Secrets } from '../../shared/platform/signing/mac.ts'
import type { Api } from './api.ts'

/** The secrets of the API's functions, for what they seal and send to nobody here. */
export async function secretsOf({ kmsKeys }: Pick<Api, 'kmsKeys'>): Promise<Secrets> {
  const kms = new KMSClient({})
  try {
    return await loadSecrets(kms, kmsKeys.credentials)
  } finally {
    kms.destroy()
  }
}
