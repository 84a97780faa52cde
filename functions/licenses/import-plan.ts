import type { Plan, Product } from '../../shared/domain/catalog.ts'
import { chunks } from '../../shared/domain/chunks.ts'
import { type Base, decideIssue, type UnsignedLicense } from '../../shared/domain/issue.ts'
import type { LicenseAddress } from '../../shared/domain/license.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import type { Tenant } from '../../shared/domain/tenant.ts'
import type { FeatureValue } from '../../shared/domain/terms.ts'
import { newLicenseId, type PlanId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { findReferences, findTenant } from '../../shared/store/address.ts'
import { readPlan, readProduct } from '../../shared/store/catalog.ts'
import { readLicense } from '../../shared/store/holdings.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { Table } from '../../shared/store/transact.ts'
import { invalidLines, type LineError, lineError } from '../import-lines.ts'
import type { NumberedRow, ReadRows } from './import-rows.ts'

/** A row that will become a license. */
export type PlannedRow = {
  readonly line: number
  readonly reference: string
  readonly license: UnsignedLicense
}
type ImportPlan = { readonly planned: readonly PlannedRow[]; readonly alreadyHere: number }

/** Decides every row before any is written: all can be imported, or a report says which cannot, unreadable ones too. */
export async function planImport(
  { rows, errors: unreadable }: ReadRows,
  table: Table,
  now: Instant,
): Promise<ImportPlan | Refusal> {
  const world = await load(rows, table)
  const fresh = rows.filter(({ row }) => !world.taken.has(row.reference))
  const errors = [...unreadable]
  const byReference = new Map<string, Base>(world.bases)
  const planned: PlannedRow[] = []
  // Bases first, so that what extends them finds them.
  for (const numbered of fresh.toSorted(
    (a, b) => Number(a.row.extends !== undefined) - Number(b.row.extends !== undefined),
  )) {
    const license = decide(numbered, world, byReference, now)
    if (Array.isArray(license)) {
      errors.push(...license)
      continue
    }
    byReference.set(numbered.row.reference, license)
    planned.push({ line: numbered.line, reference: numbered.row.reference, license })
  }
  return errors.length > 0 ? invalidLines(errors) : { planned, alreadyHere: rows.length - fresh.length }
}

function decide(
  { line, row }: NumberedRow,
  world: World,
  byReference: ReadonlyMap<string, Base>,
  now: Instant,
): UnsignedLicense | LineError[] {
  const tenant = world.tenants.get(row.customerId)
  const terms = world.plans.get(row.planId)
  const base = row.extends === undefined ? undefined : byReference.get(row.extends)
  if (tenant === undefined)
    return [lineError(line, 'customerId', `there is no tenant with customer id ${row.customerId}`)]
  if (terms === undefined) return [lineError(line, 'planId', 'there is no such plan')]
  if (row.extends !== undefined && base === undefined) {
    return [lineError(line, 'extends', `there is no license with reference ${row.extends}`)]
  }
  const { customerId: _, planId: __, extends: ___, features, limits, ...order } = row
  const decided = decideIssue(
    newLicenseId(now),
    {
      ...order,
      ...(Object.keys(limits).length > 0 && { limits }),
      ...(Object.keys(features).length > 0 && { features: typed(terms.product, features) }),
      applyOn: 'issue',
    },
    { ...terms, tenant, base },
    now,
  )
  if (!isRefusal(decided)) return decided
  if (decided.errors === undefined) return [lineError(line, '', decided.detail)]
  return decided.errors.map((error) =>
    lineError(line, error.field.replace('/body/', '').replace('/', '.'), error.message),
  )
}

/** CSV has only text: features take the type their product declares. */
function typed(
  product: Product,
  features: Readonly<Record<string, FeatureValue>>,
): Record<string, FeatureValue> {
  const types = new Map(product.features.map((feature) => [feature.code, feature.type]))
  return Object.fromEntries(
    Object.entries(features).map(([code, value]) => {
      if (typeof value !== 'string') return [code, value]
      if (types.get(code) === 'boolean' && (value === 'true' || value === 'false'))
        return [code, value === 'true']
      if (types.get(code) === 'number' && Number.isFinite(Number(value))) return [code, Number(value)]
      return [code, value]
    }),
  )
}

type World = {
  taken: Map<string, LicenseAddress>
  tenants: Map<string, Tenant>
  plans: Map<PlanId, { plan: Plan; product: Product }>
  bases: Map<string, Base>
}

/** What the rows refer to, each thing read once. */
async function load(rows: readonly NumberedRow[], table: Table): Promise<World> {
  const references = new Set(
    rows.flatMap(({ row }) => (row.extends === undefined ? [row.reference] : [row.reference, row.extends])),
  )
  const taken = await findReferences(table, [...references])
  const bases = new Set(rows.flatMap(({ row }) => (row.extends === undefined ? [] : [row.extends])))
  return {
    taken,
    tenants: await readEach(
      rows.map(({ row }) => row.customerId),
      async (customerId) => {
        const id = await findTenant(table, customerId)
        return id && readTenant(table, id)
      },
    ),
    plans: await readEach(
      rows.map(({ row }) => row.planId),
      async (planId) => {
        const plan = await readPlan(table, planId)
        const product = plan && (await readProduct(table, plan.productId))
        return plan && product && { plan, product }
      },
    ),
    bases: await readEach(bases, async (reference) => {
      const address = taken.get(reference)
      return address && readLicense(table, address)
    }),
  }
}

const AT_ONCE = 16

/** Reads each distinct key once, some at a time. */
async function readEach<K, V>(
  keys: Iterable<K>,
  read: (key: K) => Promise<V | undefined>,
): Promise<Map<K, V>> {
  const found = new Map<K, V>()
  for (const some of chunks([...new Set(keys)], AT_ONCE)) {
    await Promise.all(
      some.map(async (key) => {
        const value = await read(key)
        if (value !== undefined) found.set(key, value)
      }),
    )
  }
  return found
}
