import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { entity } from '../../shared/store/codec.ts'
import { faultOf, hashOf, readPins, type StoredEntity, storedEntities } from './stored-schemas.ts'

const entities = await storedEntities()
const pins = readPins()

describe('what is stored', () => {
  test.each(entities.map((one) => [`${one.name}/${one.version}`, one] as const))(
    '%s has the shape that is pinned to its version',
    (_, one) => {
      const fault = faultOf(one, pins)
      expect(fault, fault).toBeUndefined()
    },
  )

  test('is pinned once for each entity there is, and no two have one name', () => {
    expect(Object.keys(pins).toSorted()).toEqual(entities.map(({ name }) => name).toSorted())
  })

  test('has no field that the codec uses itself', () => {
    const taken = ['pk', 'sk', 'ownedPk', 'ownedSk', 'kindPk', 'kindSk', 'ttl', 'entity', 'schema']
    const fieldsOf = (schema: unknown): string[] => {
      if (schema instanceof z.ZodObject) return Object.keys(schema.shape)
      if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap(fieldsOf)
      throw new Error('a stored shape is an object, or one of several')
    }
    for (const { name, schema } of entities)
      expect(
        fieldsOf(schema).filter((field) => taken.includes(field)),
        name,
      ).toEqual([])
  })
})

describe('a change of a stored shape', () => {
  const Lamp = z.strictObject({ name: z.string(), watts: z.int() })
  const lamp = entity('lamp', 1, Lamp)
  const pinned = { lamp: { 1: hashOf(lamp) } }
  const changed = (schema: z.ZodType, version = 1): StoredEntity => ({ ...entity('lamp', version, schema) })

  test.each([
    ['a new field', Lamp.extend({ color: z.string().optional() })],
    ['a field less', Lamp.omit({ watts: true })],
    ['a field that may be absent', Lamp.partial({ watts: true })],
    ['another type', Lamp.extend({ watts: z.string() })],
    ['another range', Lamp.extend({ watts: z.int().max(100) })],
  ])('%s is noticed, and says what to do', (_, schema) => {
    expect(faultOf(changed(schema), pinned)).toMatch(
      /lamp\/1 has changed.*Raise the version to 2, write a migration/,
    )
  })

  test('is none if only the order of the fields is another', () => {
    expect(faultOf(changed(z.strictObject({ watts: z.int(), name: z.string() })), pinned)).toBeUndefined()
  })

  test('needs its new version pinned, and never goes back', () => {
    expect(faultOf(changed(Lamp, 2), pinned)).toMatch(/lamp\/2 is not pinned/)
    expect(faultOf(lamp, { lamp: { ...pinned.lamp, 2: 'x' } })).toMatch(/versions only go up/)
  })
})
