import { contextSettings } from '../../../infra/contexts.ts'
import type { Bench } from '../support/bench.ts'
import type { Consumed } from '../support/meter.ts'
import { prices } from '../support/prices.ts'
import type { Row, Section } from '../support/report.ts'
import { fromMany } from '../support/requests.ts'
import { meterLeases } from './lease-units.ts'
import { meterValidation } from './validate-io.ts'

const { perMillion } = prices
const WARM_UP = 2000
const CALLS = 300

/** Dollars per million, from what is metered here and AWS's list prices. */
export async function cost(bench: Bench): Promise<Section> {
  bench.progress('cost')
  const { steady } = await meterValidation(bench)
  const milliseconds = await timeOfOne(bench)
  const { memoryMb } = contextSettings.validation
  // Lambda bills each call's time rounded up to whole milliseconds.
  const time = (billed: number) => (billed / 1000) * (memoryMb / 1024) * perMillion.lambdaGbSeconds
  const billed = Math.ceil(milliseconds)
  const parts = [
    { name: 'HTTP API, a request', ours: perMillion.httpApiRequests },
    { name: 'Lambda, a request', ours: perMillion.lambdaRequests },
    {
      name: `Lambda, ${billed} ms of ${memoryMb} MB (${milliseconds.toFixed(1)} ms measured)`,
      ours: time(billed),
    },
    { name: `DynamoDB, ${steady.readUnits} read units`, ours: steady.readUnits * perMillion.readUnits },
    { name: `DynamoDB, ${steady.writeUnits} write units`, ours: steady.writeUnits * perMillion.writeUnits },
    { name: `KMS, ${steady.kmsCalls} calls`, ours: steady.kmsCalls * perMillion.kmsEccSignatures },
  ]
  const total = parts.reduce((sum, { ours }) => sum + ours, 0)
  return {
    title: `cost of a million online validations, and of leases (list prices of ${prices.region} as of ${prices.asOf})`,
    rows: [
      ...parts.map((part) => ({ ...part, unit: '$' as const })),
      { name: 'together', ours: total, unit: '$', budget: { of: 'ours', most: 1.4 } },
      { name: 'each further millisecond that DynamoDB takes to answer', ours: time(1), unit: '$' },
      { name: 'together, if KMS signed each verdict', ours: total + perMillion.kmsEccSignatures, unit: '$' },
      await costOfLeases(bench, time(billed)),
    ],
  }
}

/** Milliseconds of a validation when nothing else is asked. */
async function timeOfOne(bench: Bench): Promise<number> {
  const events = fromMany('/v1/validate', { key: bench.sold.licenses[0]?.key })
  const arm = await bench.start('validation')
  await arm.run(events, WARM_UP, 8)
  const { wall } = await arm.run(events, CALLS, 1)
  await arm.stop()
  return wall / 1000
}

/** A check-out and a check-in, and the same in the usual design, which is not asked to look at a key. */
async function costOfLeases(bench: Bench, timeOfEach: number): Promise<Row> {
  const { empty, usual } = await meterLeases(bench)
  const requests = 2 * (perMillion.httpApiRequests + perMillion.lambdaRequests + timeOfEach)
  const priceOf = ({ readUnits, writeUnits }: Consumed) =>
    readUnits * perMillion.readUnits + writeUnits * perMillion.writeUnits
  const ours = requests + priceOf(empty.checkOut) + priceOf(empty.checkIn)
  const floor = requests + priceOf(usual)
  const name = 'a million check-outs and check-ins (floor: the usual design)'
  return { name, ours, floor, ratio: ours / floor, unit: '$', budget: { of: 'ratio', most: 0.55 } }
}
