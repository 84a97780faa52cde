import * as z from 'zod'

/** Values that a field may have, each written out or as `{exists}`. */
const Rule = z.union([z.string(), z.number(), z.boolean(), z.null(), z.strictObject({ exists: z.boolean() })])
type Rule = z.infer<typeof Rule>

export type Pattern = { readonly [field: string]: Pattern | readonly Rule[] }

/**
 * A pattern of a filter, of those that Lambda knows (developer guide, "Filter rule syntax"): every field it names has
 * to have one of the values it lists, or to exist, or not to. Its other comparisons are not supported here.
 */
export const Pattern: z.ZodType<Pattern> = z.lazy(() =>
  z.record(z.string(), z.union([z.array(Rule).min(1), Pattern])),
)

/** Does a record match one of the patterns? Without patterns every record does. */
export function isWanted(patterns: readonly Pattern[], record: unknown): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matches(pattern, record))
}

function matches(pattern: Pattern, value: unknown): boolean {
  return Object.entries(pattern).every(([field, rule]) => {
    const found = fieldOf(value, field)
    return isRules(rule) ? rule.some((one) => obeys(one, found)) : matches(rule, found)
  })
}

const isRules = (rule: Pattern | readonly Rule[]): rule is readonly Rule[] => Array.isArray(rule)

function obeys(rule: Rule, found: unknown): boolean {
  if (rule === null || typeof rule !== 'object') return found === rule
  return rule.exists === (found !== undefined)
}

function fieldOf(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined
  return Reflect.get(value, field)
}
