import * as z from 'zod'
import type { Arm } from '../support/arm.ts'
import type { Bench } from '../support/bench.ts'
import { type Consumed, startMeter } from '../support/meter.ts'
import type { Row, Section } from '../support/report.ts'
import { post } from '../support/requests.ts'

const HOLDER = { userId: 'ada.lovelace@example.edu', machine: 'ws-0815.cs.example.edu' }
/** In a pool, so many of these are held that one more still fits into a write unit. */
const HELD = 50

const Leased = z.object({ leaseId: z.string() })

export const checkOut = (license: string | undefined) =>
  post('/v1/leases', { license, body: { holder: HOLDER } })

/** The event of the usual design: a check-out and a check-in. */
export const usualPair = ({ table }: Bench, pool: string) =>
  post('/', { body: { table, pool: `BENCH#${pool}`, capacity: 1000 } })

type Steps = Readonly<Record<'checkOut' | 'heartbeat' | 'checkIn', Consumed>>

type LeaseUnits = {
  readonly empty: Steps
  readonly crowded: Steps
  /** A check-out and a check-in in the usual design. */
  readonly usual: Consumed
  /** Of a check-out, heartbeat and check-in. */
  readonly kmsCalls: number
}

/** What each operation consumes, in an empty pool and in one where fifty are held. */
export async function meterLeases(bench: Bench): Promise<LeaseUnits> {
  const meter = await startMeter(bench.dynamoDb)
  const arm = await bench.start('leases', { dynamoDb: meter.endpoint })
  const floor = await bench.start('leaseTransaction', { dynamoDb: meter.endpoint })
  const [emptyPool, crowdedPool] = bench.sold.floating.metered

  async function steps(license: string | undefined): Promise<Steps> {
    // The function has seen the key and the licenses before.
    await pair(arm, license, () => undefined)
    meter.take()
    return pair(arm, license, () => meter.take())
  }

  const before = bench.kmsCalls()
  const empty = await steps(emptyPool)
  // The first of a function asks KMS for its keys.
  const warm = bench.kmsCalls()
  for (let held = 0; held < HELD; held += 1) await arm.invoke(checkOut(crowdedPool))
  const crowded = await steps(crowdedPool)
  const kmsCalls = bench.kmsCalls() - warm
  if (warm === before) throw new Error('a function starts without KMS, so its calls are not seen')
  await floor.invoke(usualPair(bench, 'units'))
  meter.take()
  await floor.invoke(usualPair(bench, 'units'))
  const usual = meter.take()
  await Promise.all([arm.stop(), floor.stop()])
  await meter.close()
  return { empty, crowded, usual, kmsCalls }
}

/** One after the other; `take` is asked after each. */
async function pair<T>(arm: Arm, license: string | undefined, take: () => T) {
  const checkedOut = Leased.parse((await arm.invoke(checkOut(license))).body)
  const afterCheckOut = take()
  const renewed = Leased.parse(
    (await arm.invoke(post('/v1/leases/heartbeat', { license, body: checkedOut }))).body,
  )
  const afterHeartbeat = take()
  await arm.invoke(post('/v1/leases/check-in', { license, body: renewed }))
  return { checkOut: afterCheckOut, heartbeat: afterHeartbeat, checkIn: take() }
}

export async function leaseUnits(bench: Bench): Promise<Section> {
  bench.progress('leases: units')
  const { empty, crowded, usual, kmsCalls } = await meterLeases(bench)
  const writes = (held: string, { checkOut, heartbeat, checkIn }: Steps): Row[] =>
    Object.entries({ 'check-out': checkOut, heartbeat, 'check-in': checkIn }).map(
      ([step, { writeUnits }]) => ({
        name: `${held}, ${step}: write units`,
        ours: writeUnits,
        budget: { of: 'ours', most: 1 },
      }),
    )
  const ours = empty.checkOut.writeUnits + empty.checkIn.writeUnits
  return {
    title: 'floating licenses: metered between the function and DynamoDB, KMS',
    floor: 'the usual design: transactions of a counter and a row for the lease',
    rows: [
      ...writes('none held', empty),
      ...writes(`${HELD} held`, crowded),
      { name: 'check-out: read units, to see that the key is still the one', ours: empty.checkOut.readUnits },
      {
        name: 'check-outs, heartbeats, check-ins: KMS calls',
        ours: kmsCalls,
        budget: { of: 'ours', most: 0 },
      },
      {
        name: 'check-out and check-in: write units',
        ours,
        floor: usual.writeUnits,
        ratio: ours / usual.writeUnits,
        budget: { of: 'ratio', most: 0.55 },
      },
    ],
  }
}
