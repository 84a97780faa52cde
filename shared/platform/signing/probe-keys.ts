import type { KMSClient } from '@aws-sdk/client-kms'
import { HOUR, type Instant, plusMilliseconds, readClock } from '../time.ts'
import { loadPublicKeys, type PublicKey } from './public-keys.ts'
import { type SessionKeys, sessionKeys } from './session-keys.ts'

/** A published key, what it signs, and the thumbprint of what KMS has for it: none, or it was not to be had just now. */
export type KeyProbe = {
  readonly signs: 'licenses' | 'activations' | 'verdicts'
  readonly kid: string
  readonly known: string | undefined | 'unanswered'
}

/** What a function publishes, and under which ids KMS has it. */
type Published = {
  readonly licenses: readonly PublicKey[]
  readonly activations: readonly PublicKey[]
  readonly session: { readonly keyId: string; readonly keys: SessionKeys }
}

/** In place of the ids of the keys of verdicts, where KMS does not even answer what these are. */
export const OF_VERDICTS = 'of verdicts'

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
export function keyProbe(
  kms: KMSClient,
  { licenses, activations, session }: Published,
): () => Promise<KeyProbe[]> {
  let asked: { until: Instant; answer: Promise<KeyProbe[]> } | undefined
  return () => {
    const now = readClock()
    if (asked === undefined || asked.until <= now)
      asked = { until: plusMilliseconds(now, REMEMBERED_FOR), answer: askAll(now) }
    return asked.answer
  }

  async function askAll(now: Instant): Promise<KeyProbe[]> {
    const asymmetric = [
      ...licenses.map((key) => ({ signs: 'licenses' as const, key })),
      ...activations.map((key) => ({ signs: 'activations' as const, key })),
    ]
    const [answers, verdicts] = await Promise.all([
      Promise.all(
        asymmetric.map(({ signs, key }) => probe(signs, [key], () => loadPublicKeys(kms, [key.keyId]))),
      ),
      probeVerdicts(now),
    ])
    return [...answers, verdicts].flat()
  }

  /** As they were derived before, beside what KMS has them derived to now. */
  async function probeVerdicts(now: Instant): Promise<KeyProbe[]> {
    const before = await session.keys.published(now).catch(() => undefined)
    if (before === undefined) return [{ signs: 'verdicts', kid: OF_VERDICTS, known: 'unanswered' }]
    return probe('verdicts', before, () => sessionKeys(kms, session.keyId).published(now))
  }
}

async function probe(
  signs: KeyProbe['signs'],
  published: readonly PublicKey[],
  ask: () => Promise<readonly PublicKey[]>,
): Promise<KeyProbe[]> {
  try {
    const found = await ask()
    return published.map(({ kid }, place) => ({ signs, kid, known: found[place]?.kid }))
  } catch (error) {
    const isGone = error instanceof Error && GONE.has(error.name)
    return published.map(({ kid }) => ({ signs, kid, known: isGone ? undefined : 'unanswered' }))
  }
}
