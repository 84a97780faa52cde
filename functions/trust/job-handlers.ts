import { isRefusal, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers, Reply } from '../../shared/platform/http/contract.ts'
import { CorruptItemError, type Item } from '../../shared/store/codec.ts'
import { KIND, timerKey } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import { readItem } from '../../shared/store/read.ts'
import { readLastSuccesses } from '../../shared/store/run.ts'
import { endTimer, fileTimer, moveTimer, type Timer, timerEntity } from '../../shared/store/timer.ts'
import type { Table } from '../../shared/store/transact.ts'
import { jobHealth } from '../job-health.ts'
import { type Job, jobs } from '../jobs.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { TrustServices } from './handlers.ts'
import type { jobRoutes } from './job-routes.ts'

type SetAside = Reply<(typeof jobRoutes)['retrySetAside']>

const missing = refuse('NOT_FOUND', 'There is no such resource.')

export const jobHandlers: Handlers<typeof jobRoutes, TrustServices> = {
  async listJobs({ now }, { table }) {
    const health = new Map(jobHealth(await readLastSuccesses(table), now).map((one) => [one.job, one]))
    return {
      items: Object.entries<Job>(jobs).map(([job, { everyMinutes, purpose, errorImpact }]) => ({
        everyMinutes,
        purpose,
        errorImpact,
        ...(health.get(job) ?? { job, status: 'waiting' as const }),
      })),
    }
  },

  async listSetAside({ query }, { table, secrets }) {
    const range = { index: 'kind', pk: KIND.setAsideTimers, newestFirst: true } as const
    return readPage(table, secrets.cursorKey, range, query, async (items) => items.map(viewOf))
  },

  async retrySetAside(call, { table, commit }) {
    return untilFresh(async () => {
      const timer = await readSetAside(table, call.params.setAsideId)
      if (isRefusal(timer)) return timer
      const reply = viewOf(fileTimer(timer).item)
      return commit(call, {
        writes: { timer: moveTimer(timer, call.now, timer.place) },
        events: [{ type: 'job.retried', subject: subjectFor(timer), before: { failed: timer.failed } }],
        reply,
        refusals: { timer: outdated },
      })
    })
  },

  async discardSetAside(call, { table, commit }) {
    return untilFresh(async () => {
      const timer = await readSetAside(table, call.params.setAsideId)
      if (isRefusal(timer)) return timer
      return commit(call, {
        writes: { timer: endTimer(timer) },
        events: [
          {
            type: 'job.discarded',
            subject: subjectFor(timer),
            before: { failed: timer.failed },
            reason: call.body.reason,
          },
        ],
        reply: viewOf(fileTimer(timer).item),
        refusals: { timer: outdated },
      })
    })
  },
}

const subjectFor = ({ kind, subject }: Timer) => ({ type: 'timer', id: [kind, ...subject].join('#') })

async function readSetAside(table: Table, id: string) {
  const [kind, ...subject] = Buffer.from(id, 'base64url').toString().split('#')
  if (kind === undefined || kind === '' || subject.length === 0) return missing
  const item = await readItem(table, timerKey(kind, subject))
  if (item === undefined) return missing
  const timer = timerEntity.decode(item)
  return timer.failed?.isSetAside
    ? timer
    : refuse('NOT_SET_ASIDE', `It is due at ${timer.dueAt}, and will be tried then.`)
}

/** Also of a row that cannot be read: its key says whose it is. */
function viewOf(item: Item): SetAside {
  const [, kind = '', ...subject] = String(item['pk']).split('#')
  const id = Buffer.from([kind, ...subject].join('#')).toString('base64url')
  try {
    const { dueAt, failed } = timerEntity.decode(item)
    if (failed === undefined) return { id, kind, subject, dueAt }
    const { times, reason, at } = failed
    return { id, kind, subject, dueAt, failed: { times, reason, at } }
  } catch (error) {
    if (error instanceof CorruptItemError) return { id, kind, subject }
    throw error
  }
}
