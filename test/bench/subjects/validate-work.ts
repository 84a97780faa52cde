import type { Bench } from '../support/bench.ts'
import type { Row, Section } from '../support/report.ts'
import { fromMany } from '../support/requests.ts'
import { alternate, compareEffort } from '../support/rounds.ts'

const ROUNDS = 11
const BUDGET = { of: 'ratio', most: 1.1 } as const
/** Calls of a round, by clients at once: about a third of a second. */
const LOADS = [
  { clients: 1, calls: 200 },
  { clients: 8, calls: 500 },
] as const
/** Until V8 has compiled what is hot. */
const WARM_UP = 3000

/**
 * The handler as deployed against one that reads the same row and returns it. Each is in a process of its own, so that
 * neither pays for the other's garbage or types, and they are measured in turn, so that the machine is the same for both.
 */
export async function validateWork(bench: Bench): Promise<Section> {
  const [license] = bench.sold.licenses
  const [ours, floor] = await Promise.all([bench.start('validation'), bench.start('getItem')])
  const validations = fromMany('/v1/validate', { key: license?.key })
  const reads = fromMany('/v1/validate', { table: bench.table, key: license?.row })
  bench.progress('validate, work: warming up')
  await ours.run(validations, WARM_UP, 8)
  await floor.run(reads, WARM_UP, 8)
  const rows: Row[] = []
  for (const { clients, calls } of LOADS) {
    bench.progress(`validate, work: ${clients} at once`)
    const pairs = await alternate(
      ROUNDS,
      () => ours.run(validations, calls, clients),
      () => floor.run(reads, calls, clients),
    )
    const who = clients === 1 ? '1 client' : `${clients} clients`
    rows.push(
      { name: `${who}: time per call`, unit: 'µs', ...compareEffort('wall', pairs), budget: BUDGET },
      { name: `${who}: CPU per call`, unit: 'µs', ...compareEffort('cpu', pairs), budget: BUDGET },
    )
  }
  await Promise.all([ours.stop(), floor.stop()])
  return {
    title: 'validate, work',
    floor: 'a bare handler, bundled alike: one strongly consistent GetItem of the same row, returned as JSON',
    rows,
  }
}
