import { isSame } from '../../shared/domain/canonical-json.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { isOptional, type Language, NoticeKind } from '../../shared/domain/notice.ts'
import type { MailAddress } from '../../shared/domain/notice-settings.ts'
import { isRefusal, refuse } from '../../shared/domain/refusal.ts'
import { changes } from '../../shared/domain/revision.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { htmlPage, type PageText } from '../../shared/platform/http/html-page.ts'
import { readMailAddress, readNoticeSettings, writeMailAddress } from '../../shared/store/notice-settings.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import { wordsOf } from './format.ts'
import { openUnsubscription, type Unsubscription } from './links.ts'
import type { notificationsRoutes } from './routes.ts'
import type { NotificationServices } from './services.ts'

const unknown = refuse('NOT_FOUND', 'This link is not as it was sent; open the one in the mail again.')
/** Everything that can be done without. */
const ALL = NoticeKind.options.filter(isOptional)

export const unsubscribeHandlers: Pick<
  Handlers<typeof notificationsRoutes, NotificationServices>,
  'askUnsubscribe' | 'unsubscribe'
> = {
  async askUnsubscribe({ query }, services) {
    const found = openUnsubscription(query.token, services.secrets.noticeKey)
    if (found === undefined) return unknown
    const language = await languageOf(found, services)
    const { page, kinds } = wordsOf(language)
    return pageOf(language, query.token, {
      lines: [
        page.ask(
          found.email,
          found.kinds.map((kind) => kinds[kind]),
        ),
        page.needed,
      ],
      buttons: [
        ['these', page.confirm],
        ['all', page.all],
      ],
    })
  },

  async unsubscribe(call, services) {
    const { token, what } = call.query
    const found = openUnsubscription(token, services.secrets.noticeKey)
    if (found === undefined) return unknown
    const { tenantId, email, kinds: these } = found
    const muted = await untilFresh(async () => {
      const known = await readMailAddress(services.table, tenantId, email)
      const before: MailAddress = known ?? { email, muted: [] }
      const next = { ...before, muted: mutedBy(before.muted, these, what) }
      if (isSame(before, next)) return next
      const event: EventDraft = {
        type: 'notices.choice-changed',
        ...(tenantId && { tenantId }),
        subject: { type: 'mail-address', id: email },
        // Whoever has the link is taken for who the mail was sent to.
        actor: { kind: tenantId ? 'tenant' : 'vendor', subject: email },
        ...changes(before, next),
      }
      return services.commit(call, {
        writes: { address: writeMailAddress(tenantId, known, next) },
        events: [event],
        reply: next,
        refusals: { address: outdated },
      })
    })
    if (isRefusal(muted)) return muted
    const language = await languageOf(found, services)
    const { page, kinds } = wordsOf(language)
    const names = (what === 'all' ? ALL : these).map((kind) => kinds[kind])
    return pageOf(
      language,
      token,
      what === 'again'
        ? { lines: [page.resumed(email)], buttons: [['these', page.confirm]] }
        : {
            lines: [page.done(email, names), page.needed],
            buttons: [['again', page.again], ...(what === 'these' ? [['all', page.all] as const] : [])],
          },
    )
  },
}

function mutedBy(
  before: readonly NoticeKind[],
  these: readonly NoticeKind[],
  what: 'these' | 'all' | 'again',
) {
  if (what === 'again') return before.filter((kind) => !these.includes(kind))
  return [...new Set([...before, ...(what === 'all' ? ALL : these)])]
}

async function languageOf(
  { tenantId, email }: Unsubscription,
  { table }: NotificationServices,
): Promise<Language> {
  const address = await readMailAddress(table, tenantId, email)
  return address?.language ?? (await readNoticeSettings(table, tenantId)).language
}

type Shown = Pick<PageText, 'lines'> & {
  readonly buttons: readonly (readonly [what: string, label: string])[]
}

function pageOf(language: Language, token: string, { lines, buttons }: Shown) {
  const { title } = wordsOf(language).page
  const content = htmlPage({
    language,
    title,
    lines,
    buttons: buttons.map(([what, label], index) => ({
      label,
      action: `/v1/unsubscribe?token=${encodeURIComponent(token)}&what=${what}`,
      ...((index > 0 || what === 'again') && { quiet: true as const }),
    })),
  })
  return { type: 'text/html; charset=utf-8' as const, content }
}
