import type { Entry } from './lease-entry.ts'
import type { Pool } from './pool.ts'

/**
 * Entries that lie in the item of their pool. A change of it costs a write unit for each 1 KB of it, so what comes beyond
 * these lies on pages beside it, and so does all that comes while a page has any: a name is looked for in one place, the
 * item, until there are pages, and on its page and in the item from then on.
 */
export const MOST_IN_ITEM = 100

/** Pages of a pool: with ten thousand leases each has some forty of them, 0.6 KB. */
const PAGES = 256

/** The page of a name, whatever else the pool holds: names are random or hashed (lease-terms.ts). */
export const pageOf = (ref: string): number =>
  [...ref].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % PAGES, 0)

/** Where an entry lies: in the item of its pool, or on a page. */
export const itemOf = (ref: string, { paged }: Pick<Entry, 'paged'>): 'pool' | number =>
  paged ? pageOf(ref) : 'pool'

/** Does what is new lie on a page? `more`: entries that the item would have more, if it did not. */
export const isPaging = ({ inItem, paged }: Pick<Pool, 'inItem' | 'paged'>, more: number) =>
  paged > 0 || inItem + more > MOST_IN_ITEM
