import { expect, test } from 'vitest'
import { type JobName, jobs } from '../../functions/jobs.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { MINUTE, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { sequenceAll } from '../support/audit.ts'
import { setClock } from '../support/clock.ts'
import { failEachCallBehindStream } from './behind-stream.ts'
import { failEachCallOfWork } from './delivered-work.ts'
import { prepare } from './prepare-jobs.ts'
import { changesOf, comparable } from './sameness.ts'
import { startSetting } from './setting.ts'

const setting = await startSetting()
const { world, base, network, tally } = setting
const START = readClock()

const names = Object.keys(jobs).filter((name): name is JobName => name in jobs)

/** When it comes again, in minutes: what failed is tried later, and what follows from it later still. */
const AGAIN = [10, 180, 360]

/** Events get into their logs meanwhile; else there would be something wrong with these. */
async function sequence(): Promise<void> {
  for (const log of [TenantId.parse(world.tenancy.known.tenantId), undefined])
    await sequenceAll(world.api.table, log)
}

test.each(names)('%s', async (job) => {
  await prepare[job](setting)
  const table = await base.fork()
  const at = readClock()
  const text = comparable(table, 'whenever')
  const run = () =>
    world.api.run(job, at, network.remaining).then(
      () => undefined,
      (error: unknown) => String(error),
    )
  async function end(): Promise<string[]> {
    for (const minutes of AGAIN) {
      setClock(plusMilliseconds(at, minutes * MINUTE))
      await world.api.run(job)
      await sequence()
    }
    return changesOf(table, text)
  }
  async function back(): Promise<void> {
    await table.restore()
    setClock(at)
  }
  try {
    tally.job(job)
    const wrong = await failEachCallOfWork({ run, end, back }, network, tally)
    await back()
    await run()
    wrong.push(...(await failEachCallBehindStream(table, setting)))
    tally.wrong(wrong.length)
    expect(wrong).toEqual([])
  } finally {
    await table.restore()
    table.close()
    await base.restore()
    setClock(START)
  }
})
