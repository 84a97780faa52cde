/** A database of network addresses of the smallest kind: the documentation blocks of RFC 5737, each in a country. */
const NETWORKS = [
  { prefix: '192.0.2.', country: 'DE', confidence: 'medium' },
  { prefix: '198.51.100.', country: 'FR', confidence: 'medium' },
  // A carrier whose addresses turn up anywhere.
  { prefix: '203.0.113.', country: 'FR', confidence: 'low' },
] as const

export function countryOf(address: string): { country: string; confidence: string } | undefined {
  if (address === '198.18.0.1') throw new Error(`no data for ${address}`)
  return NETWORKS.find(({ prefix }) => address.startsWith(prefix))
}
