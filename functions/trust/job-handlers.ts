import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers, Reply } from '../../shared/platform/http/contract.ts'
import { type Item, readable } from '../../shared/store/codec.ts'
import { KIND, timerKey } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import { readItem } from '../../shared/store/read.ts'
import { readLastSuccesses } from '../../shared/store/run.ts'
import { discardTimer, retryTimer, type Timer, timerEntity } from '../../shared/store/timer.ts'
import type { Table } from '../../shared/store/transact.ts'
import { jobHealth } from '../job-health.ts'
import { type Job, jobs } from '../jobs.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { TrustServices } from './handlers.ts'
import type { jobRoutes } from './job-routes.ts'

type SetAside = Reply<(typeof jobRoutes)['retrySetAside']>

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

  retrySetAside: (call, { table, commit }) =>
    untilFresh(async () => {
      const found = await readSetAside(table, call.params.setAsideId)
      if (isRefusal(found)) return found
      const { kind, subject, timer } = found
      const anew: Timer = { kind, subject, dueAt: call.now, ...(timer?.place && { place: timer.place }) }
      return commit(call, {
        writes: { timer: retryTimer(anew) },
        events: [{ type: 'job.retried', subject: subjectFor(found), before: { failed: timer?.failed } }],
        reply: found.view,
        refusals: { timer: outdated },
      })
    }),

  discardSetAside: (call, { table, commit }) =>
    untilFresh(async () => {
      const found = await readSetAside(table, call.params.setAsideId)
      if (isRefusal(found)) return found
      return commit(call, {
        writes: { timer: discardTimer(found) },
        events: [
          {
            type: 'job.discarded',
            subject: subjectFor(found),
            before: { failed: found.timer?.failed },
            reason: call.body.reason,
          },
        ],
        reply: found.view,
        refusals: { timer: outdated },
      })
    }),
}

const subjectFor = ({ kind, subject }: Pick<Timer, 'kind' | 'subject'>) => ({
  type: 'timer',
  id: [kind, ...subject].join('#'),
})

type Found = {
  readonly kind: string
  readonly subject: string[]
  /** Absent: its row cannot be read. */
  readonly timer: Timer | undefined
  readonly view: SetAside
}

async function readSetAside(table: Table, id: string): Promise<Found | Refusal> {
  const [kind, ...subject] = Buffer.from(id, 'base64url').toString().split('#')
  if (kind === undefined || kind === '' || subject.length === 0) return notFound
  const item = await readItem(table, timerKey(kind, subject))
  if (item === undefined) return notFound
  if (item['kindPk'] !== KIND.setAsideTimers)
    return refuse('NOT_SET_ASIDE', 'It is due, and will be tried then.')
  return { kind, subject, timer: readableTimer(item), view: viewOf(item) }
}

const readableTimer = (item: Item) => readable(() => timerEntity.decode(item))

/** Also of a row that cannot be read: its key says whose it is. */
function viewOf(item: Item): SetAside {
  const [, kind = '', ...subject] = String(item['pk']).split('#')
  const id = Buffer.from([kind, ...subject].join('#')).toString('base64url')
  const timer = readableTimer(item)
  if (timer === undefined) return { id, kind, subject }
  const { dueAt, failed } = timer
  if (failed === undefined) return { id, kind, subject, dueAt }
  const { times, reason, at } = failed
  return { id, kind, subject, dueAt, failed: { times, reason, at } }
}
