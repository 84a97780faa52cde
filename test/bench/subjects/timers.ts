import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb'
import type { JobRun } from '../../../functions/job.ts'
import { sweep } from '../../../functions/sweep.ts'
import { DAY, type Instant, MINUTE, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import type { Item } from '../../../shared/store/codec.ts'
import { endTimer, fileTimer } from '../../../shared/store/timer.ts'
import type { Table } from '../../../shared/store/transact.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { createTestTable } from '../../support/dynamodb.ts'
import type { Bench } from '../support/bench.ts'
import { type Consumed, startMeter } from '../support/meter.ts'
import type { Section } from '../support/report.ts'
import { alternate, compare } from '../support/rounds.ts'
import { tableAt } from '../support/table.ts'

const DUE = 1_000
const FEW = 10_000
const MANY = 1_000_000
const KIND = 'license-transition'
const ROUNDS = 9
/** AWS: at most 25 items in a batch. */
const BATCH = 25
/** Batches on their way at once. */
const TOGETHER = 12
/** Due at some time within so many days from now, those that are not due. */
const AHEAD = 365

type Swept = { readonly consumed: Consumed; readonly milliseconds: number }

/**
 * A sweep of what is due, among a hundred times as much that is not.
 *
 * @param most timers; a million take minutes to file
 */
export async function timers(bench: Bench, most: number = MANY): Promise<Section> {
  const few = await timersAmong(bench, FEW)
  const many = await timersAmong(bench, most)
  const none = await timersAmong(bench, 0)
  bench.progress('timers: sweeps')
  const sweeps = await alternate(ROUNDS, many.sweep, few.sweep)
  const nothing = await none.sweep()
  const part = (of: (one: Swept) => number) =>
    compare(sweeps.map(({ ours, floor }) => ({ ours: of(ours), floor: of(floor) })))
  const reads = part(({ consumed }) => consumed.readUnits)
  await Promise.all([few, many, none].map((one) => one.close()))
  return {
    title: `timers: a sweep of ${DUE.toLocaleString('en')} that are due, among ${most.toLocaleString('en')}`,
    floor: `among ${FEW.toLocaleString('en')}`,
    rows: [
      { name: 'read units', ...reads, budget: { of: 'ours', most: reads.floor + 1 } },
      {
        name: 'write units of a transition',
        ...part(({ consumed }) => consumed.writeUnits / DUE),
        budget: { of: 'ours', most: 2 },
      },
      {
        name: 'sweep',
        unit: 'ms',
        ...part(({ milliseconds }) => milliseconds),
        budget: { of: 'ratio', most: 1.15 },
      },
      { name: 'read units with nothing due', ours: nothing.consumed.readUnits },
    ],
  }
}

/** In a table of its own, so many timers of which a thousand are due, anew for each sweep. */
async function timersAmong(bench: Bench, count: number) {
  const now = readClock()
  const table = tableAt(bench.dynamoDb, await createTestTable(bench.dynamoDb))
  await fill(table, count, now, (filed) =>
    bench.progress(`timers: ${filed.toLocaleString('en')} of ${count.toLocaleString('en')} filed`),
  )
  const meter = await startMeter(bench.dynamoDb)
  const metered = tableAt(meter.endpoint, table.name)
  return {
    /** What a run of the job takes of DynamoDB. */
    async sweep(): Promise<Swept> {
      await fill(table, Math.min(DUE, count), now, () => undefined)
      let done = 0
      const began = performance.now()
      await sweep(KIND, aRun(now), { table: metered, log: () => undefined }, async (timer) => {
        if (await writeRow(metered, endTimer(timer))) done += 1
        return 1
      })
      const milliseconds = performance.now() - began
      if (done !== Math.min(DUE, count)) throw new Error(`${done} timers were done of ${DUE}`)
      return { consumed: meter.take(), milliseconds }
    },
    async close() {
      for (const { client } of [table, metered]) client.destroy()
      await meter.close()
    },
  }
}

/** A run that is not noted and has all the time there is: what is measured is the sweep. */
const aRun = (scheduledAt: Instant): JobRun => ({
  job: 'noteTransitions',
  scheduledAt,
  remaining: () => DAY,
  requestId: 'bench',
  begin: async () => undefined,
  count: () => undefined,
  measureLag: () => undefined,
  checkTime: async () => undefined,
  note: async () => undefined,
})

async function fill(table: Table, count: number, now: Instant, progress: (filed: number) => void) {
  let next = 0
  const worker = async () => {
    while (next < count) {
      const first = next
      next += BATCH
      const items = Array.from({ length: Math.min(BATCH, count - first) }, (_, index) =>
        timerItem(first + index, now),
      )
      await writeAll(table, items)
      if (first % 50_000 === 0) progress(first)
    }
  }
  await Promise.all(Array.from({ length: TOGETHER }, worker))
}

/** The first thousand are due, the others at any time of the year from tomorrow on: filing them takes its time. */
function timerItem(number: number, now: Instant): Item {
  const name = String(number).padStart(26, '0')
  const wait = number < DUE ? -MINUTE : DAY + (((number * 7_919) % MANY) / MANY) * AHEAD * DAY
  const dueAt = plusMilliseconds(now, Math.floor(wait))
  return fileTimer({ kind: KIND, subject: [`ten_${name}`, `prd_${name}`], dueAt }).item
}

async function writeAll({ client, name }: Table, items: readonly Item[]): Promise<void> {
  let requests = items.map((item) => ({ PutRequest: { Item: item } }))
  while (requests.length > 0) {
    const { UnprocessedItems } = await client.send(
      new BatchWriteCommand({ RequestItems: { [name]: requests } }),
    )
    const left = new Set(UnprocessedItems?.[name]?.map(({ PutRequest }) => PutRequest?.Item?.['pk']))
    requests = requests.filter(({ PutRequest }) => left.has(PutRequest.Item['pk']))
  }
}
