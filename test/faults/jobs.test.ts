import { createServer } from 'node:http'
import { afterAll, expect, inject, test, vi } from 'vitest'
import { type JobName, jobs } from '../../functions/jobs.ts'
import { freePort, LOOPBACK } from '../../infra/local/port.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { HOUR, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { startApi } from '../support/api.ts'
import { setClock, stopClock } from '../support/clock.ts'
import { follower } from '../support/follow.ts'
import { keepTable } from '../support/kept-table.ts'
import { createWorld } from '../world/calls.ts'
import { faultyNetwork, waysToFail } from './network.ts'
import { prepare } from './prepare-jobs.ts'
import { changesOf, comparable, differences } from './sameness.ts'
import { newTally } from './tally.ts'

// Waits between tries are drawn by lot.
vi.spyOn(Math, 'random').mockReturnValue(0.5)
stopClock()
// It takes every mail.
const ses = createServer((request, response) => {
  request
    .resume()
    .on('end', () => response.setHeader('content-type', 'application/json').end('{"MessageId":"a-mail"}'))
})
const port = await freePort()
await new Promise<void>((listening) => ses.listen(port, LOOPBACK, listening))
vi.stubEnv('AWS_ENDPOINT_URL_SESV2', `http://${LOOPBACK}:${port}`)
const mail = { transport: 'ses', from: 'licensing@vendor.example', configurationSet: 'ours' } as const
const api = await startApi({ mail })
const world = await createWorld(api)
const follow = follower(api.table)
await follow(TenantId.parse(world.tenancy.known.tenantId))
const START = readClock()
const base = await keepTable(api.table)
const network = faultyNetwork()
const tally = newTally()
afterAll(async () => {
  tally.save(inject('faultTally'))
  network.close()
  base.close()
  vi.useRealTimers()
  await api.stop()
  ses.close()
})

const names = Object.keys(jobs).filter((name): name is JobName => name in jobs)

/** Enough for whatever failed to be tried again. */
const LATER = 3 * HOUR

test.each(names)('%s', async (job) => {
  const wrong: string[] = []
  await prepare[job]?.(world, follow)
  const table = await base.fork()
  const at = readClock()
  const text = comparable(table, 'whenever')
  const run = (fault?: Parameters<typeof network.during>[1]) =>
    network.during(
      () =>
        api.run(job, at, network.remaining).then(
          () => undefined,
          (error: unknown) => String(error),
        ),
      fault,
    )
  /** How it ends, once the job came again. */
  async function end(): Promise<string[]> {
    setClock(plusMilliseconds(at, LATER))
    await api.run(job)
    return changesOf(table, text)
  }
  async function again(): Promise<void> {
    await table.restore()
    setClock(at)
  }
  try {
    await run()
    await again()
    const { result, calls } = await run()
    if (result !== undefined) throw new Error(`fails undisturbed: ${result}`)
    const done = await end()
    tally.job(job)
    for (const fault of waysToFail(calls, true)) {
      await again()
      const command = calls[fault.at]?.command ?? ''
      const { result: failure, calls: made } = await run(fault)
      if (made.length <= fault.at) {
        tally.missed()
        continue
      }
      tally.fault(fault.way, command, failure === undefined ? 200 : 500)
      // What failed is delivered again.
      const { result: more } = failure === undefined ? { result: undefined } : await run()
      const name = `${fault.way} ${fault.at + 1} ${command}`
      if (more !== undefined) wrong.push(`${name}: delivered again it fails: ${more}`)
      const rest = differences(done, await end())
      if (rest.length > 0) wrong.push([`${name}: ends otherwise`, ...rest].join('\n      '))
    }
  } finally {
    await table.restore()
    table.close()
    await base.restore()
    setClock(START)
  }
  tally.wrong(wrong.length)
  expect(wrong).toEqual([])
})
