import { ENTERPRISE } from './schemas.ts'

type Wish = {
  readonly attributes?: string | undefined
  readonly excludedAttributes?: string | undefined
}

const CORE = /^urn:ietf:params:scim:schemas:core:2\.0:(user|group):/i
const ALWAYS = new Set(['schemas', 'id'])

type Names = ReadonlyMap<string, ReadonlySet<string> | 'all'>

/** `name.givenName,emails` by attribute, in lower case; an extension's attributes under the extension. */
function namesIn(text: string): Names {
  const names = new Map<string, Set<string> | 'all'>()
  for (const one of text.split(',')) {
    const name = one.trim().replace(CORE, '').toLowerCase()
    if (name === '') continue
    const extension = ENTERPRISE.toLowerCase()
    const [top = '', part] = name.startsWith(extension)
      ? [extension, name.slice(extension.length + 1) || undefined]
      : name.split('.')
    const known = names.get(top)
    if (part === undefined) names.set(top, 'all')
    else if (known !== 'all') names.set(top, new Set([...(known ?? []), part]))
  }
  return names
}

/** Is the attribute asked for? */
export function isAsked(name: string, { attributes, excludedAttributes }: Wish): boolean {
  if (attributes !== undefined) return namesIn(attributes).has(name.toLowerCase())
  return excludedAttributes === undefined || namesIn(excludedAttributes).get(name.toLowerCase()) !== 'all'
}

/** The resource with what is asked for of it (RFC 7644, section 3.9); its id always. */
export function projected<T extends object>(resource: T, wish: Wish): T {
  const { attributes, excludedAttributes } = wish
  if (attributes === undefined && excludedAttributes === undefined) return resource
  const names = namesIn(attributes ?? excludedAttributes ?? '')
  const isOnly = attributes !== undefined
  const copy: T = { ...resource }
  for (const name in copy) {
    if (ALWAYS.has(name)) continue
    const parts = names.get(name.toLowerCase())
    if (parts === undefined || parts === 'all') {
      if ((parts === 'all') !== isOnly) delete copy[name]
      continue
    }
    const value: unknown = copy[name]
    const kept = Array.isArray(value)
      ? value.map((one) => partsOf(one, parts, isOnly))
      : partsOf(value, parts, isOnly)
    Object.assign(copy, { [name]: kept })
  }
  return copy
}

function partsOf(value: unknown, names: ReadonlySet<string>, isOnly: boolean): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).filter(([name]) => names.has(name.toLowerCase()) === isOnly),
  )
}
