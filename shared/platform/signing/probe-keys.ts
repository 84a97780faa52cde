import type { KMSClient } from '@aws-sdk/client-kms'
import { HOUR, type Instant, plusMilliseconds, readClock } from '../time.ts'
import { loadPublicKeys, type PublicKey } from './public-keys.ts'

/** A published key, and the thumbprint of what KMS has under its id: none, or it was not to be had just now. */
export type KeyProbe = { readonly kid: string; readonly known: string | undefined | 'unanswered' }

/** How long an answer of KMS is good enough: a scan of many tenants asks once. */
const REMEMBERED_FOR = HOUR / 6

/** KMS says with these that there is no such key to use (AWS KMS API, GetPublicKey); with all else, that it cannot say. */
const GONE: ReadonlySet<string> = new Set([
  'NotFoundException',
  'DisabledException',
  'KMSInvalidStateException',
  'InvalidArnException',
])

/** Asks KMS anew for the keys that a function has published since it was started. */
export function keyProbe(kms: KMSClient, keys: readonly PublicKey[]): () => Promise<KeyProbe[]> {
  let asked: { until: Instant; answer: Promise<KeyProbe[]> } | undefined
  return () => {
    const now = readClock()
    if (asked === undefined || asked.until <= now)
      asked = {
        until: plusMilliseconds(now, REMEMBERED_FOR),
        answer: Promise.all(keys.map((key) => probe(kms, key))),
      }
    return asked.answer
  }
}

async function probe(kms: KMSClient, { keyId, kid }: PublicKey): Promise<KeyProbe> {
  try {
    const [found] = await loadPublicKeys(kms, [keyId])
    return { kid, known: found?.kid }
  } catch (error) {
    const isGone = error instanceof Error && GONE.has(error.name)
    return { kid, known: isGone ? undefined : 'unanswered' }
  }
}
