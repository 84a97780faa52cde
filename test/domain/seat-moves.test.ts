import { expect, test } from 'vitest'
import { UNLIMITED } from '../../shared/domain/overdraft.ts'
import { poolName, type SeatPool } from '../../shared/domain/seat.ts'
import { EMPTY_POOL } from '../../shared/domain/seat-decision.ts'
import { afterMoves, type PoolMove, servedMoves, sumMoves } from '../../shared/domain/seat-moves.ts'
import { OrganizationId } from '../../shared/platform/ids.ts'
import { PRODUCT } from '../support/licenses.ts'

const organization = (number: number) => OrganizationId.parse(`org_${String(number).padStart(26, '0')}`)
const [SCHOOL, CAMPUS] = [organization(1), organization(2)]
const place = (metric: string) => ({ productId: PRODUCT, metric })
const [LEARN, TEACH] = [poolName(place('learn')), poolName(place('teach'))]
const move = (metric: string, counts: Partial<PoolMove>): PoolMove => ({
  ...place(metric),
  assigned: 0,
  committed: 0,
  queued: 0,
  used: {},
  ...counts,
})
const pool = (counts: Partial<SeatPool>): SeatPool => ({ ...EMPTY_POOL, ...counts })

test('what many changes do to a pool and its reservations is the sum, of each pool for itself', () => {
  const sum = sumMoves([
    move('learn', { assigned: 2, committed: 1, queued: 3, used: { [SCHOOL]: 1, [CAMPUS]: 2 } }),
    move('teach', { assigned: 7 }),
    move('learn', { assigned: 1, committed: 4, queued: -2, used: { [SCHOOL]: -3 } }),
  ])
  expect(sum).toEqual([
    move('learn', { assigned: 3, committed: 5, queued: 1, used: { [SCHOOL]: -2, [CAMPUS]: 2 } }),
    move('teach', { assigned: 7 }),
  ])
})

test('a decision after changes sees their counts, and how many places of a reservation are taken', () => {
  const reservation = (organizationId: OrganizationId, used: number) =>
    ({ ...place('learn'), organizationId, seats: 5, used }) as const
  const before = {
    pools: new Map([[LEARN, pool({ fence: 4, assigned: 2, committed: 6, queued: 1 })]]),
    reservations: new Map([[LEARN, [reservation(SCHOOL, 2), reservation(CAMPUS, 3)]]]),
  }
  const after = afterMoves(before, [
    move('learn', { assigned: 2, committed: 1, queued: -1, used: { [SCHOOL]: 2 } }),
    move('teach', { assigned: 1, committed: 1 }),
  ])
  expect(after).toEqual({
    pools: new Map([
      [LEARN, { fence: 4, assigned: 4, committed: 7, queued: 0, isManaged: true }],
      [TEACH, { fence: 0, assigned: 1, committed: 1, queued: 0, isManaged: true }],
    ]),
    reservations: new Map([[LEARN, [reservation(SCHOOL, 4), reservation(CAMPUS, 3)]]]),
  })
  expect(before.pools.get(LEARN)).toMatchObject({ assigned: 2 })
})

/** Places of a pool that are taken or kept, who waits, how many places there are, and who of them is served. */
test.each<[string, number, number, number, number]>([
  ['all, where there is room for all', 2, 3, 9, 3],
  ['as many as there is room for', 7, 3, 9, 2],
  ['nobody where it is full', 9, 3, 9, 0],
  ['nobody where it is more than full', 11, 3, 9, 0],
  ['nobody where nobody waits', 2, 0, 9, 0],
  ['all, where there is no limit', 1000, 3, UNLIMITED, 3],
])('of those who wait is served: %s', (_, committed, queued, limit, served) => {
  const seating = {
    pools: new Map([[LEARN, pool({ assigned: 1, committed, queued })]]),
    terms: new Map([[LEARN, { capacity: limit, limit, licenses: [] }]]),
  }
  const moves = servedMoves(seating, [place('learn'), place('learn'), place('teach')])
  const expected = move('learn', { assigned: served, committed: served, queued: -served })
  expect(moves).toEqual(served === 0 ? [] : [expected])
})
