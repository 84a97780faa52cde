import { expect, test } from 'vitest'
import type { Entry } from '../../shared/domain/lease-entry.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { newProductId } from '../../shared/platform/ids.ts'
import { changePool } from '../../shared/store/change-pool.ts'
import { readGivenOut } from '../../shared/store/given-out.ts'
import { transact } from '../../shared/store/transact.ts'
import { at, TENANT } from '../support/licenses.ts'
import { localTable } from './local-table.ts'

test('leases of machines count once, in the item of their pool and on its pages', async () => {
  const table = await localTable()
  const now = at('2026-06-01T12:00:00Z')
  const productId = newProductId(now)
  const second = seconds(now)
  const ends = { until: second + 600, beat: second }
  const lease: Entry = { kind: 'lease', units: 1, overdraft: false, generation: 0, sharers: 0, ...ends }
  const put = new Map<string, Entry>([
    ['in-item', lease],
    ['on-page', { ...lease, units: 2, paged: true }],
  ])
  const writes = changePool(
    { tenantId: TENANT, productId, metric: 'machines' },
    { put, seen: new Map(), remove: [] },
    undefined,
  )
  expect(await transact(table, Object.fromEntries(writes.map((one, index) => [`${index}`, one])))).toEqual({
    ok: true,
  })
  expect([...(await readGivenOut(table, TENANT, productId, now))]).toEqual([['machines', 3]])
})
