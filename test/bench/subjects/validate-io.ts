import type { Bench } from '../support/bench.ts'
import { type Consumed, startMeter } from '../support/meter.ts'
import type { Section } from '../support/report.ts'
import { fromMany, post } from '../support/requests.ts'

const VALIDATE = '/v1/validate'

/** What validations cost, per call. */
type Io = Consumed & { readonly kmsCalls: number }

type ValidationIo = {
  /** The first request of a new function. */
  readonly firstOfFunction: Io
  /** The first request with a key in a function that knows others. */
  readonly firstOfKey: Io
  readonly steady: Io
  /** From one address, more a minute than a function grants without asking. */
  readonly crowded: Io
}

export async function meterValidation(bench: Bench): Promise<ValidationIo> {
  const meter = await startMeter(bench.dynamoDb)
  const arm = await bench.start('validation', { dynamoDb: meter.endpoint })
  const [first = '', second = ''] = bench.sold.licenses.map(({ key }) => key)

  async function per(calls: number, run: () => Promise<unknown>): Promise<Io> {
    meter.take()
    const before = bench.kmsCalls()
    await run()
    const { requests, readUnits, writeUnits } = meter.take()
    return {
      requests: requests / calls,
      readUnits: readUnits / calls,
      writeUnits: writeUnits / calls,
      kmsCalls: (bench.kmsCalls() - before) / calls,
    }
  }

  const io = {
    firstOfFunction: await per(1, () => arm.invoke(post(VALIDATE, { body: { key: first } }))),
    firstOfKey: await per(1, () => arm.invoke(post(VALIDATE, { body: { key: second } }))),
    steady: await per(500, () => arm.run(fromMany(VALIDATE, { key: first }), 500, 8)),
    // One by one, as a function on Lambda gets them.
    crowded: await per(1000, () => arm.run([post(VALIDATE, { body: { key: first }, host: 7 })], 1000, 1)),
  }
  await arm.stop()
  await meter.close()
  return io
}

export async function validateIo(bench: Bench): Promise<Section> {
  bench.progress('validate, I/O')
  const { firstOfFunction, firstOfKey, steady, crowded } = await meterValidation(bench)
  const most = (most: number) => ({ of: 'ours', most }) as const
  return {
    title: 'validate, I/O: metered per call, between the function and DynamoDB, KMS',
    rows: [
      { name: 'steady state: requests', ours: steady.requests, budget: most(1) },
      { name: 'steady state: read units', ours: steady.readUnits, budget: most(1) },
      { name: 'steady state: write units', ours: steady.writeUnits, budget: most(0) },
      { name: 'steady state: KMS calls', ours: steady.kmsCalls, budget: most(0) },
      { name: '1,000 a minute from one address: write units', ours: crowded.writeUnits, budget: most(0.02) },
      { name: 'first with this key here: requests', ours: firstOfKey.requests, budget: most(2) },
      { name: 'first with this key here: read units', ours: firstOfKey.readUnits },
      { name: 'first with this key here: write units', ours: firstOfKey.writeUnits },
      { name: 'first with this key here: KMS calls', ours: firstOfKey.kmsCalls, budget: most(0) },
      { name: 'first of a new function: requests', ours: firstOfFunction.requests, budget: most(2) },
      { name: 'first of a new function: read units', ours: firstOfFunction.readUnits },
      { name: 'first of a new function: write units', ours: firstOfFunction.writeUnits },
      { name: 'first of a new function: KMS calls', ours: firstOfFunction.kmsCalls },
    ],
  }
}
