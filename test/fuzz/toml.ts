type Toml = string | number | boolean | readonly Toml[] | { readonly [name: string]: Toml }

/** A TOML document: each name at the top on a line of its own, all below it inline. */
export const toml = (document: Readonly<Record<string, Toml>>): string =>
  Object.entries(document)
    .map(([name, value]) => `${JSON.stringify(name)} = ${inline(value)}\n`)
    .join('')

/** JSON's strings, numbers and lists are TOML's, too (TOML 1.0: escapes of basic strings). */
function inline(value: Toml): string {
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  return `{ ${Object.entries(value)
    .map(([name, item]) => `${JSON.stringify(name)} = ${inline(item)}`)
    .join(', ')} }`
}
