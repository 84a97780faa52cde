import { isOpen, type ReclaimCase, reclaimAtOf } from '../../shared/domain/reclaim-case.ts'
import { isRefusal, notFound } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { htmlPage } from '../../shared/platform/http/html-page.ts'
import { inWords, TimeZone } from '../../shared/platform/time.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readNoticeSettings } from '../../shared/store/notice-settings.ts'
import { readCase } from '../../shared/store/reclaim.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { type Linked, openKeepToken } from '../seating/keep-link.ts'
import type { VerifyingServices } from '../verified.ts'
import { keepHandlers } from './reclaim-keep.ts'
import type { reclaimRoutes } from './reclaim-routes.ts'

/** What the page of a link to keep a seat says. */
type Words = {
  readonly locale: string
  readonly title: (product: string) => string
  readonly ask: (product: string, day: string) => string
  readonly keep: string
  readonly kept: string
  readonly over: string
}

const WORDS: Readonly<Record<'en' | 'de', Words>> = {
  en: {
    locale: 'en-GB',
    title: (product) => `Your seat of ${product}`,
    ask: (product, day) =>
      `Your seat of ${product} goes to somebody else on ${day}, since it seems not to be needed. Do you want to keep it?`,
    keep: 'Keep the seat',
    kept: 'You keep your seat. There is nothing else to do.',
    over: 'This link is over: the seat was used, kept or taken back since.',
  },
  de: {
    locale: 'de-DE',
    title: (product) => `Ihr Platz für ${product}`,
    ask: (product, day) =>
      `Ihr Platz für ${product} wird am ${day} weitergegeben, weil er anscheinend nicht gebraucht wird. Möchten Sie ihn behalten?`,
    keep: 'Platz behalten',
    kept: 'Sie behalten Ihren Platz. Mehr ist nicht zu tun.',
    over: 'Dieser Link gilt nicht mehr: Der Platz wurde seither benutzt, behalten oder zurückgenommen.',
  },
}

const UTC = TimeZone.parse('UTC')

type PageHandlers = Pick<Handlers<typeof reclaimRoutes, VerifyingServices>, 'getKeepPage' | 'useKeepPage'>

/** The same as `getKeepLink` and `useKeepLink`, for people: looking does nothing, since mail scanners follow links. */
export const keepPageHandlers: PageHandlers = {
  async getKeepPage({ query: { token } }, services) {
    const linked = openKeepToken(token, services.secrets.keepKey)
    const found = linked && (await readCase(services.table, linked.tenantId, linked.userId, linked.productId))
    if (linked === undefined || found === undefined) return notFound
    return pageOf(linked, found, token, services)
  },

  async useKeepPage(call, services) {
    const { token } = call.query
    const linked = openKeepToken(token, services.secrets.keepKey)
    if (linked === undefined) return notFound
    // Asked again it shows the case as it is then, so no answer is kept for it.
    const link = { ...call, query: undefined, body: { token }, idempotencyKey: undefined }
    const kept = await keepHandlers.useKeepLink(link, services)
    // What it was refused for is what the page says of the case.
    if (isRefusal(kept) && kept.refused !== 'NOT_RECLAIMING') return kept
    const found = await readCase(services.table, linked.tenantId, linked.userId, linked.productId)
    return found === undefined ? notFound : pageOf(linked, found, token, services)
  },
}

async function pageOf(
  { tenantId, productId, openedAt }: Linked,
  found: ReclaimCase,
  token: string,
  { table }: VerifyingServices,
) {
  const [settings, tenant, product] = await Promise.all([
    readNoticeSettings(table, tenantId),
    readTenant(table, tenantId),
    readProduct(table, productId),
  ])
  const { language } = settings
  const { locale, title, ask, keep, kept, over } = WORDS[language]
  const name = product?.name ?? productId
  const isThis = found.openedAt === openedAt
  const timeZone = settings.timeZone ?? tenant?.timeZone ?? UTC
  const day = (at: Parameters<typeof inWords>[0]) => inWords(at, { language: locale, timeZone })
  const isAsked = isThis && isOpen(found)
  const line = isAsked
    ? ask(name, day(reclaimAtOf(found, found.dueAt)))
    : isThis && found.state === 'kept'
      ? kept
      : over
  const action = `/v1/keep-seats/page?token=${encodeURIComponent(token)}`
  const content = htmlPage({
    language,
    title: title(name),
    lines: [line],
    buttons: isAsked ? [{ label: keep, action }] : [],
  })
  return { type: 'text/html; charset=utf-8' as const, content }
}
