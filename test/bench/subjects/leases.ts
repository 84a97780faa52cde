import type { Bench } from '../support/bench.ts'
import type { Row, Section } from '../support/report.ts'
import { alternate, compareEffort } from '../support/rounds.ts'
import { checkOut, usualPair } from './lease-units.ts'

const ROUNDS = 9
const LOADS = [
  { clients: 1, pairs: 60 },
  { clients: 8, pairs: 160 },
  { clients: 64, pairs: 192 },
] as const
/** Leases that others hold meanwhile; the budget is in pairs per second, so its inverse in time. */
const HELD = [
  { held: 0, budget: { of: 'ratio', most: 1 / 2 } },
  { held: 20, budget: { of: 'ratio', most: 1 / 2 } },
  { held: 50, budget: { of: 'ratio', most: 1 / 1.5 } },
] as const
const WARM_UP = 600

/** Check-outs and check-ins on one pool, against the transaction of a counter and a lease row. */
export async function leases(bench: Bench): Promise<Section> {
  const [ours, floor, service] = await Promise.all([
    bench.start('leasePair'),
    bench.start('leaseTransaction'),
    bench.start('leases'),
  ])
  const usual = (pool: string) => usualPair(bench, pool)
  bench.progress('leases: warming up')
  await ours.run([checkOut(bench.sold.floating.roomy[0])], WARM_UP, 8)
  await floor.run([usual('warm')], WARM_UP, 8)

  const rows: Row[] = []
  for (const [index, { held, budget }] of HELD.entries()) {
    const key = bench.sold.floating.roomy[index]
    for (let count = 0; count < held; count += 1) await service.invoke(checkOut(key))
    for (const { clients, pairs } of held === 20 ? LOADS : LOADS.slice(1, 2)) {
      bench.progress(`leases: ${held} held, ${clients} at once`)
      const rounds = await alternate(
        ROUNDS,
        () => ours.run([checkOut(key)], pairs, clients),
        () => floor.run([usual(String(held))], pairs, clients),
      )
      const who = clients === 1 ? '1 client' : `${clients} clients`
      const { ours: wall, floor: usually, ratio } = compareEffort('wall', rounds)
      rows.push({
        name: `${held} held, ${who}: time per check-out and check-in`,
        unit: 'µs',
        ours: wall,
        floor: usually,
        ratio,
        budget,
      })
      rows.push({
        name: `${held} held, ${who}: pairs per second`,
        ours: Math.round(1e6 / wall),
        floor: Math.round(1e6 / usually),
      })
    }
  }
  await Promise.all([ours, floor, service].map((arm) => arm.stop()))
  return {
    title: 'floating licenses: check-out and check-in on one pool',
    floor: 'a bare handler with the usual design: transactions of a counter and a row for the lease',
    rows,
  }
}
