import type * as z from 'zod'
import type { Instant } from '../platform/time.ts'
import { isSame } from './canonical-json.ts'
import type { Event } from './event.ts'
import { type Refusal, refuse } from './refusal.ts'

/** What can be edited and archived. */
type Revised = { readonly revision: number; readonly archivedAt?: Instant | undefined }

/** An edit is made on the revision its caller read, and not on what is archived. */
export function checkEdit(current: Revised, revision: number): Refusal | undefined {
  if (current.revision !== revision) {
    return refuse('REVISION_OUTDATED', `It is at revision ${current.revision}, not ${revision}.`)
  }
  return checkNotArchived(current)
}

export function checkNotArchived({ archivedAt }: Revised): Refusal | undefined {
  return archivedAt && refuse('ARCHIVED', `It was archived at ${archivedAt}.`)
}

/** The same, archived. */
export function archived<T extends Revised>(current: T, now: Instant): T & { archivedAt: Instant } {
  return { ...current, archivedAt: now, revision: current.revision + 1 }
}

/** The fields that differ, before and after, as an event tells them. */
export function changes(before: object, after: object): Required<Pick<Event, 'before' | 'after'>> {
  const [old, next] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  const fields = [...new Set([...old.keys(), ...next.keys()])].filter(
    (field) => !isSame(old.get(field), next.get(field)),
  )
  const pick = (values: ReadonlyMap<string, unknown>) =>
    Object.fromEntries(
      fields.map((field) => [field, values.get(field)]).filter(([, value]) => value !== undefined),
    )
  return { before: pick(old), after: pick(next) }
}

/** The resource with an edit applied, one revision on; unchanged if the edit says what already is. */
export function edited<T extends Revised>(schema: z.ZodType<T>, current: T, edit: object): T {
  const next = schema.parse({ ...current, ...edit })
  return isSame(current, next) ? current : { ...next, revision: current.revision + 1 }
}
