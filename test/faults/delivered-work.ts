import { type Network, waysToFail } from './network.ts'
import { differences } from './sameness.ts'
import type { Tally } from './tally.ts'

/** What comes again when it failed: a run of a job, or records of the stream. */
type DeliveredWork = {
  /** Does it, and tells why it has to come again, if so. */
  readonly run: () => Promise<string | undefined>
  /** What it changed, once whatever has to be tried again was. */
  readonly end: () => Promise<string[]>
  /** Puts everything back to before. */
  readonly back: () => Promise<void>
}

/**
 * Fails each call to AWS of such work in turn. Delivered again, it ends as it does undisturbed.
 *
 * @returns what is not so
 */
export async function failEachCallOfWork(
  { run, end, back }: DeliveredWork,
  network: Network,
  tally: Tally,
): Promise<string[]> {
  // The first time warms what functions remember.
  await network.during(run)
  await back()
  const { result, calls } = await network.during(run)
  const looksAtTime = network.asked() > 0
  if (result !== undefined) return [`fails undisturbed: ${result}`]
  const done = await end()
  if (done.length === 0) return ['has nothing to do']
  const wrong: string[] = []
  for (const fault of waysToFail(calls, looksAtTime)) {
    await back()
    const command = calls[fault.at]?.command ?? ''
    const name = `${fault.way} ${fault.at + 1} ${command}`
    const { result: failure, calls: made } = await network.during(run, fault)
    if (made.length <= fault.at) {
      tally.missed()
      continue
    }
    tally.fault(fault.way, command, failure === undefined ? 200 : 500)
    const { result: more } = failure === undefined ? { result: undefined } : await network.during(run)
    if (more !== undefined) wrong.push(`${name}: delivered again it fails: ${more}`)
    const rest = differences(done, await end())
    if (rest.length > 0) wrong.push([`${name}: ends otherwise`, ...rest].join('\n      '))
  }
  return wrong
}
