import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { CorruptItemError, entity, type Item } from '../../shared/store/codec.ts'
import { readLicense } from '../../shared/store/holdings.ts'
import { licenseKey } from '../../shared/store/keys.ts'
import { aLicense, licenseId, PRODUCT, TENANT } from '../support/licenses.ts'
import { localTable, put } from './local-table.ts'

const Lamp = z.strictObject({ name: z.string(), watts: z.int().optional() })
const lampEntity = entity('lamp', 2, Lamp)
const KEY = { pk: 'LAMP#1', sk: 'LAMP' }
const stored = lampEntity.encode(KEY, { name: 'Desk', watts: 5 }, { kindPk: 'LAMPS', kindSk: '1', ttl: 99 })

describe('an item', () => {
  test('is the value with its keys, its type and its version', () => {
    expect(stored).toEqual({
      name: 'Desk',
      watts: 5,
      pk: 'LAMP#1',
      sk: 'LAMP',
      kindPk: 'LAMPS',
      kindSk: '1',
      ttl: 99,
      entity: 'lamp',
      schema: 2,
    })
  })

  test('is read back as the value alone', () => {
    expect(lampEntity.decode(stored)).toEqual({ name: 'Desk', watts: 5 })
  })
})

describe('an item that is not what this program wrote', () => {
  const secret = 'Example University'
  const wrong: Record<string, { item: Item; says: RegExp }> = {
    'of another type': { item: { ...stored, entity: 'shade' }, says: /expected lamp\/2, found shade\/2/ },
    'of an older version': { item: { ...stored, schema: 1 }, says: /expected lamp\/2, found lamp\/1/ },
    'of a newer version': { item: { ...stored, schema: 3 }, says: /expected lamp\/2, found lamp\/3/ },
    'of no type': { item: { ...KEY, name: 'Desk' }, says: /found undefined\/undefined/ },
    'with a field of the wrong type': { item: { ...stored, name: [secret] }, says: /name \(invalid_type\)/ },
    'without a field': { item: { ...stored, name: undefined }, says: /name \(invalid_type\)/ },
    'with a field too many': { item: { ...stored, color: secret }, says: /unrecognized_keys/ },
  }

  test.each(Object.entries(wrong))(
    '%s is a fault that names its key, never its content',
    (_, { item, says }) => {
      const decode = () => lampEntity.decode(item)
      expect(decode).toThrow(CorruptItemError)
      expect(decode).toThrow(/^item LAMP#1 \/ LAMP: /)
      expect(decode).toThrow(says)
      expect(decode).not.toThrow(new RegExp(secret))
    },
  )
})

test('a corrupt row in the table is a fault, not a row that does not exist', async () => {
  const table = await localTable()
  const key = licenseKey(TENANT, PRODUCT, licenseId(1))
  const address = { tenantId: TENANT, productId: PRODUCT, licenseId: licenseId(1) }
  expect(await readLicense(table, address)).toBeUndefined()
  await put(table, { ...aLicense(), ...key, entity: 'license', schema: 2, graceDays: -1 })
  await expect(readLicense(table, address)).rejects.toThrow(
    `item ${key.pk} / ${key.sk}: license/3 does not parse: graceDays (too_small)`,
  )
})
