import fc from 'fast-check'
import { test } from 'vitest'
import { MOST_IN_ITEM } from '../../../shared/domain/pool-pages.ts'
import { localTable } from '../../store/local-table.ts'
import { walks } from '../../support/walks.ts'
import {
  BORROW,
  beat,
  borrow,
  cancel,
  claim,
  cut,
  everyTicketEnds,
  giveBack,
  join,
  type Model,
  out,
  outs,
  pass,
  ping,
  type Real,
  reinstate,
  share,
  storm,
  suspend,
  topUp,
} from './model.ts'
import { aWorld } from './rig.ts'

const table = await localTable()

const RUNS = 8

const index = fc.nat(1000)
const commands = fc.commands(
  [
    fc.integer({ min: 1, max: 3 }).map((units) => out(units)),
    fc.integer({ min: 1, max: 3 }).map((units) => out(units)),
    fc.integer({ min: 1, max: 2 }).map((units) => out(units, 'art')),
    fc.integer({ min: 2, max: 8 }).map(outs),
    index.map(beat),
    index.map(beat),
    index.map((one) => giveBack(one)),
    index.map((one) => giveBack(one, one % 3 === 0)),
    fc.integer({ min: 1, max: 2 }).map(borrow),
    fc.constantFrom(1, 31, 120, 450, 599, 631).map(pass),
    fc.constant(join(1)),
    fc.integer({ min: 1, max: 3 }).map(join),
    index.map(ping),
    index.map(ping),
    index.map(cancel),
    index.map(claim),
    index.map(claim),
    fc.constant(suspend()),
    fc.constant(reinstate()),
    fc.constant(reinstate()),
    fc.integer({ min: 1, max: 3 }).map(topUp),
    fc.integer({ min: 0, max: 6 }).map(cut),
    fc.constant(storm()),
    fc.constantFrom(0, 0, 1, 3).map(share),
  ],
  { maxCommands: 120, size: 'max' },
)

/** `others`: leases that others hold all the time, for which the pool has room beside. */
async function holds(runs: number, others: fc.Arbitrary<number>): Promise<void> {
  let steps = 0
  const property = fc.asyncProperty(commands, others, async (all, filled) => {
    const world = await aWorld(table, { limits: { concurrent: 4 }, rules: { borrow: BORROW } })
    if (filled > 0) await world.issue({ limits: { concurrent: filled } })
    await world.fill(filled)
    const model: Model = {
      now: 0,
      suspended: false,
      capacity: 4,
      others: filled,
      leases: [],
      borrowed: new Map(),
      tickets: [],
      guaranteed: 0,
      shares: 0,
      made: 0,
      hadLeases: false,
      hadTickets: false,
    }
    const real: Real = { world, leases: new Map(), tickets: new Map() }
    await fc.asyncModelRun(() => ({ model, real }), all)
    await everyTicketEnds(real)
    steps += [...all].length
  })
  await fc.assert(property, walks(runs))
  console.log(`${steps} steps in ${runs} runs`)
}

test('whatever happens in whatever order: never above capacity, no place lost, counts equal rows', async () => {
  await holds(RUNS, fc.constant(0))
}, 300_000)

test('the same where leases lie on pages, or come to', async () => {
  await holds(RUNS / 2, fc.constantFrom(MOST_IN_ITEM - 2, MOST_IN_ITEM - 1, MOST_IN_ITEM))
}, 300_000)
