import type * as z from 'zod'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import { badFilter, readFilter } from './filter.ts'
import { verbOf } from './patch.ts'
import { badValue, fixed, noTarget, readPath } from './patch-path.ts'
import { RESOURCES } from './schemas.ts'
import type { Operation } from './shapes.ts'

/** What a PATCH or PUT makes of a group. Who is in it is said by differences, so that large groups need not be read. */
export type GroupChange = {
  displayName?: string
  /** null takes it away. */
  externalId?: string | null
  /** Nobody stays but who is in `add`. */
  isReplaced: boolean
  readonly add: Set<string>
  readonly remove: Set<string>
}

export function groupChange(operations: readonly z.infer<typeof Operation>[]): GroupChange | Refusal {
  const change: GroupChange = { isReplaced: false, add: new Set(), remove: new Set() }
  for (const { op, path, value } of operations) {
    const verb = verbOf(op)
    if (isRefusal(verb)) return verb
    if (path) {
      const refused = applyAt(change, verb, path, value, false)
      if (refused) return refused
      continue
    }
    if (verb === 'remove') return noTarget('What is to be removed must be named by a path.')
    if (typeof value !== 'object' || value === null) return badValue('no path', 'it must have attributes')
    for (const [name, inner] of Object.entries(value)) {
      const refused = applyAt(change, verb, name, inner, true)
      if (refused) return refused
    }
  }
  return change
}

function applyAt(
  change: GroupChange,
  verb: 'add' | 'replace' | 'remove',
  path: string,
  value: unknown,
  isAlong: boolean,
): Refusal | undefined {
  const target = readPath(path, 'Group')
  if (isRefusal(target)) return isAlong ? undefined : target
  if (target.kind !== 'attribute') return undefined
  const { attribute, filter } = target
  if (attribute.mutability === 'readOnly') return isAlong ? undefined : fixed(attribute.name)
  if (attribute.name === 'members') return onMembers(change, verb, filter, value, path)
  const isGone = verb === 'remove' || value === null || value === ''
  if (!isGone && (typeof value !== 'string' || value.trim() === '' || value.length > 200))
    return badValue(path, `${attribute.name} is a text`)
  if (attribute.name === 'externalId') change.externalId = isGone ? null : String(value)
  else if (isGone) return fixed('displayName')
  else change.displayName = String(value).trim()
  return undefined
}

function onMembers(
  change: GroupChange,
  verb: 'add' | 'replace' | 'remove',
  filter: string | undefined,
  value: unknown,
  path: string,
): Refusal | undefined {
  const ids = filter === undefined ? idsIn(value) : idsOf(filter)
  if (isRefusal(ids)) return ids
  if (ids === undefined) return badValue(path, 'members are objects with a value')
  if (verb === 'remove') {
    // Without any values all are meant.
    if (filter === undefined && ids.length === 0) replace([])
    for (const id of ids) {
      change.add.delete(id)
      change.remove.add(id)
    }
    return undefined
  }
  if (filter !== undefined)
    return noTarget('A filter picks members to remove; to add some, name their values.')
  if (verb === 'replace') replace(ids)
  for (const id of ids) {
    change.add.add(id)
    change.remove.delete(id)
  }
  return undefined

  function replace(next: readonly string[]): void {
    change.isReplaced = true
    change.remove.clear()
    change.add.clear()
    for (const id of next) change.add.add(id)
  }
}

/** `value eq "…"`, or several of them joined by or. */
function idsOf(filter: string): readonly string[] | Refusal {
  const wanted = readFilter(filter.replaceAll(/\bvalue\b/gi, 'members.value'), RESOURCES.Group)
  if (isRefusal(wanted)) return wanted
  return wanted.choicesOf('members.value') ?? badFilter('members are picked by value eq "…"')
}

/** The ids in one member, several, or texts; undefined where it is none of these. */
function idsIn(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return []
  const ids: string[] = []
  for (const one of Array.isArray(value) ? value : [value]) {
    const id: unknown = typeof one === 'object' && one !== null && 'value' in one ? one.value : one
    if (typeof id !== 'string' || id.length > 200) return undefined
    ids.push(id)
  }
  return ids
}
