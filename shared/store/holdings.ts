import * as z from 'zod'
import type { Holdings } from '../domain/holdings.ts'
import { License, type LicenseAddress } from '../domain/license.ts'
import { Usage } from '../domain/usage.ts'
import { ProductId, type TenantId } from '../platform/ids.ts'
import { entity, type Item, remembering } from './codec.ts'
import {
  holdingsPrefix,
  KIND,
  licenseKey,
  managedSeatsKey,
  ownedByTenant,
  tenantKey,
  usageKey,
} from './keys.ts'
import { readItem, readRange } from './read.ts'
import { type Action, putVersion, type Table } from './transact.ts'

/** Rows of each kind that a warm function remembers: about 8 KB for a license. */
const REMEMBERED = 5_000

export const licenseEntity = remembering(entity('license', 3, License, 1), REMEMBERED)
export const usageEntity = remembering(entity('usage', 1, Usage), REMEMBERED)

/** That a seat of a pool was ever given or waited for here. It is written with the first, and stays. */
export const managedSeatsEntity = entity('managed-seats', 1, z.strictObject({ metric: z.string() }))

/** Sorts behind every instant: licenses that never expire. */
const NEVER = '~'

export const licenseItem = (license: License): Item =>
  licenseEntity.encode(licenseKey(license.tenantId, license.productId, license.id), license, {
    ownedPk: ownedByTenant(license.tenantId, 'LICENSES'),
    ownedSk: license.id,
    kindPk: KIND.licenses,
    kindSk: `${license.expiresAt ?? NEVER}#${license.id}`,
  })

/** Replaces a license as it was read: fails if the row was written since. */
export const replaceLicense = (license: License): Action =>
  putVersion(licenseItem({ ...license, version: license.version + 1 }), license.version)

export const usageItem = (tenantId: TenantId, productId: ProductId, usage: Usage): Item =>
  usageEntity.encode(usageKey(tenantId, productId, usage.metric), usage)

export const managedSeatsItem = (tenantId: TenantId, productId: ProductId, metric: string): Item =>
  managedSeatsEntity.encode(managedSeatsKey(tenantId, productId, metric), { metric })

/** One license, strongly consistent, by where it lies. */
export async function readLicense(
  table: Table,
  { tenantId, productId, licenseId }: LicenseAddress,
): Promise<License | undefined> {
  const item = await readItem(table, licenseKey(tenantId, productId, licenseId))
  return item && licenseEntity.decode(item)
}

/** What a tenant holds of one product: one strongly consistent query, one read unit up to 4 KB. */
export async function readHoldings(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
): Promise<Holdings> {
  const items = await readRange(table, { pk: tenantKey(tenantId).pk, prefix: holdingsPrefix(productId) })
  return gather(tenantId, productId, items)
}

/** What a tenant holds of every product: one strongly consistent query. */
export async function readAllHoldings(table: Table, tenantId: TenantId): Promise<Holdings[]> {
  const items = await readRange(table, { pk: tenantKey(tenantId).pk, prefix: holdingsPrefix() })
  const byProduct = Map.groupBy(items, productOf)
  return (
    [...byProduct]
      // That somebody waited for a seat of a product is no license of it.
      .filter(([, own]) => !own.every(isMark))
      .map(([productId, own]) => gather(tenantId, productId, own))
  )
}

const productOf = (item: Item): ProductId => ProductId.parse(String(item['sk']).split('#')[1])

const isMark = (item: Item) => item['entity'] === managedSeatsEntity.name
const isUsage = (item: Item) => item['entity'] === usageEntity.name

function gather(tenantId: TenantId, productId: ProductId, items: readonly Item[]): Holdings {
  return {
    tenantId,
    productId,
    licenses: items.filter((item) => !isUsage(item) && !isMark(item)).map(licenseEntity.decode),
    usage: items.filter(isUsage).map(usageEntity.decode),
    managedSeats: items.filter(isMark).map((item) => managedSeatsEntity.decode(item).metric),
  }
}
