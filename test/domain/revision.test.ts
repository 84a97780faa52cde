import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { archived, changes, checkEdit, edited } from '../../shared/domain/revision.ts'
import { Instant } from '../../shared/platform/time.ts'
import { at } from '../support/licenses.ts'

const Thing = z.strictObject({
  name: z.string(),
  note: z.string().optional(),
  parts: z.array(z.string()),
  limits: z.record(z.string(), z.int()).default({}),
  archivedAt: Instant.optional(),
  revision: z.int(),
})
const thing = Thing.parse({ name: 'a', note: 'n', parts: ['x'], revision: 3 })

describe('an edit', () => {
  test('is one revision on', () => {
    expect(edited(Thing, thing, { name: 'b' })).toEqual({ ...thing, name: 'b', revision: 4 })
  })

  test('that says what already is changes nothing', () => {
    expect(edited(Thing, thing, { name: 'a', parts: ['x'] })).toBe(thing)
    expect(edited(Thing, thing, {})).toBe(thing)
    // The keys of a map come in any order from the table.
    const limited = { ...thing, limits: { a: 1, b: 2 } }
    expect(edited(Thing, limited, { limits: { b: 2, a: 1 } })).toBe(limited)
    expect(edited(Thing, limited, { limits: { b: 1, a: 2 } }).revision).toBe(4)
  })

  test('can take a field away', () => {
    const after = edited(Thing, thing, { note: undefined })
    expect(after).toMatchObject({ name: 'a', revision: 4 })
    expect(changes(thing, after)).toEqual({ before: { note: 'n', revision: 3 }, after: { revision: 4 } })
  })

  test('is made on the revision that was read, and not on what is archived', () => {
    const gone = archived(thing, at('2026-01-01T00:00:00Z'))
    expect(checkEdit(thing, 3)).toBeUndefined()
    expect(checkEdit(thing, 2)?.refused).toBe('REVISION_OUTDATED')
    expect(checkEdit(gone, 3)?.refused).toBe('REVISION_OUTDATED')
    expect(checkEdit(gone, 4)?.refused).toBe('ARCHIVED')
  })
})

test('changes are the fields that differ', () => {
  const after = { ...thing, parts: ['x', 'y'], archivedAt: at('2026-01-01T00:00:00Z') }
  expect(changes(thing, after)).toEqual({
    before: { parts: ['x'] },
    after: { parts: ['x', 'y'], archivedAt: '2026-01-01T00:00:00.000Z' },
  })
})
