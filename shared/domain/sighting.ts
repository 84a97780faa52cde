import * as z from 'zod'
import { Confidence, Country, compareConfidence } from './country.ts'

/**
 * What says in which country somebody is: the edge that the request came through, a database of network addresses, or
 * the caller itself.
 */
const PLACE_SOURCES = ['edge', 'ip', 'declared'] as const

export const Sighting = z.strictObject({
  country: Country,
  source: z.enum(PLACE_SOURCES),
  confidence: Confidence,
})
export type Sighting = z.infer<typeof Sighting>

/** All that a request shows of its country. */
export type Shown = {
  /** From the configured edge. */
  readonly edge?: string | undefined
  /** From a database, about the address the request came from. */
  readonly ip?: { readonly country: string; readonly confidence: Confidence } | undefined
  readonly declared?: string | undefined
  /**
   * A back end or a person asks for somebody else, by a token, and not the application itself: then the network shows
   * where the back end is, and the declaration is about who uses it.
   */
  readonly relayed: boolean
}

/**
 * What is known of a country; the first decides, the others are evidence beside it.
 *
 * - The edge is of high confidence, a database of what it says. Of a relayed request either is of low confidence.
 * - A declaration is of medium confidence, and of low where the network shows another country.
 * - The highest confidence goes first, and of equals what the network shows.
 */
export function sightingsOf({ edge, ip, declared, relayed }: Shown): Sighting[] {
  const network: Sighting | undefined =
    edge !== undefined
      ? { country: edge, source: 'edge', confidence: relayed ? 'low' : 'high' }
      : ip && { country: ip.country, source: 'ip', confidence: relayed ? 'low' : ip.confidence }
  const isContradicted = network !== undefined && !relayed && network.country !== declared
  const told: Sighting | undefined =
    declared === undefined
      ? undefined
      : { country: declared, source: 'declared', confidence: isContradicted ? 'low' : 'medium' }
  return [network, told]
    .filter((one) => one !== undefined)
    .toSorted((a, b) => compareConfidence(b.confidence, a.confidence))
}

const SOURCES: Readonly<Record<Sighting['source'], string>> = {
  edge: 'seen by the edge',
  ip: 'by its network address',
  declared: 'declared',
}

/** `seen by the edge, high confidence`. */
export const inWords = ({ source, confidence }: Omit<Sighting, 'country'>): string =>
  `${SOURCES[source]}, ${confidence} confidence`

/** `FR (seen by the edge, high confidence; declared: DE)`. */
export function sightingsInWords([first, ...others]: readonly Sighting[]): string {
  if (first === undefined) return 'an unknown country'
  const besides = others.map(({ source, country }) => `; ${SOURCES[source]}: ${country}`).join('')
  return `${first.country} (${inWords(first)}${besides})`
}
