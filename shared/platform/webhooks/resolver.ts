import { Resolver } from 'node:dns/promises'
import * as z from 'zod'
import type { Address, Resolve } from './target.ts'

/** Milliseconds for an answer, and how often to ask. */
const PATIENCE = { timeout: 1_500, tries: 2 } as const
/** Milliseconds for all of it: waits grow, and there may be several servers. */
const DEADLINE = 3_000

/** That a name, or an address of this family, does not exist. */
const NothingThere = z.object({ code: z.enum(['ENODATA', 'ENOTFOUND', 'EBADNAME']) })

/**
 * Asks the network's name servers. Not by `dns.lookup`: that takes one of the process's four threads until it has an
 * answer, so that one name whose server never answers would keep all others waiting.
 */
export function nameResolver(): Resolve {
  return async (hostname) => {
    const resolver = new Resolver(PATIENCE)
    const deadline = setTimeout(() => resolver.cancel(), DEADLINE)
    const [v4, v6] = await Promise.all([
      found(resolver.resolve4(hostname), 4),
      // Many networks have no IPv6, and many name servers are slow to say that there is none.
      found(resolver.resolve6(hostname), 6).catch((error: unknown) => ({ error })),
    ]).finally(() => clearTimeout(deadline))
    if ('error' in v6 && v4.length === 0) throw v6.error
    return 'error' in v6 ? v4 : [...v4, ...v6]
  }
}

async function found(asked: Promise<string[]>, family: Address['family']): Promise<Address[]> {
  try {
    return (await asked).map((address) => ({ address, family }))
  } catch (error) {
    if (NothingThere.safeParse(error).success) return []
    throw error
  }
}
