import { createHash, timingSafeEqual } from 'node:crypto'
import type { EdgeSettings } from '../config/environment.ts'

/** The country that the configured edge saw a request come from; undefined where it did not come through that edge. */
export type EdgeCountry = (headers: Readonly<Record<string, string>>) => string | undefined

/**
 * Anybody can send the header of a country. It counts only beside the proof that the edge sent it: a secret that the edge
 * adds to what it forwards, as a custom origin header of CloudFront does. What is configured is the secret's SHA-256, so
 * that neither the template nor a function's environment can be used to forge it. Several are for changing it.
 */
export function edgeCountry(edge: EdgeSettings | null): EdgeCountry {
  if (edge === null) return () => undefined
  const { countryHeader, proofHeader } = edge
  const proofs = edge.proofSha256.map((hash) => Buffer.from(hash, 'hex'))
  return (headers) => {
    const [country, proof] = [headers[countryHeader], headers[proofHeader]]
    if (country === undefined || proof === undefined) return undefined
    const given = createHash('sha256').update(proof).digest()
    // Every one is compared, in constant time: how long it takes tells nothing of any.
    const matching = proofs.filter((known) => timingSafeEqual(known, given))
    return matching.length > 0 ? known(country) : undefined
  }
}

/** What edges send where they do not know: Cloudflare `XX`, and `T1` for Tor, which is no country code anyway. */
const NOWHERE: ReadonlySet<string> = new Set(['XX', 'ZZ'])

function known(header: string): string | undefined {
  const country = header.trim().toUpperCase()
  return /^[A-Z]{2}$/.test(country) && !NOWHERE.has(country) ? country : undefined
}
