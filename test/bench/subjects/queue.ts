import * as z from 'zod'
import type { Arm } from '../support/arm.ts'
import type { Bench } from '../support/bench.ts'
import type { Section } from '../support/report.ts'
import { post } from '../support/requests.ts'
import { alternate, compare } from '../support/rounds.ts'

const ROUNDS = 15
const SHORT = 10
const LONG = 10_000

const Leased = z.object({ leaseId: z.string() })
const Ticketed = z.object({ ticketId: z.string() })

/** A place that is given back and goes to the head of the queue, with ten thousand waiting over one with ten. */
export async function queue(bench: Bench): Promise<Section> {
  const arm = await bench.start('leases')
  const [short, long] = bench.sold.floating.single
  const few = await waiting(bench, arm, short, SHORT)
  const many = await waiting(bench, arm, long, LONG)
  bench.progress('queue: warming up')
  for (let count = 0; count < 10; count += 1) {
    await few.grant()
    await many.grant()
  }
  bench.progress('queue: grants')
  const grants = compare(await alternate(ROUNDS, many.grant, few.grant))
  await arm.stop()
  return {
    title: `floating licenses: a place goes to the next in line, ${LONG.toLocaleString('en')} waiting`,
    floor: `the same with ${SHORT} waiting`,
    rows: [
      {
        name: 'check-in and claim by the next',
        unit: 'ms',
        ...grants,
        budget: { of: 'ratio', most: 1.2 },
      },
    ],
  }
}

/** A pool of one place that is held, and so many that wait for it while the measured ones come and go. */
async function waiting(bench: Bench, arm: Arm, license: string | undefined, length: number) {
  bench.progress(`queue: ${length.toLocaleString('en')} join`)
  const call = async (path: string, body: object) => (await arm.invoke(post(path, { license, body }))).body
  let holder = Leased.parse(await call('/v1/leases', {})).leaseId
  const measured = ROUNDS + 10
  const heads: string[] = []
  for (let count = 0; count < measured; count += 1)
    heads.push(Ticketed.parse(await call('/v1/tickets', {})).ticketId)
  await arm.run([post('/v1/tickets', { license, body: {} })], length, 8)
  return {
    /** Milliseconds of one grant. */
    async grant(): Promise<number> {
      const ticketId = heads.shift() ?? ''
      const given = await arm.invoke(post('/v1/leases/check-in', { license, body: { leaseId: holder } }))
      const claimed = await arm.invoke(post('/v1/tickets/claim', { license, body: { ticketId } }))
      holder = Leased.parse(claimed.body).leaseId
      return given.milliseconds + claimed.milliseconds
    },
  }
}
