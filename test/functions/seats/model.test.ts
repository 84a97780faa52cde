import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { poolName } from '../../../shared/domain/seat.ts'
import { Instant, plusMilliseconds } from '../../../shared/platform/time.ts'
import { startApi } from '../../support/api.ts'
import { createPeople } from '../../support/people.ts'
import { wrongFigures } from '../../support/seat-figures.ts'
import { disagreements, type SeatRows, seatRows } from '../../support/seat-rows.ts'
import { walks } from '../../support/walks.ts'

const api = await startApi()
afterAll(api.stop)
let runs = 0
/** The job that serves those who wait, as the scheduler calls it. */
const serveQueues = () => {
  runs += 1
  const scheduledAt = plusMilliseconds(Instant.parse('2030-01-01T00:00:00Z'), runs * 1_000)
  return api.run('serveSeatQueues', scheduledAt)
}

const LIMITS = { learners: 3, observers: 2, both: 1, exams: 1, users: 2 }
/** What the application says of users; it counts until seats of them are managed here. */
const REPORTED = { users: 2 }
const PEOPLE = 8

const who = fc.nat(PEOPLE - 1)
const module = fc.constantFrom('learn', 'observe', 'exam', 'guest', 'campus')
const command = fc.oneof(
  fc.record({
    do: fc.constant('roles' as const),
    who,
    roles: fc.subarray(['author', 'observer', 'examiner', 'guest', 'student']),
  }),
  fc.record({ do: fc.constantFrom('archive' as const, 'restore' as const, 'suspend' as const), who }),
  fc.record({ do: fc.constant('move' as const), who, to: fc.nat(2) }),
  fc.record({ do: fc.constantFrom('assign' as const, 'revoke' as const, 'pin' as const), who, module }),
  fc.record({ do: fc.constant('seen' as const), who }),
  fc.record({ do: fc.constant('reserve' as const), organization: fc.nat(1), seats: fc.nat(2) }),
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never
/** What happens at once, and whether the capacity grows or falls meanwhile. */
const round = fc.record({
  commands: fc.array(command, { minLength: 2, maxLength: 6 }),
  license: fc.constantFrom('none', 'none', 'topup', 'suspend', 'reinstate'),
})

const queueOf = ({ queues }: SeatRows, name: string) =>
  queues
    .filter(({ pk, sk }) => pk.endsWith(`#PENDING#${name}`) && sk.startsWith('QUEUE#'))
    .toSorted((a, b) => (a.sk < b.sk ? -1 : 1))

test('whatever happens at once: no seat too many, counts equal rows, nobody overtaken, nobody forgotten', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 2, maxLength: 4 }), async (rounds) => {
      const people = await createPeople(api, LIMITS)
      const usage = await api.call('POST', '/v1/usage', {
        headers: { authorization: `License ${await people.keyOf(people.license.id)}` },
        body: { records: [{ metric: 'users', value: REPORTED.users }] },
      })
      expect(usage.status).toBe(200)
      const upper = await people.organize('Upper')
      const organizations = [upper, await people.organize('Lower', upper.id)]
      const all = await Promise.all(
        Array.from({ length: PEOPLE }, (_, index) =>
          people.hire(...(index % 2 ? ['author'] : ['author', 'observer'])),
        ),
      )
      const idOf = (index: number) => all[index]?.id ?? ''
      let [factor, before] = [1, await seatRows(api.table, people.tenantId)]
      expect(disagreements(before)).toEqual([])
      expect(await wrongFigures(people, before, REPORTED)).toEqual([])
      for (const { commands, license } of rounds) {
        const answers = await Promise.all([
          ...commands.map((one) => run(one)),
          ...(license === 'suspend' || license === 'reinstate'
            ? [people.act(people.license.id, license)]
            : []),
          ...(license === 'topup' ? [people.issue({ type: 'TOPUP', extends: people.license.id })] : []),
        ])
        expect(
          answers.filter((one) => one !== undefined && 'status' in one && Number(one.status) >= 500),
        ).toEqual([])
        if (license === 'topup') factor += 1
        await serveQueues()
        const after = await seatRows(api.table, people.tenantId)
        expect(disagreements(after)).toEqual([])
        expect(await wrongFigures(people, after, REPORTED)).toEqual([])
        const board = await people.board()
        for (const [metric, units] of Object.entries(LIMITS)) {
          const name = poolName({ productId: people.product.id, metric })
          const [old, pool] = [before.pools.get(name), after.pools.get(name)]
          const most = Math.max(units * factor, old?.committed ?? 0)
          expect(pool?.committed ?? 0).toBeLessThanOrEqual(most)
          const licensed = board.find((module) => module.metric === metric)?.licensed ?? 0
          // Of those who waited before, nobody who waits still was overtaken by one who waited less long.
          const waited = queueOf(before, name)
          const still = queueOf(after, name).map(({ sk }) => sk)
          const served = waited.filter(({ userId }) =>
            after.seats.some((seat) => seat.userId === userId && poolName(seat) === name && !seat.reservedBy),
          )
          const firstStill = waited.find(({ sk }) => still.includes(sk))
          for (const { sk } of served)
            expect(sk <= (firstStill?.sk ?? '~'), `${sk} before ${firstStill?.sk}`).toBe(true)
          const limit = licensed === 'unlimited' ? Infinity : licensed
          if (still.length > 0) expect(pool?.committed ?? 0).toBeGreaterThanOrEqual(limit)
        }
        before = after
      }

      function run(one: Command) {
        switch (one.do) {
          case 'roles':
            return people.edit(idOf(one.who), { roles: one.roles })
          case 'suspend':
            return people.edit(idOf(one.who), { status: 'suspended' })
          case 'archive':
            return people.archive(idOf(one.who))
          case 'restore':
            return people.call('POST', `/users/${idOf(one.who)}/restore`, { body: {} })
          case 'move':
            return people.edit(idOf(one.who), { organizationId: organizations[one.to]?.id ?? null })
          case 'assign':
            return people.seat(idOf(one.who), '', one.module, { wait: true })
          case 'revoke':
            return people.seat(idOf(one.who), '/revoke', one.module)
          case 'pin':
            return people.seat(idOf(one.who), '/pin', one.module)
          case 'seen':
            return people.call('POST', '/activity', { body: { records: [{ userId: idOf(one.who) }] } })
          case 'reserve':
            return people.call('PUT', '/seats/reservations', {
              body: {
                product: people.product.code,
                module: 'learn',
                organizationId: organizations[one.organization]?.id,
                seats: one.seats,
              },
            })
        }
      }
    }),
    walks(1),
  )
})
