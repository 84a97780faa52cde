import type * as z from 'zod'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { readFilter } from './filter.ts'
import { badPath, badValue, fixed, noTarget, readPath, type Target } from './patch-path.ts'
import { ENTERPRISE, findAttribute, type SubAttribute } from './schemas.ts'
import type { Operation } from './shapes.ts'

type Fields = Record<string, unknown>
type Verb = 'add' | 'replace' | 'remove'
type Place = Extract<Target, { kind: 'attribute' }>

/**
 * A person after the operations of a PATCH, in the standard's shape and in Entra's: verbs in any case, booleans as
 * text, values without a path whose names are paths, values to remove by value. Only attributes of our schema are ever
 * set, by their own names, so that no name of a caller's becomes a key.
 *
 * (npm's scim-patch writes whatever names come, `__proto__` among them, and takes an extension's name for a path.)
 */
export function patched(
  user: Readonly<Fields>,
  operations: readonly z.infer<typeof Operation>[],
): Fields | Refusal {
  const document: Fields = structuredClone(user)
  for (const { op, path, value } of operations) {
    const verb = verbOf(op)
    if (isRefusal(verb)) return verb
    const refused = path ? applyAt(document, verb, path, value, false) : applyAll(document, verb, value)
    if (refused) return refused
  }
  return document
}

export function verbOf(op: string): Verb | Refusal {
  const verb = op.toLowerCase()
  if (verb === 'add' || verb === 'replace' || verb === 'remove') return verb
  return refuse('INVALID_REQUEST', `There is no operation ${op}.`, { members: { scimType: 'invalidSyntax' } })
}

/** Without a path the value's names say where each goes. What cannot be changed is often sent along, and left. */
function applyAll(document: Fields, verb: Verb, value: unknown): Refusal | undefined {
  if (verb === 'remove') return noTarget('What is to be removed must be named by a path.')
  if (!isFields(value)) return badValue('no path', 'it must have attributes')
  for (const [name, inner] of Object.entries(value)) {
    const refused = applyAt(document, verb, name, inner, true)
    if (refused) return refused
  }
  return undefined
}

function applyAt(
  document: Fields,
  verb: Verb,
  path: string,
  value: unknown,
  isAlong: boolean,
): Refusal | undefined {
  const target = readPath(path, 'User')
  if (isRefusal(target)) return isAlong ? undefined : target
  if (target.kind === 'ignored') return undefined
  if (target.kind === 'extension') {
    if (verb === 'remove') {
      delete document[ENTERPRISE]
      return undefined
    }
    if (!isFields(value)) return badValue(path, 'it must have attributes')
    for (const [name, inner] of Object.entries(value)) {
      const refused = applyAt(document, verb, `${ENTERPRISE}:${name}`, inner, true)
      if (refused) return refused
    }
    return undefined
  }
  const { attribute, isExtension } = target
  if (attribute.mutability === 'readOnly') return isAlong ? undefined : fixed(attribute.name)
  const holder = isExtension ? part(document, ENTERPRISE) : document
  if (attribute.multiValued) return onValues(holder, verb, path, target, value)
  if (target.sub !== undefined) return set(part(holder, attribute.name), verb, target.sub, value, path)
  if (attribute.type !== 'complex') return set(holder, verb, attribute, value, path)
  if (verb === 'remove' || isNone(value)) {
    delete holder[attribute.name]
    return undefined
  }
  const fields = partsOf(attribute.subAttributes ?? [], value, path)
  if (isRefusal(fields)) return fields
  Object.assign(part(holder, attribute.name), fields)
  return undefined
}

