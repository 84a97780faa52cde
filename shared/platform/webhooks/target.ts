import { isIP } from 'node:net'
import { isLoopback, isPublicAddress } from './addresses.ts'

/** Where messages may be sent: to the public internet by https, or, on a developer's computer, also to that itself. */
type Targets = 'public' | 'loopback'

/** Stages that run on a developer's computer, or in its tests. */
const LOCAL_STAGES: ReadonlySet<string> = new Set(['local', 'test'])

/**
 * What a function was told, once more held against where it runs.
 *
 * @throws Error where a stage that others reach is to send to itself
 */
export function allowedTargets(targets: Targets, stage: string): Targets {
  if (targets === 'loopback' && !LOCAL_STAGES.has(stage))
    throw new Error(`stage ${stage} must not send webhooks to its own computer`)
  return targets
}

/** An address that a name stands for, and its family. */
export type Address = { readonly address: string; readonly family: 4 | 6 }

/** Finds all addresses of a name; none where it has none. */
export type Resolve = (hostname: string) => Promise<readonly Address[]>

/** Where a message goes: to one of these very addresses, whatever the name stands for later. */
export type Target = { readonly url: URL; readonly addresses: readonly Address[] }

/** It must not be sent there, and why. */
export type Forbidden = { readonly forbidden: string }

/** Others are of no use to a receiver of webhooks, and of much to who looks for what listens behind a firewall. */
const PORTS: ReadonlySet<string> = new Set(['', '443', '8443'])

/**
 * Where a URL leads, if messages may be sent there. The name is resolved once, all its addresses are looked at, and the
 * connection is made to one of those: a name that stands for something else a moment later (DNS rebinding) gains nothing.
 *
 * @throws what the resolver throws, when it got no answer
 */
export async function findTarget(
  text: string,
  targets: Targets,
  resolve: Resolve,
): Promise<Target | Forbidden> {
  if (!URL.canParse(text)) return { forbidden: 'It is no URL.' }
  const url = new URL(text)
  const wrong = wrongWith(url)
  if (wrong !== undefined) return { forbidden: wrong }
  const addresses = await addressesOf(url.hostname, resolve)
  if (addresses.length === 0) return { forbidden: 'Its name has no address.' }
  if (targets === 'loopback' && addresses.every(({ address }) => isLoopback(address)))
    return { url, addresses }
  if (!addresses.every(({ address }) => isPublicAddress(address)))
    return { forbidden: 'It leads to an address that is not of the public internet.' }
  if (url.protocol !== 'https:') return { forbidden: 'It is not https.' }
  if (!PORTS.has(url.port)) return { forbidden: 'Its port is neither 443 nor 8443.' }
  return { url, addresses }
}

function wrongWith({ protocol, username, password, hash }: URL): string | undefined {
  if (protocol !== 'https:' && protocol !== 'http:') return 'It is not https.'
  if (username !== '' || password !== '')
    return 'It has a user name or a password; check the signature instead.'
  return hash === '' ? undefined : 'It has a fragment, which is never sent.'
}

async function addressesOf(hostname: string, resolve: Resolve): Promise<readonly Address[]> {
  // As a URL writes IPv6.
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(host)
  if (family === 4 || family === 6) return [{ address: host, family }]
  // No server is asked for these (RFC 6761, section 6.3).
  if (host === 'localhost' || host.endsWith('.localhost')) return [{ address: '127.0.0.1', family: 4 }]
  return resolve(host)
}
