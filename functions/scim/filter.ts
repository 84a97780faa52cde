import { type Filter, filter as matcher, parse } from 'scim2-parse-filter'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { type Attribute, findAttribute } from './schemas.ts'

/** A filter of RFC 7644, section 3.4.2.2, ready to be held against resources. */
export type Wanted = {
  readonly matches: (resource: object) => boolean
  /** What the attribute must be equal to, if it must; in lower case where case does not matter. */
  readonly valueOf: (path: string) => string | undefined
  /** Every value that an attribute is compared with. */
  readonly valuesOf: (path: string) => readonly string[]
  /** The values of which the attribute has to be one, where nothing else is asked. */
  readonly choicesOf: (path: string) => readonly string[] | undefined
}

/** Values under these are told apart by their case. */
const CASE_EXACT = new Set(['id', 'externalid', 'meta', 'groups', 'members'])
const isExact = (path: string) => CASE_EXACT.has(path.toLowerCase().split('.')[0] ?? '')

export function readFilter(text: string, attributes: readonly Attribute[]): Wanted | Refusal {
  let read: Filter
  try {
    read = folded(parse(text), attributes, '')
  } catch (error) {
    return badFilter(error instanceof Error ? error.message : 'It cannot be read.')
  }
  const test = matcher(read)
  return {
    matches: (resource) => test(foldedResource(resource)),
    valueOf: (path) => equalTo(read, path),
    valuesOf: (path) => comparisons(read, path),
    choicesOf: (path) => choices(read, path),
  }
}

export const badFilter = (why: string): Refusal =>
  refuse('INVALID_REQUEST', 'The filter is not valid.', {
    errors: [{ field: '/query/filter', message: why.slice(0, 200) }],
    members: { scimType: 'invalidFilter' },
  })

const SCHEMA_PREFIX = /^urn:ietf:params:scim:schemas:core:2\.0:(user|group):/i

/** The same filter, with values in lower case where case does not matter. */
function folded(one: Filter, attributes: readonly Attribute[], root: string): Filter {
  switch (one.op) {
    case 'and':
    case 'or':
      return { ...one, filters: one.filters.map((inner) => folded(inner, attributes, root)) }
    case 'not':
      return { ...one, filter: folded(one.filter, attributes, root) }
    case '[]': {
      const attrPath = one.attrPath.replace(SCHEMA_PREFIX, '')
      return { ...one, attrPath, valFilter: folded(one.valFilter, attributes, `${attrPath}.`) }
    }
    case 'pr':
      return { ...one, attrPath: one.attrPath.replace(SCHEMA_PREFIX, '') }
    default: {
      const attrPath = one.attrPath.replace(SCHEMA_PREFIX, '')
      const full = `${root}${attrPath}`
      const found = findAttribute(attributes, full.split('.')[0] ?? '')
      // Of an attribute with values, `emails eq "…"` means the values.
      const isShort = root === '' && found?.type === 'complex' && !attrPath.includes('.')
      const path = isShort && found.multiValued ? `${attrPath}.value` : attrPath
      const { compValue } = one
      if (typeof compValue !== 'string') return { ...one, attrPath: path }
      if (found?.type === 'boolean' && /^(true|false)$/i.test(compValue))
        return { ...one, attrPath: path, compValue: compValue.toLowerCase() === 'true' }
      return { ...one, attrPath: path, compValue: isExact(full) ? compValue : compValue.toLowerCase() }
    }
  }
}

function foldedResource(value: unknown, isTop = true): unknown {
  if (typeof value === 'string') return value.toLowerCase()
  if (Array.isArray(value)) return value.map((one) => foldedResource(one, false))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isTop && CASE_EXACT.has(name.toLowerCase()) ? inner : foldedResource(inner, false),
    ]),
  )
}

function equalTo(one: Filter, path: string, root = ''): string | undefined {
  if (one.op === 'and') return one.filters.map((inner) => equalTo(inner, path, root)).find(Boolean)
  if (one.op === '[]') return equalTo(one.valFilter, path, `${one.attrPath}.`)
  if (one.op !== 'eq' || `${root}${one.attrPath}`.toLowerCase() !== path.toLowerCase()) return undefined
  return typeof one.compValue === 'string' ? one.compValue : undefined
}

function choices(one: Filter, path: string): string[] | undefined {
  if (one.op !== 'or') {
    const value = one.op === 'eq' ? equalTo(one, path) : undefined
    return value === undefined ? undefined : [value]
  }
  const all = one.filters.map((inner) => choices(inner, path)).filter((some) => some !== undefined)
  return all.length === one.filters.length ? all.flat() : undefined
}

function comparisons(one: Filter, path: string, root = ''): string[] {
  switch (one.op) {
    case 'and':
    case 'or':
      return one.filters.flatMap((inner) => comparisons(inner, path, root))
    case 'not':
      return comparisons(one.filter, path, root)
    case '[]':
      return comparisons(one.valFilter, path, `${one.attrPath}.`)
    case 'pr':
      return []
    default:
      return `${root}${one.attrPath}`.toLowerCase() === path.toLowerCase() &&
        typeof one.compValue === 'string'
        ? [one.compValue]
        : []
  }
}
