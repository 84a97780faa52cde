import type { Operation } from '../../functions/routes.ts'
import { isMutation } from '../../shared/platform/http/parse.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { once } from '../../shared/platform/remembered.ts'
import { plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { type Answer, outcome } from '../support/api.ts'
import { disagreements, seatRows } from '../support/seat-rows.ts'
import { callFor } from '../world/calls.ts'
import { send } from '../world/requests.ts'
import { failEachCallBehindStream } from './behind-stream.ts'
import { waysToFail } from './network.ts'
import { changesOf, comparable, differences } from './sameness.ts'
import type { Setting } from './setting.ts'

/**
 * Operations of several steps whose answer, and event, tell what this request did, and what it could not look at: repeated
 * after a fault they do the rest and tell of that.
 */
const TELLS_OF_THE_REST: ReadonlySet<string> = new Set([
  'orderBulk',
  'importUsers',
  'importLicenses',
  'resetActivations',
  'replaceScimGroup',
  'runValidation',
  'runIntegrityScan',
  'refreshInstalls',
  'sequenceAuditEvents',
  'sequenceVendorAuditEvents',
])
/** What went on after the answer was kept is over when that is told again. */
const PROGRESS = /,"spreading":true/g
/** The service failed, or says that there is more to do. */
const MAY_BE_REPEATED: ReadonlySet<string> = new Set(['500 FAULT', '503 UNFINISHED'])

/** Jobs that go on with what a request left. */
const GO_ON = ['serveSeatQueues', 'runBulkChanges', 'spreadGroups'] as const

/**
 * Fails each call to AWS of an operation in turn. Afterwards the table is as before or as after an undisturbed request;
 * where a part was done, counts equal rows. Repeated, it succeeds, and the table is as after an undisturbed request, at the
 * latest once the jobs ran that go on with what is left. Replayed, it answers the same and changes nothing.
 *
 * @returns what is not so
 */
export async function failEachCallOf(operation: Operation, setting: Setting): Promise<string[]> {
  const { world, base, network, tally } = setting
  const { api, tenancy } = world
  const tellsOfTheRest = TELLS_OF_THE_REST.has(operation.operationId)
  const wrong: string[] = []
  const sent = await callFor(world, operation)
  const table = await base.fork()
  const text = comparable(table)
  const headers = { ...sent.headers, ...(isMutation(operation) && { 'idempotency-key': 'the-same' }) }
  const ask = () => send(api, operation, { ...sent, headers, remaining: network.remaining })
  const shown = ({ body, status }: Answer) => `${status} ${text(body).replaceAll(PROGRESS, '')}`
  const changes = () => changesOf(table, text)
  const settled = async () => {
    // A pool for which nobody waits any more leaves the list of those to look at when it is looked at next.
    for (const run of [1, 2]) for (const job of GO_ON) await api.run(job, plusMilliseconds(readClock(), run))
    return changes()
  }
  try {
    // The first time warms what functions remember.
    await network.during(ask)
    await table.restore()
    const { result: first, calls } = await network.during(ask)
    const looksAtTime = network.asked() > 1
    if (first.status >= 300) return [`is answered ${outcome(first)}: ${text(first.body)}`]
    const done = await changes()
    // Without a key it may say that there was nothing left to do.
    const isAnsweredAlike = (isMutation(operation) || done.length === 0) && !tellsOfTheRest
    await expectReplay('undisturbed', first)
    const inTheEnd = once(async () => {
      await table.restore()
      await network.during(ask)
      return settled()
    })
    tally.operation(operation.operationId)
    for (const fault of waysToFail(calls, looksAtTime)) {
      await table.restore()
      const command = calls[fault.at]?.command ?? ''
      const name = `${fault.way} ${fault.at + 1} ${command}`
      const { result: answer, calls: made } = await network.during(ask, fault)
      if (made.length <= fault.at) {
        tally.missed()
        continue
      }
      tally.fault(fault.way, command, answer.status)
      if (answer.status >= 300 && !MAY_BE_REPEATED.has(outcome(answer)))
        note(name, `is answered ${outcome(answer)}`)
      const left = await changes()
      if (left.length > 0 && differences(done, left).length > 0) {
        tally.part(operation.operationId)
        const rows = await seatRows(api.table, TenantId.parse(tenancy.known.tenantId))
        for (const one of disagreements(rows)) note(name, `leaves ${one}`)
      }
      const { result: again } = await network.during(ask)
      if (again.status !== first.status)
        note(name, `repeated is answered ${outcome(again)}: ${text(again.body)}`)
      else if (isAnsweredAlike && shown(again) !== shown(first))
        note(name, `repeated is answered otherwise:\n      ${shown(first)}\n      ${shown(again)}`)
      await expectReplay(name, again)
      if (differences(done, await changes()).length === 0 || tellsOfTheRest) continue
      const own = await settled()
      const rest = differences(await inTheEnd(), own)
      if (rest.length > 0) note(name, ['leaves another state in the end', ...rest].join('\n      '))
    }
    await table.restore()
    await network.during(ask)
    wrong.push(...(await failEachCallBehindStream(table, setting)))
  } finally {
    await table.restore()
    table.close()
    await base.restore()
  }
  return wrong

  function note(name: string, what: string): void {
    wrong.push(`${name}: ${what}`)
  }

  /** Asked again, it is answered as before, and nothing more is changed. */
  async function expectReplay(name: string, before: Answer): Promise<void> {
    if (!isMutation(operation) || before.status >= 300) return
    const state = (await changesOf(table, JSON.stringify)).join()
    const { result: replayed } = await network.during(ask)
    const [own, first] = [replayed, before].map(({ status, body }) =>
      `${status} ${JSON.stringify(body)}`.replaceAll(PROGRESS, ''),
    )
    if (own !== first)
      note(name, `replayed is answered otherwise: ${outcome(replayed)}:\n      ${first}\n      ${own}`)
    if ((await changesOf(table, JSON.stringify)).join() !== state) note(name, 'replayed changes more')
  }
}
