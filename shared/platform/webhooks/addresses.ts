import ipaddr from 'ipaddr.js'

/** Of IPv6 only these are given out for the public internet (IANA, IPv6 Global Unicast Address Space). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Is it an address of the public internet? Neither private, shared (CGNAT), loopback, link-local (there are the metadata
 * services of clouds), multicast or reserved, nor one that only wraps an IPv4 address (mapped, 6to4, Teredo, NAT64),
 * which may be any of these (IANA special-purpose address registries, RFC 6890).
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.parse(text)
  if (address.range() !== 'unicast') return false
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST)
}

/** 127.0.0.0/8 and ::1, and nothing that wraps them. */
export function isLoopback(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.parse(text).range() === 'loopback'
}
