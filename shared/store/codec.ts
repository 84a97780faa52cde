import { isDeepStrictEqual } from 'node:util'
import type * as z from 'zod'
import { Remembered } from '../platform/remembered.ts'
import type { Key } from './keys.ts'

/** Where an item is found besides its own key: in `owned` and `kind`, see table.ts. */
type IndexKeys = { ownedPk?: string; ownedSk?: string; kindPk?: string; kindSk?: string; ttl?: number }
export type Item = Record<string, unknown>

/** What a row has besides its value: where it is, until when, and what it is. */
export const STORAGE_FIELDS: ReadonlySet<string> = new Set([
  'pk',
  'sk',
  'ownedPk',
  'ownedSk',
  'kindPk',
  'kindSk',
  'ttl',
  'entity',
  'schema',
])

/** A stored item is not what this program wrote. Names the key, for repair; never the content. */
export class CorruptItemError extends Error {
  override readonly name = 'CorruptItemError'
}

/** What a row says; undefined if it is not what this program wrote. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof CorruptItemError) return undefined
    throw error
  }
}

/**
 * What rows say, in their order; one that is not what this program wrote is left out, and keeps nothing else waiting.
 *
 * @param tell is told of each of those
 */
export function readableOf<T>(
  items: readonly Item[],
  { decode }: Pick<Entity<T>, 'decode'>,
  tell: (error: CorruptItemError) => void,
): T[] {
  return items.flatMap((item) => {
    try {
      return [decode(item)]
    } catch (error) {
      if (!(error instanceof CorruptItemError)) throw error
      tell(error)
      return []
    }
  })
}

export type Entity<T> = {
  readonly name: string
  readonly version: number
  readonly schema: z.ZodType<T>
  /** The item to store: the value, its keys, its type and its schema version. */
  encode(key: Key, value: T, indexes?: IndexKeys): Item
  /** The value of a stored item, parsed; throws CorruptItemError naming the key. */
  decode(item: Item): T
}

/**
 * One stored shape. `version` counts the changes of the schema; a test pins the hash of each schema to its version, so
 * that a shape cannot change unnoticed.
 *
 * @param oldest rows from this version on are read as they are: only fields that may be absent were added since
 */
export function entity<T>(
  name: string,
  version: number,
  schema: z.ZodType<T>,
  oldest: number = version,
): Entity<T> {
  return {
    name,
    version,
    schema,
    encode: (key, value, indexes = {}) => ({ ...value, ...key, ...indexes, entity: name, schema: version }),
    decode(item) {
      const stored = Number(item['schema'])
      if (item['entity'] !== name || !(stored >= oldest && stored <= version)) {
        throw new CorruptItemError(
          `${where(item)}: expected ${name}/${version}, found ${item['entity']}/${item['schema']}`,
        )
      }
      const parsed = schema.safeParse(withoutStorageFields(item))
      if (!parsed.success) {
        const fields = parsed.error.issues
          .map((issue) => `${issue.path.join('.')} (${issue.code})`)
          .join(', ')
        throw new CorruptItemError(`${where(item)}: ${name}/${version} does not parse: ${fields}`)
      }
      return parsed.data
    },
  }
}

/**
 * The same shape with a memory: an item that comes as it came before is not parsed again, and its value is the very
 * same object, which nobody can change. A single changed byte of the item makes it another one.
 */
export function remembering<T>(entity: Entity<T>, most: number): Entity<T> {
  const known = new Remembered<string, { item: Item; value: T }>(most)
  return {
    ...entity,
    decode(item) {
      const place = where(item)
      const before = known.get(place)
      if (before !== undefined && isDeepStrictEqual(before.item, item)) return before.value
      const value = frozen(entity.decode(item))
      known.set(place, { item, value })
      return value
    },
  }
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  Object.values(value).forEach(frozen)
  return Object.freeze(value)
}

function withoutStorageFields(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([field]) => !STORAGE_FIELDS.has(field)))
}

const where = (item: Item) => `item ${String(item['pk'])} / ${String(item['sk'])}`
