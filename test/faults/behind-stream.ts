import { marshall } from '@aws-sdk/util-dynamodb'
import * as z from 'zod'
import { RECORDS_FILTERS } from '../../functions/records/filter.ts'
import { DELIVERIES_FILTER } from '../../functions/webhooks/filter.ts'
import { isWanted } from '../../infra/local/streams/filter.ts'
import { epochMilliseconds, HOUR, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { setClock } from '../support/clock.ts'
import type { Change, KeptTable } from '../support/kept-table.ts'
import type { Row } from '../support/rows.ts'
import { failEachCallOfWork } from './delivered-work.ts'
import { changesOf, comparable } from './sameness.ts'
import type { Setting } from './setting.ts'

/** The functions behind the stream of the table: what comes to them, and the job that does what they did not. */
const CONSUMERS = [
  { context: 'records', filters: RECORDS_FILTERS },
  { context: 'webhooks', filters: [DELIVERIES_FILTER], job: 'deliverWebhooks' },
] as const

/** Kinds of records whose turn it was in this process: what follows from one follows from all of its kind. */
const had = new Set<string>()

/** Records of which each says something else: a type of event, an operation on a pool, a delivery. */
const OfPool = z.object({ last: z.object({ op: z.string() }) })
function kindOf(row: Row): string {
  const pool = OfPool.safeParse(row)
  if (pool.success) return `pool ${pool.data.last.op}`
  return row['entity'] === 'event' ? `event ${row['type']}` : String(row['entity'])
}

const Result = z.object({ batchItemFailures: z.array(z.unknown()) })

/**
 * Has the functions behind the stream get what was changed in the table, and fails each of their calls to AWS in turn:
 * they are left as they are undisturbed, once the records came again.
 *
 * @param table as it was kept before the changes
 * @returns what is not so
 */
export async function failEachCallBehindStream(table: KeptTable, setting: Setting): Promise<string[]> {
  const { world, network, tally } = setting
  const wrong: string[] = []
  const at = readClock()
  for (const consumer of CONSUMERS) {
    const wanted = [...(await table.changes())].flatMap((change) => {
      const record = recordOf(change)
      const [, { before, after }] = change
      if (record === undefined || after === undefined || !isWanted(consumer.filters, record)) return []
      const isNews = JSON.stringify(before?.['last'] ?? null) !== JSON.stringify(after['last'])
      return isNews && !had.has(kindOf(after)) ? [[kindOf(after), record] as const] : []
    })
    const Records = [...new Map(wanted).values()]
    if (Records.length === 0) continue
    for (const [kind] of wanted) had.add(kind)
    const run = () =>
      world.api.invoke(consumer.context, { Records }).then(
        (result) => {
          const { batchItemFailures } = Result.parse(result)
          return batchItemFailures.length === 0 ? undefined : `${batchItemFailures.length} records fail`
        },
        (error: unknown) => String(error),
      )
    const before = await table.fork()
    const text = comparable(before, 'whenever')
    async function end(): Promise<string[]> {
      if ('job' in consumer)
        for (const hours of [1, 2]) {
          setClock(plusMilliseconds(at, hours * HOUR))
          await world.api.run(consumer.job)
        }
      return changesOf(before, text)
    }
    async function back(): Promise<void> {
      await before.restore()
      setClock(at)
    }
    try {
      const found = await failEachCallOfWork({ run, end, back }, network, tally)
      wrong.push(...found.map((one) => `behind the stream, ${consumer.context}: ${one}`))
      tally.records(wanted.map(([kind]) => kind))
      await back()
      await run()
    } finally {
      before.close()
    }
  }
  return wrong
}

/** As the stream tells a change. */
function recordOf([place, { before, after }]: readonly [string, Change]) {
  if (after === undefined) return undefined
  const record = {
    eventID: place,
    eventName: before === undefined ? 'INSERT' : 'MODIFY',
    dynamodb: {
      ApproximateCreationDateTime: epochMilliseconds(readClock()) / 1000,
      SequenceNumber: place,
      Keys: marshall({ pk: after['pk'], sk: after['sk'] }),
      NewImage: marshall(after),
      ...(before && { OldImage: marshall(before) }),
    },
  }
  // Bytes travel as base64.
  const asSent = (_: string, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
  return z.looseObject({}).parse(JSON.parse(JSON.stringify(record, asSent)))
}
