import { type Entry, encodeEntry } from '../domain/lease-entry.ts'
import type { Last } from '../domain/lease-last.ts'
import { UNLIMITED } from '../domain/overdraft.ts'
import { isBorrow, type Pool } from '../domain/pool.ts'
import { balance, type PoolChange } from '../domain/pool-change.ts'
import { itemOf, MOST_IN_ITEM } from '../domain/pool-pages.ts'
import { type Key, pageKey, poolKey } from './keys.ts'
import type { PoolAddress } from './pool.ts'
import type { Action } from './transact.ts'

/** What becomes of one item: parts of its expressions. */
class Draft {
  readonly names: Record<string, string> = {}
  readonly values: Record<string, unknown> = {}
  readonly conditions: string[] = []
  readonly sets: string[] = []
  readonly removes: string[] = []
  readonly adds: string[] = []
  #entries = 0

  /** What was seen of an entry must be so; what is put, or nothing, takes its place. */
  entry(ref: string, { seen, put }: EntryChange): void {
    const index = this.#entries++
    this.names[`#e${index}`] = ref
    if (seen === undefined) this.conditions.push(`attribute_not_exists(#e${index})`)
    else {
      this.conditions.push(`#e${index} = :s${index}`)
      this.values[`:s${index}`] = encodeEntry(seen)
    }
    if (put !== undefined) {
      this.sets.push(`#e${index} = :p${index}`)
      this.values[`:p${index}`] = encodeEntry(put)
    } else if (seen !== undefined) this.removes.push(`#e${index}`)
  }

  /** A count that is missing is 0. */
  add(name: string, value: string, amount: number): void {
    if (amount === 0) return
    this.adds.push(`${name} ${value}`)
    this.values[value] = amount
  }

  /** A count that is missing is fewer than any. */
  atMost(name: string, value: string, most: number): void {
    this.conditions.push(`(attribute_not_exists(${name}) OR ${name} <= ${value})`)
    // What frees units of a pool without a limit would leave more than the SDK takes for a number.
    this.values[value] = Math.min(most, UNLIMITED)
  }

  /** A count that is missing is 0. */
  exactly(name: string, value: string, amount: number): void {
    if (amount === 0) this.atMost(name, value, 0)
    else this.must(`${name} = ${value}`, value, amount)
  }

  must(condition: string, value: string, is: unknown): void {
    this.conditions.push(condition)
    this.values[value] = is
  }

  says(last: Last | undefined): void {
    if (last === undefined) return
    this.sets.push('#last = :last')
    this.names['#last'] = 'last'
    this.values[':last'] = last
  }

  /** Undefined where there is nothing to write and nothing to see to. */
  action(key: Key): Action | undefined {
    const condition = this.conditions.join(' AND ')
    // DynamoDB refuses empty ones.
    const [names, values] = [filled(this.names), filled(this.values)]
    const rest = {
      ...(condition !== '' && { condition }),
      ...(names && { names }),
      ...(values && { values }),
    }
    const update = [clause('SET', this.sets), clause('REMOVE', this.removes), clause('ADD', this.adds)]
      .filter(Boolean)
      .join(' ')
    if (update !== '') return { kind: 'update', key, update, ...rest }
    return condition === '' ? undefined : { kind: 'check', key, ...rest, condition }
  }
}

const filled = <Value>(all: Record<string, Value>) => (Object.keys(all).length > 0 ? all : undefined)

const clause = (word: string, parts: readonly string[]) =>
  parts.length === 0 ? '' : `${word} ${parts.join(', ')}`

type EntryChange = { readonly seen?: Entry; readonly put?: Entry }

/**
 * The writes of a change: one, of the item of the pool, unless entries lie on pages. `last` says who asked for it, on
 * each item of which entries come or go: its stream record is the event. A heartbeat has none.
 */
