import { nameForTenant } from '../../shared/domain/access.ts'
import { type IntegrityEvent, isStanding } from '../../shared/domain/integrity.ts'
import { notFound, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { readableOf } from '../../shared/store/codec.ts'
import {
  integrityEventEntity,
  readIntegrityEvent,
  readIntegrityEvents,
  readLastScan,
  replaceIntegrityEvent,
} from '../../shared/store/integrity.ts'
import { integrityEventsKey } from '../../shared/store/keys.ts'
import { fileEarlier, scanTimer } from '../../shared/store/license-timers.ts'
import { readPage } from '../../shared/store/page.ts'
import { isKnownTenant } from '../known-tenant.ts'
import { tellCorrupt } from '../tell-corrupt.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { TrustServices } from './handlers.ts'
import type { integrityRoutes } from './integrity-routes.ts'
import { telling } from './note-found.ts'
import { scanTenant } from './scan-tenant.ts'

/** Events in the status; all of them are a list of their own. */
const SHOWN = 100

export const integrityHandlers: Handlers<typeof integrityRoutes, TrustServices> = {
  async getIntegrity({ params: { tenantId }, caller, requestId }, { table, log }) {
    if (!(await isKnownTenant(table, caller, tenantId))) return notFound
    const tell = tellCorrupt(log, requestId, tenantId)
    const [lastScan, { events: all }] = await Promise.all([
      readLastScan(table, tenantId, tell),
      readIntegrityEvents(table, tenantId, tell),
    ])
    const standing = all.filter(isStanding).toSorted((a, b) => (a.since < b.since ? 1 : -1))
    return {
      enabled: true,
      criticalEvents: all.filter(({ since }) => lastScan === undefined || since >= lastScan.startedAt).length,
      standingEvents: standing.length,
      ...(lastScan && { lastScan }),
      openEvents: standing.slice(0, SHOWN),
    }
  },

  async listIntegrityEvents({ params: { tenantId }, query, caller, requestId }, { table, secrets, log }) {
    if (!(await isKnownTenant(table, caller, tenantId))) return notFound
    const tell = tellCorrupt(log, requestId, tenantId)
    return readPage(table, secrets.cursorKey, { pk: integrityEventsKey(tenantId) }, query, async (items) =>
      items
        .map((item) => readableOf([item], integrityEventEntity, tell)[0])
        .map((event) => (query.state === undefined || event?.state === query.state ? event : undefined)),
    )
  },

  async runIntegrityScan(call, services) {
    const { table, commit } = services
    const { params, query, caller, now, remaining } = call
    const { tenantId } = params
    if (!(await isKnownTenant(table, caller, tenantId))) return notFound
    const scan = await scanTenant(tenantId, call, services, { isWhole: query.whole ?? false, remaining })
    if (scan === undefined) return notFound
    // What this had no time for, the job has.
    if (scan.skipped.length > 0) await fileEarlier(table, scanTimer(tenantId, now))
    return commit(call, {
      writes: {},
      events: [
        {
          type: 'integrity.scan-ordered',
          tenantId,
          subject: { type: 'tenant', id: tenantId },
          after: {
            checked: scan.checked,
            found: scan.found,
            mended: scan.mended,
            skipped: scan.skipped,
            ...(scan.log && { log: scan.log }),
          },
        },
      ],
      reply: scan,
      refusals: {},
    })
  },

  async acknowledgeIntegrityEvent(call, { table, log, commit }) {
    const { params, body, caller, now, requestId } = call
    const { tenantId, findingId } = params
    return untilFresh(async () => {
      const read = await readIntegrityEvent(table, tenantId, findingId, tellCorrupt(log, requestId, tenantId))
      if (read === undefined) return notFound
      if (!isStanding(read)) return refuse('INTEGRITY_EVENT_OVER', `It was ${read.state} at ${read.endedAt}.`)
      const next: IntegrityEvent = {
        ...read,
        state: 'acknowledged',
        acknowledged: { by: nameForTenant(caller), at: now, note: body.note },
      }
      return commit(call, {
        writes: { event: replaceIntegrityEvent(next, read) },
        events: [{ ...telling('integrity.acknowledged', next, { since: next.since }), reason: body.note }],
        reply: next,
        refusals: { event: outdated },
      })
    })
  },
}
