import * as z from 'zod'
import type { Arm } from '../support/arm.ts'
import type { Bench } from '../support/bench.ts'
import { startMeter } from '../support/meter.ts'
import type { Row, Section } from '../support/report.ts'
import { post } from '../support/requests.ts'
import { alternate, compareEffort } from '../support/rounds.ts'

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

const HOLDER = { userId: 'ada.lovelace@example.edu', machine: 'ws-0815.cs.example.edu' }
const checkOut = (license: string | undefined) => post('/v1/leases', { license, body: { holder: HOLDER } })
const Leased = z.object({ leaseId: z.string() })

/** Check-outs and check-ins on one pool, against the transaction of a counter and a lease row. */
export async function leases(bench: Bench): Promise<Section> {
  const [ours, floor, service] = await Promise.all([
    bench.start('leasePair'),
    bench.start('leaseTransaction'),
    bench.start('leases'),
  ])
  const usual = (pool: string) =>
    post('/', { body: { table: bench.table, pool: `BENCH#${pool}`, capacity: 1000 } })
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
    rows: [...rows, ...(await units(bench))],
  }
}

/** What each operation consumes, in the pool where fifty are held and in an empty one. */
async function units(bench: Bench): Promise<Row[]> {
  bench.progress('leases: units')
  const meter = await startMeter(bench.dynamoDb)
  const arm = await bench.start('leases', { dynamoDb: meter.endpoint })
  const floor = await bench.start('leaseTransaction', { dynamoDb: meter.endpoint })
  const [empty, , full] = bench.sold.floating.roomy
  const rows: Row[] = []
  for (const [name, license] of [
    ['none held', empty],
    ['50 held', full],
  ] as const) {
    await pair(arm, license)
    meter.take()
    const steps = await pair(arm, license, () => meter.take())
    for (const [step, { requests, writeUnits, readUnits }] of Object.entries(steps)) {
      rows.push({ name: `${name}, ${step}: write units`, ours: writeUnits, budget: { of: 'ours', most: 1 } })
      if (requests !== 1 || readUnits !== 0)
        rows.push({ name: `${name}, ${step}: requests`, ours: requests, budget: { of: 'ours', most: 1 } })
    }
  }
  const event = post('/', { body: { table: bench.table, pool: 'BENCH#units', capacity: 1000 } })
  await floor.invoke(event)
  meter.take()
  await floor.invoke(event)
  const usual = meter.take().writeUnits
  const ours = rows
    .filter(({ name }) => /^none held, check/.test(name))
    .reduce((sum, row) => sum + row.ours, 0)
  rows.push({
    name: 'check-out and check-in: write units',
    ours,
    floor: usual,
    ratio: ours / usual,
    budget: { of: 'ratio', most: 0.55 },
  })
  await Promise.all([arm.stop(), floor.stop()])
  await meter.close()
  return rows
}

/** One after the other; `take` reads what each consumed. */
async function pair<T>(arm: Arm, license: string | undefined, take?: () => T): Promise<Record<string, T>> {
  const steps: Record<string, T> = {}
  const step = async (name: string, event: string) => {
    const { body } = await arm.invoke(event)
    if (take) steps[name] = take()
    return body
  }
  const first = Leased.parse(await step('check-out', checkOut(license)))
  const renewed = Leased.parse(
    await step('heartbeat', post('/v1/leases/heartbeat', { license, body: first })),
  )
  await step('check-in', post('/v1/leases/check-in', { license, body: renewed }))
  return steps
}