export function changePool(
  { tenantId, productId, metric }: PoolAddress,
  change: PoolChange,
  last: Last | undefined,
): Action[] {
  const items = entriesByItem(change)
  const own = items.get('pool') ?? new Map<string, EntryChange>()
  items.delete('pool')
  const draft = new Draft()
  for (const [ref, entry] of own) draft.entry(ref, entry)
  const onPages = [...items.values()].reduce((sum, entries) => sum + gained(entries), 0)
  addConditions(draft, change, gained(own))
  addCounts(draft, change, { inItem: gained(own), paged: onPages })
  const isChanged = [...own.values()].some(({ seen, put }) => seen !== undefined || put !== undefined)
  if (isChanged || change.tickets || items.size === 0) draft.says(last)
  const pages = [...items].map(([page, entries]) => {
    const onPage = new Draft()
    for (const [ref, entry] of entries) onPage.entry(ref, entry)
    onPage.says(last)
    return onPage.action(pageKey(tenantId, productId, metric, Number(page)))
  })
  return [draft.action(poolKey(tenantId, productId, metric)), ...pages].filter((one) => one !== undefined)
}

/** The entries of a change by where they lie; one that comes to lie on a page must not be in the pool's item either. */
function entriesByItem({ seen, put }: PoolChange): Map<'pool' | number, Map<string, EntryChange>> {
  const items = new Map<'pool' | number, Map<string, EntryChange>>()
  const note = (item: 'pool' | number, ref: string, entry: EntryChange) => {
    const entries = items.get(item) ?? new Map<string, EntryChange>()
    items.set(item, entries.set(ref, { ...entries.get(ref), ...entry }))
  }
  for (const [ref, entry] of seen) note(itemOf(ref, entry), ref, { seen: entry })
  for (const [ref, entry] of put) {
    note(itemOf(ref, entry), ref, { put: entry })
    if (!seen.has(ref)) note('pool', ref, {})
  }
  return items
}

/** Entries that an item has more afterwards. */
const gained = (entries: ReadonlyMap<string, EntryChange>) =>
  [...entries.values()].reduce(
    (sum, { seen, put }) => sum + Number(put !== undefined) - Number(seen !== undefined),
    0,
  )

function addConditions(draft: Draft, change: PoolChange, more: number): void {
  const { limit, borrowLimit, paging, fence, waiting, usedAbove, usedBefore, waitingBelow } = change
  if (limit !== undefined) draft.atMost('used', ':room', limit - balance(change))
  if (borrowLimit !== undefined) draft.atMost('borrowed', ':shelf', borrowLimit - balance(change, isBorrow))
  if (paging === false) {
    draft.atMost('n', ':beside', MOST_IN_ITEM - more)
    draft.atMost('paged', ':none', 0)
  } else if (paging) {
    const fresh = [...change.put.keys()].filter((ref) => !change.seen.has(ref)).length
    draft.must('(paged > :none OR n > :beside)', ':none', 0)
    draft.values[':beside'] = MOST_IN_ITEM - more - fresh
  }
  for (const [code, { atLeast, atMost }] of change.held ?? []) {
    draft.names[`#d${code}`] = `d${code}`
    if (atLeast !== undefined) draft.must(`#d${code} >= :d${code}l`, `:d${code}l`, atLeast)
    if (atMost !== undefined) draft.atMost(`#d${code}`, `:d${code}m`, atMost)
  }
  if (fence !== undefined) draft.must('fence = :fence', ':fence', fence)
  if (waiting !== undefined) draft.exactly('waiting', ':waiting', waiting)
  if (usedAbove !== undefined) draft.must('used > :above', ':above', usedAbove)
  if (usedBefore !== undefined) draft.exactly('used', ':usedBefore', usedBefore)
  if (waitingBelow !== undefined) draft.atMost('waiting', ':most', waitingBelow - 1)
}

function addCounts(draft: Draft, change: PoolChange, more: Pick<Pool, 'inItem' | 'paged'>): void {
  draft.add('used', ':units', balance(change))
  draft.add('borrowed', ':borrowed', balance(change, isBorrow))
  draft.add('n', ':n', more.inItem)
  draft.add('paged', ':paged', more.paged)
  draft.add('waiting', ':tickets', change.tickets ?? 0)
  // What the entries of a department add up to is counted in an attribute for each, so that it can be a condition.
  const codes = new Set([...change.put.values(), ...change.seen.values()].map(({ department }) => department))
  for (const code of codes) {
    const units = balance(change, ({ department }) => department === code)
    if (code === undefined || units === 0) continue
    draft.names[`#d${code}`] = `d${code}`
    draft.add(`#d${code}`, `:d${code}`, units)
  }
}
