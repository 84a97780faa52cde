import { MOST_IN_ITEM } from '../../../shared/domain/pool-pages.ts'
import { epochSeconds, readClock } from '../../../shared/platform/time.ts'
import { changePool } from '../../../shared/store/change-pool.ts'
import { transact } from '../../../shared/store/transact.ts'
import type { Bench } from '../support/bench.ts'
import type { Section } from '../support/report.ts'
import { alternate, compareEffort } from '../support/rounds.ts'
import type { Floating } from '../support/sale.ts'
import { tableAt } from '../support/table.ts'
import { checkOut } from './lease-units.ts'

const ROUNDS = 9
const PAIRS = 100
const WARM_UP = 400
/** Of the vast pool that is filled; of the small one as large a part. */
const HELD = 5_000
/** AWS: an expression has at most 4 KB, and a transaction 100 items. */
const TOGETHER = 50

/** A claim in a pool of ten thousand over one in a pool of a hundred: both empty, and both half full. */
export async function poolSize(bench: Bench): Promise<Section> {
  const arm = await bench.start('leasePair')
  const { small, vast } = bench.sold.floating
  const run = (pool: Floating, calls = PAIRS) => arm.run([checkOut(pool.key)], calls, 8)
  bench.progress('pool size: warming up')
  await run(small, WARM_UP)
  await run(vast, WARM_UP)
  const ratio = () =>
    alternate(
      ROUNDS,
      () => run(vast),
      () => run(small),
    )
  bench.progress('pool size: empty pools')
  const empty = compareEffort('wall', await ratio())
  bench.progress('pool size: half full')
  await hold(bench, vast, HELD)
  await hold(bench, small, (HELD * small.capacity) / vast.capacity)
  const half = compareEffort('wall', await ratio())
  await arm.stop()
  const budget = { of: 'ratio', most: 1.2 } as const
  return {
    title: `floating licenses: a pool of ${vast.capacity.toLocaleString('en')}`,
    floor: `a pool of ${small.capacity}`,
    rows: [
      { name: 'none held: time per check-out and check-in', unit: 'µs', ...empty, budget },
      { name: 'half of it held: time per check-out and check-in', unit: 'µs', ...half, budget },
    ],
  }
}

/** Puts leases into the pool that others hold, as check-outs would. */
async function hold(bench: Bench, { pool }: Floating, count: number): Promise<void> {
  const table = tableAt(bench.dynamoDb, bench.table)
  const beat = epochSeconds(readClock())
  const lease = { kind: 'lease', units: 1, overdraft: false, until: beat + 7_200, beat, sharers: 0 } as const
  for (let first = 0; first < count; first += TOGETHER) {
    const refs = Array.from({ length: Math.min(TOGETHER, count - first) }, (_, index) => `h${first + index}`)
    const where = first < MOST_IN_ITEM ? {} : ({ paged: true } as const)
    const put = new Map(refs.map((ref) => [ref, { ...lease, generation: 1, ...where }]))
    const last = { op: 'out', ref: '', at: 0, by: 'tenant:app nobody', rq: 'bench' } as const
    const actions = changePool(pool, { put, seen: new Map(), remove: [] }, last)
    const labeled = Object.fromEntries(actions.map((action, index) => [`item ${index}`, action]))
    if (!(await transact(table, labeled)).ok) throw new Error('the pool could not be filled')
  }
  table.client.destroy()
}
