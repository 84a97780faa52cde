import { expect, test } from 'vitest'
import { newProductId, newTenantId } from '../../shared/platform/ids.ts'
import { changePool } from '../../shared/store/change-pool.ts'
import { raiseFence } from '../../shared/store/fence.ts'
import { type Action, transact } from '../../shared/store/transact.ts'
import { at } from '../support/licenses.ts'
import { localTable } from './local-table.ts'

const table = await localTable()
const now = at('2026-06-01T12:00:00Z')

test('a pool of which nothing was ever held holds nothing: it can be a condition', async () => {
  const pool = { tenantId: newTenantId(now), productId: newProductId(now), metric: 'concurrent' }
  const change = { put: new Map(), seen: new Map(), remove: [], tickets: 1 }
  const write = async (...actions: Action[]) =>
    (await transact(table, Object.fromEntries(actions.map((action, index) => [`item ${index}`, action])))).ok
  expect(await write(raiseFence(pool))).toBe(true)
  expect(await write(...changePool(pool, { ...change, usedBefore: 1 }, undefined))).toBe(false)
  expect(await write(...changePool(pool, { ...change, usedBefore: 0 }, undefined))).toBe(true)
})
