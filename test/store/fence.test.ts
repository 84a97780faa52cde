import { expect, test } from 'vitest'
import { raiseFences } from '../../shared/store/fence.ts'
import { poolKey } from '../../shared/store/keys.ts'
import { readItem } from '../../shared/store/read.ts'
import { transact } from '../../shared/store/transact.ts'
import { aLicense, PRODUCT, TENANT } from '../support/licenses.ts'
import { times } from '../support/parallel.ts'
import { localTable } from './local-table.ts'

const table = await localTable()
const fenceOf = async (metric: string) => (await readItem(table, poolKey(TENANT, PRODUCT, metric)))?.['fence']
const raise = async (limits: Record<string, number>) =>
  transact(table, await raiseFences(table, aLicense({ limits })))

test('a change of a license raises the fence of every pool of its product, its own made if need be', async () => {
  expect(await raise({ users: 10 })).toEqual({ ok: true })
  expect(await fenceOf('users')).toBe(1)
  // This license says nothing of users; a grant of users decided before it changed must fail all the same.
  expect(await raise({ machines: 1 })).toEqual({ ok: true })
  expect([await fenceOf('users'), await fenceOf('machines')]).toEqual([2, 1])
})

test('changes at the same time all raise it', async () => {
  const before = Number(await fenceOf('users'))
  const outcomes = await times(10, () => raise({ users: 5 }))
  expect(outcomes.every(({ ok }) => ok)).toBe(true)
  expect(await fenceOf('users')).toBe(before + 10)
})

test('a grant decided before the change fails, one decided after it does not', async () => {
  const grant = (seen: unknown) =>
    transact(table, {
      pool: {
        kind: 'update',
        key: poolKey(TENANT, PRODUCT, 'users'),
        update: 'ADD granted :one',
        condition: 'fence = :seen',
        values: { ':one': 1, ':seen': seen },
      },
    })
  const seen = await fenceOf('users')
  await raise({ users: 1 })
  expect(await grant(seen)).toEqual({ ok: false, failed: ['pool'] })
  expect(await grant(await fenceOf('users'))).toEqual({ ok: true })
})
