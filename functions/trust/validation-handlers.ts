import { notFound, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { type Instant, MINUTE, plusMilliseconds } from '../../shared/platform/time.ts'
import { VALIDATION_TIMER } from '../../shared/store/license-timers.ts'
import { moveTimer, readTimer, type Timer } from '../../shared/store/timer.ts'
import type { Table } from '../../shared/store/transact.ts'
import {
  noteRun,
  readValidation,
  setValidationInterval,
  type ValidationSchedule,
} from '../../shared/store/validation.ts'
import { writeRow } from '../../shared/store/write.ts'
import { RESERVE } from '../job.ts'
import { isKnownTenant } from '../known-tenant.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { TrustServices } from './handlers.ts'
import { validateTenant } from './validate-tenant.ts'
import type { validationRoutes } from './validation-routes.ts'

export const validationHandlers: Handlers<typeof validationRoutes, TrustServices> = {
  async getValidation({ params: { tenantId }, caller }, { table }) {
    if (!(await isKnownTenant(table, caller, tenantId))) return notFound
    const [schedule, timer] = await Promise.all([readValidation(table, tenantId), timerOf(table, tenantId)])
    return viewOf(schedule, timer?.dueAt)
  },

  async setValidation(call, { table, commit }) {
    const { params, body, caller, now } = call
    const { tenantId } = params
    if (!(await isKnownTenant(table, caller, tenantId))) return notFound
    return untilFresh(async () => {
      const [before, timer] = await Promise.all([readValidation(table, tenantId), timerOf(table, tenantId)])
      const { intervalMinutes } = body
      if (intervalMinutes === before.intervalMinutes)
        return commit(call, { writes: {}, events: [], reply: viewOf(before, timer?.dueAt), refusals: {} })
      const due = plusMilliseconds(before.lastRun?.at ?? now, intervalMinutes * MINUTE)
      const [, next = now] = [due, now].toSorted()
      return commit(call, {
        writes: {
          schedule: setValidationInterval(tenantId, intervalMinutes),
          ...(timer && { timer: moveTimer(timer, next) }),
        },
        events: [
          {
            type: 'validation.interval-changed',
            tenantId,
            subject: { type: 'tenant', id: tenantId },
            before: { intervalMinutes: before.intervalMinutes },
            after: { intervalMinutes },
          },
        ],
        reply: viewOf({ ...before, intervalMinutes }, timer && next),
        refusals: { timer: outdated },
      })
    })
  },

  async runValidation(call, services) {
    const { table, commit } = services
    const { params, caller, remaining } = call
    const { tenantId } = params
    if (!(await isKnownTenant(table, caller, tenantId))) return notFound
    const run = await validateTenant(tenantId, call, services, () => remaining() < RESERVE)
    if (run === undefined) return refuse('ARCHIVED', 'The tenant is archived: it holds nothing in force.')
    await writeRow(table, noteRun(tenantId, run))
    return commit(call, {
      writes: {},
      events: [
        {
          type: 'validation.run-ordered',
          tenantId,
          subject: { type: 'tenant', id: tenantId },
          after: { checked: run.checked, changed: run.changed, errors: run.errors },
        },
      ],
      reply: run,
      refusals: {},
    })
  },
}

const timerOf = (table: Table, tenantId: TenantId): Promise<Timer | undefined> =>
  readTimer(table, { kind: VALIDATION_TIMER, subject: [tenantId] })

function viewOf({ intervalMinutes, lastRun, errorCount }: ValidationSchedule, nextRun: Instant | undefined) {
  return { intervalMinutes, errorCount, ...(lastRun && { lastRun }), ...(nextRun && { nextRun }) }
}