/** An attribute with several values: all of them, or those that a filter picks. */
function onValues(
  holder: Fields,
  verb: Verb,
  path: string,
  target: Place,
  value: unknown,
): Refusal | undefined {
  const { attribute, filter, sub } = target
  const { name, subAttributes = [] } = attribute
  const before = Array.isArray(holder[name]) ? holder[name].filter(isFields) : []
  if (verb === 'remove') {
    const picked = filter === undefined ? named(before, value) : pick(before, filter, subAttributes, path)
    if (isRefusal(picked)) return picked
    if (sub === undefined) holder[name] = before.filter((one) => !picked.includes(one))
    else for (const one of picked) delete one[sub.name]
    return undefined
  }
  if (filter === undefined && sub === undefined) {
    const added: Fields[] = []
    for (const one of isNone(value) ? [] : Array.isArray(value) ? value : [value]) {
      const fields = partsOf(subAttributes, isFields(one) ? one : { value: one }, path)
      if (isRefusal(fields)) return fields
      added.push(fields)
    }
    const kept = verb === 'add' ? before.filter((one) => !added.some((other) => same(one, other))) : []
    holder[name] = onePrimary(kept, added)
    return undefined
  }
  const picked = filter === undefined ? before : pick(before, filter, subAttributes, path)
  if (isRefusal(picked)) return picked
  if (picked.length === 0) {
    // Entra replaces what is not there yet; a value that is replaced as a whole must be (RFC 7644, section 3.5.2.3).
    const made = filter === undefined ? {} : madeBy(filter, subAttributes)
    if (made === undefined || (verb === 'replace' && sub === undefined))
      return noTarget(`No value of ${name} is what ${path.slice(0, 200)} names.`)
    before.push(made)
    picked.push(made)
  }
  for (const one of picked) {
    if (sub !== undefined) {
      const refused = set(one, verb, sub, value, path)
      if (refused) return refused
      continue
    }
    const fields = partsOf(subAttributes, value, path)
    if (isRefusal(fields)) return fields
    Object.assign(one, fields)
  }
  holder[name] = onePrimary(
    before.filter((one) => !picked.includes(one)),
    picked,
    before,
  )
  return undefined
}

function pick(
  values: readonly Fields[],
  filter: string,
  subs: readonly SubAttribute[],
  path: string,
): Fields[] | Refusal {
  const wanted = readFilter(filter, subs)
  return isRefusal(wanted) ? badPath(path, 'its filter cannot be read') : values.filter(wanted.matches)
}

/** To remove by value: those that say the same; all, where no value is given. */
function named(values: readonly Fields[], value: unknown): Fields[] {
  if (isNone(value)) return [...values]
  const gone = (Array.isArray(value) ? value : [value]).map((one) => (isFields(one) ? one['value'] : one))
  return values.filter((one) => gone.includes(one['value']))
}

/** The value that a filter like `type eq "work"` would pick, where there is none. */
function madeBy(filter: string, subs: readonly SubAttribute[]): Fields | undefined {
  const wanted = readFilter(filter, subs)
  if (isRefusal(wanted)) return undefined
  const made: Fields = {}
  for (const { name, type } of subs) {
    const value = wanted.valueOf(name)
    if (value !== undefined && type === 'string') made[name] = value
  }
  return Object.keys(made).length > 0 ? made : undefined
}

/** No more than one value is the primary one: of several, that which came last. */
function onePrimary(
  others: readonly Fields[],
  changed: readonly Fields[],
  order = [...others, ...changed],
): Fields[] {
  const primary = changed.findLast((one) => one['primary'] === true)
  if (primary === undefined) return order
  for (const one of order) if (one !== primary && one['primary'] === true) one['primary'] = false
  return order
}

function partsOf(subs: readonly SubAttribute[], value: unknown, path: string): Fields | Refusal {
  if (!isFields(value)) return badValue(path, 'it must have attributes')
  const fields: Fields = {}
  for (const [name, inner] of Object.entries(value)) {
    const sub = findAttribute(subs, name)
    if (sub === undefined) continue
    const refused = set(fields, 'replace', sub, inner, path)
    if (refused) return refused
  }
  return fields
}

function set(
  holder: Fields,
  verb: Verb,
  { name, type }: SubAttribute,
  value: unknown,
  path: string,
): Refusal | undefined {
  // Some directories wrap a single value in a list.
  const one = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (verb === 'remove' || isNone(one)) {
    delete holder[name]
    return undefined
  }
  const told = isFields(one) && 'value' in one ? one['value'] : one
  const read = type === 'boolean' ? booleanOf(told) : told
  if (typeof read !== (type === 'boolean' ? 'boolean' : 'string'))
    return badValue(path, `${name} is a ${type}`)
  holder[name] = read
  return undefined
}

const booleanOf = (value: unknown) =>
  typeof value === 'string' && /^(true|false)$/i.test(value) ? value.toLowerCase() === 'true' : value

/** No value, an empty one and none are the same (RFC 7643, section 2.5). */
const isNone = (value: unknown) =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)

const same = (a: Fields, b: Fields) => a['value'] !== undefined && a['value'] === b['value']

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function part(holder: Fields, name: string): Fields {
  const found = holder[name]
  const own: Fields = isFields(found) ? found : {}
  holder[name] = own
  return own
}
