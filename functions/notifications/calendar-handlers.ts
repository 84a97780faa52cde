import * as z from 'zod'
import type { EventDraft } from '../../shared/domain/event.ts'
import type { NoticeSettings } from '../../shared/domain/notice-settings.ts'
import { notFound } from '../../shared/domain/refusal.ts'
import { checkNotArchived } from '../../shared/domain/revision.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readAllHoldings } from '../../shared/store/holdings.ts'
import { readNoticeSettings, writeNoticeSettings } from '../../shared/store/notice-settings.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { readAudience } from '../notify.ts'
import { open, seal } from '../sealed.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import { calendarFeed } from './calendar-feed.ts'
import type { notificationsRoutes } from './routes.ts'
import type { NotificationServices } from './services.ts'
import { calendarWords } from './texts/calendar-words.ts'

/** Whose calendar, and which of its addresses. */
const Address = z.tuple([TenantId, z.int().positive()])
const PREFIX = 'cal'

export const calendarHandlers: Pick<
  Handlers<typeof notificationsRoutes, NotificationServices>,
  'getCalendar' | 'openCalendar' | 'closeCalendar' | 'readCalendar'
> = {
  async getCalendar({ params: { tenantId } }, services) {
    const tenant = await readTenant(services.table, tenantId)
    if (tenant === undefined) return notFound
    // The feed of one that is archived is not there any more (readAudience).
    if (tenant.archivedAt !== undefined) return { url: null }
    return shown(tenantId, await readNoticeSettings(services.table, tenantId), services)
  },

  openCalendar: (call, services) =>
    untilFresh(async () => {
      const { tenantId } = call.params
      const [tenant, current] = await Promise.all([
        readTenant(services.table, tenantId),
        readNoticeSettings(services.table, tenantId),
      ])
      if (tenant === undefined) return notFound
      const refused = checkNotArchived(tenant)
      if (refused) return refused
      const generation = current.calendarGenerations + 1
      const next = { ...current, calendar: { generation, since: call.now }, calendarGenerations: generation }
      return services.commit(call, {
        writes: { settings: writeNoticeSettings(tenantId, current, next) },
        events: [eventOf('calendar.opened', tenantId)],
        reply: shown(tenantId, next, services),
        refusals: { settings: outdated },
      })
    }),

  closeCalendar: (call, services) =>
    untilFresh(async () => {
      const { tenantId } = call.params
      const { calendar, ...others } = await readNoticeSettings(services.table, tenantId)
      // What is closed is closed, of a tenant that is not there too: nothing is told by it.
      if (calendar === undefined) {
        if ((await readTenant(services.table, tenantId)) === undefined) return notFound
        return services.commit(call, { writes: {}, events: [], reply: undefined, refusals: {} })
      }
      return services.commit(call, {
        writes: { settings: writeNoticeSettings(tenantId, others, others) },
        events: [eventOf('calendar.closed', tenantId)],
        reply: undefined,
        refusals: { settings: outdated },
      })
    }),

  async readCalendar({ params: { file }, now }, services) {
    const { table, verifier, secrets, publicUrl } = services
    const [, token = ''] = /^(.+)\.ics$/.exec(file) ?? []
    const address = open(PREFIX, Address, token, secrets.noticeKey)
    if (address === undefined) return notFound
    const [tenantId, generation] = address
    const audience = await readAudience(table, tenantId)
    if (audience?.settings.calendar?.generation !== generation) return notFound
    const { name, timeZone, settings } = audience
    const held = await Promise.all(
      (await readAllHoldings(table, tenantId)).map(async (holdings) => ({
        holdings,
        product: (await readProduct(table, holdings.productId))?.name ?? holdings.productId,
      })),
    )
    const content = calendarFeed({
      name,
      host: hostOf(publicUrl),
      held,
      timeZone,
      words: calendarWords[settings.language],
      now,
      isGenuine: verifier.isGenuine,
    })
    return { type: 'text/calendar; charset=utf-8', content }
  },
}

function shown(
  tenantId: TenantId,
  { calendar }: NoticeSettings,
  { publicUrl, secrets }: NotificationServices,
) {
  if (calendar === undefined) return { url: null }
  const token = seal(PREFIX, [tenantId, calendar.generation], secrets.noticeKey)
  return { url: `${publicUrl}/v1/calendars/${token}.ics`, since: calendar.since }
}

const hostOf = (url: string) => (URL.canParse(url) ? new URL(url).hostname : 'latchkey')

const eventOf = (type: 'calendar.opened' | 'calendar.closed', tenantId: TenantId): EventDraft => ({
  type,
  tenantId,
  subject: { type: 'tenant', id: tenantId },
})
