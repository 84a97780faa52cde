import * as z from 'zod'
import { LicenseAddress } from '../domain/license.ts'
import { type LicenseId, ProductId, TenantId } from '../platform/ids.ts'
import { entity, type Item } from './codec.ts'
import { customerKey, keyAddressKey, licenseAddressKey, productCodeKey, referenceKey } from './keys.ts'
import { readItem, readItems } from './read.ts'
import type { Action, Table } from './transact.ts'

export const licenseAddressEntity = entity('license-address', 1, LicenseAddress)
/** Takes a code or customer id for one resource, so that no other can have it. */
export const nameEntity = entity('name', 1, z.strictObject({ id: z.string() }))

export const addressById = (address: LicenseAddress): Item =>
  licenseAddressEntity.encode(licenseAddressKey(address.licenseId), address)
export const addressByKey = (hash: string, address: LicenseAddress): Item =>
  licenseAddressEntity.encode(keyAddressKey(hash), address)
export const addressByReference = (reference: string, address: LicenseAddress): Item =>
  licenseAddressEntity.encode(referenceKey(reference), address)

/**
 * A reference follows its license when that becomes another tenant's, so that an import finds what there is now. It is
 * the one address that changes; no function remembers it.
 */
export const moveReference = (reference: string, from: LicenseId, to: LicenseAddress): Action => ({
  kind: 'put',
  item: addressByReference(reference, to),
  condition: 'licenseId = :from',
  values: { ':from': from },
})

export const productCodeItem = (code: string, id: ProductId): Item =>
  nameEntity.encode(productCodeKey(code), { id })
export const customerItem = (customerId: string, id: TenantId): Item =>
  nameEntity.encode(customerKey(customerId), { id })

async function address(table: Table, key: { pk: string; sk: string }): Promise<LicenseAddress | undefined> {
  const item = await readItem(table, key)
  return item && licenseAddressEntity.decode(item)
}

export const findLicense = (table: Table, id: LicenseId) => address(table, licenseAddressKey(id))
export const findLicenseByKey = (table: Table, hash: string) => address(table, keyAddressKey(hash))

/** The tenant behind a vendor's customer id. */
export async function findTenant(table: Table, customerId: string): Promise<TenantId | undefined> {
  const item = await readItem(table, customerKey(customerId))
  return item && TenantId.parse(nameEntity.decode(item).id)
}

/** The product that has a code. */
export async function findProduct(table: Table, code: string): Promise<ProductId | undefined> {
  const item = await readItem(table, productCodeKey(code))
  return item && ProductId.parse(nameEntity.decode(item).id)
}

/** Which of these references are taken, and by which license. */
export async function findReferences(
  table: Table,
  references: readonly string[],
): Promise<Map<string, LicenseAddress>> {
  const byKey = new Map(references.map((reference) => [referenceKey(reference).pk, reference]))
  const items = await readItems(table, references.map(referenceKey))
  return new Map(
    items.flatMap((item) => {
      const reference = byKey.get(String(item['pk']))
      return reference === undefined ? [] : [[reference, licenseAddressEntity.decode(item)]]
    }),
  )
}
