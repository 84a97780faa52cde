import { isSame } from '../../shared/domain/canonical-json.ts'
import { emailKey } from '../../shared/domain/email.ts'
import { kindOf, NOTICE_KINDS, NoticeKind } from '../../shared/domain/notice.ts'
import { type MailAddress, NoticeChoice, NoticeSettings } from '../../shared/domain/notice-settings.ts'
import { NoticeView } from '../../shared/domain/notice-view.ts'
import { notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { changes } from '../../shared/domain/revision.ts'
import type { Call, Handlers } from '../../shared/platform/http/contract.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { noticesOf } from '../../shared/store/keys.ts'
import { noticeEntity } from '../../shared/store/notice.ts'
import {
  readMailAddress,
  readMailAddresses,
  readNoticeSettings,
  writeMailAddress,
  writeNoticeSettings,
} from '../../shared/store/notice-settings.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { readPage } from '../../shared/store/page.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, stale, untilFresh } from '../until-fresh.ts'
import type { notificationsRoutes } from './routes.ts'
import type { NotificationServices } from './services.ts'

type Routes = typeof notificationsRoutes
type Owner = TenantId | undefined
type SettingsHandlers = Pick<
  Handlers<Routes, NotificationServices>,
  | 'getNotifications'
  | 'editNotifications'
  | 'setMailAddress'
  | 'resumeMail'
  | 'listNotices'
  | 'getStaffNotifications'
  | 'editStaffNotifications'
  | 'setStaffMailAddress'
  | 'resumeStaffMail'
  | 'listStaffNotices'
>

export const settingsHandlers: SettingsHandlers = {
  getNotifications: (call, services) => ofTenant(call, services, (owner) => view(owner, services)),
  editNotifications: (call, services) => ofTenant(call, services, (owner) => edit(call, owner, services)),
  setMailAddress: (call, services) => ofTenant(call, services, (owner) => setAddress(call, owner, services)),
  resumeMail: (call, services) => ofTenant(call, services, (owner) => resume(call, owner, services)),
  listNotices: (call, services) => ofTenant(call, services, (owner) => list(call.query, owner, services)),
  getStaffNotifications: (_, services) => view(undefined, services),
  editStaffNotifications: (call, services) => edit(call, undefined, services),
  setStaffMailAddress: (call, services) => setAddress(call, undefined, services),
  resumeStaffMail: (call, services) => resume(call, undefined, services),
  listStaffNotices: ({ query }, services) => list(query, undefined, services),
}

async function ofTenant<T>(
  { params }: { readonly params: { readonly tenantId: TenantId } },
  { table }: NotificationServices,
  act: (owner: TenantId) => Promise<T>,
): Promise<T | Refusal> {
  return (await readTenant(table, params.tenantId)) === undefined ? notFound : act(params.tenantId)
}

async function view(owner: Owner, services: NotificationServices) {
  return shown(await readNoticeSettings(services.table, owner), owner, services)
}

async function shown(settings: NoticeSettings, owner: Owner, { table, mailFrom }: NotificationServices) {
  const addresses = [...(await readMailAddresses(table, owner)).values()]
  const kinds = NoticeKind.options.map((kind) => {
    const { meaning, optional, roles, staff = false } = kindOf(kind)
    return { kind, meaning, optional, roles: [...roles], staff }
  })
  const { revision } = settings
  return { ...NoticeChoice.strip().parse(settings), mailFrom: mailFrom ?? null, kinds, addresses, revision }
}

async function edit(
  call: Pick<Call<Routes['editNotifications']>, 'body' | 'revision'> & CommitRequest,
  owner: Owner,
  services: NotificationServices,
) {
  const current = await readNoticeSettings(services.table, owner)
  if (current.revision !== call.revision) return stale
  const { timeZone, ...others } = call.body
  const { timeZone: before, ...rest } = current
  const zone = timeZone === undefined ? before : (timeZone ?? undefined)
  const next = NoticeSettings.parse({ ...rest, ...others, ...(zone && { timeZone: zone }) })
  const refused = await checkOrganizations(next, owner, services)
  if (refused) return refused
  if (isSame(current, next)) {
    const same = await shown(current, owner, services)
    return services.commit(call, { writes: {}, events: [], reply: same, refusals: {} })
  }
  const reply = await shown({ ...next, revision: current.revision + 1 }, owner, services)
  return services.commit(call, {
    writes: { settings: writeNoticeSettings(owner, current, next) },
    events: [{ ...eventOf('notices.settings-changed', owner), ...changes(current, next) }],
    reply,
    refusals: { settings: stale },
  })
}

async function checkOrganizations(
  { contacts }: NoticeSettings,
  owner: Owner,
  { table }: NotificationServices,
): Promise<Refusal | undefined> {
  if (!contacts.some(({ organizationId }) => organizationId !== undefined)) return undefined
  const all = owner && (await readOrganizations(table, owner))
  const wrong = contacts.findIndex(({ organizationId: id }) => id !== undefined && !all?.has(id))
  if (wrong < 0) return undefined
  const errors = [{ field: `/body/contacts/${wrong}/organizationId`, message: 'does not exist' }]
  return refuse('INVALID_REQUEST', 'A contact names an organization that does not exist.', { errors })
}

function setAddress(
  call: Pick<Call<Routes['setMailAddress']>, 'body'> & CommitRequest,
  owner: Owner,
  { table, commit }: NotificationServices,
) {
  const { email, muted, language } = call.body
  const needed = muted?.findIndex((kind) => !NOTICE_KINDS[kind].optional) ?? -1
  if (needed >= 0) {
    const errors = [{ field: `/body/muted/${needed}`, message: 'is not optional' }]
    return Promise.resolve(refuse('INVALID_REQUEST', 'Some notices are sent in any case.', { errors }))
  }
  return untilFresh(async () => {
    const known = await readMailAddress(table, owner, email)
    const before: MailAddress = known ?? { email: emailKey(email), muted: [] }
    const next = { ...before, ...(muted && { muted }), ...(language && { language }) }
    if (isSame(before, next)) return commit(call, { writes: {}, events: [], reply: next, refusals: {} })
    return commit(call, {
      writes: { address: writeMailAddress(owner, known, next) },
      events: [{ ...eventOf('notices.choice-changed', owner, email), ...changes(before, next) }],
      reply: next,
      refusals: { address: outdated },
    })
  })
}

function resume(
  call: Pick<Call<Routes['resumeMail']>, 'body'> & CommitRequest,
  owner: Owner,
  { table, commit }: NotificationServices,
) {
  const { email, reason } = call.body
  return untilFresh(async () => {
    const known = await readMailAddress(table, owner, email)
    if (known?.suppressed === undefined) return refuse('NOT_FOUND', 'Mail to this address is not stopped.')
    const { suppressed, ...next } = known
    return commit(call, {
      writes: { address: writeMailAddress(owner, known, next) },
      events: [
        { ...eventOf('mail.resumed', owner, email), before: { suppressed }, ...(reason && { reason }) },
      ],
      reply: next,
      refusals: { address: outdated },
    })
  })
}

async function list(
  query: Call<Routes['listNotices']>['query'],
  owner: Owner,
  { table, secrets }: NotificationServices,
) {
  const range = { index: 'owned', pk: noticesOf(owner), newestFirst: true } as const
  return readPage(table, secrets.cursorKey, range, query, async (items) =>
    items.map((item) => NoticeView.strip().parse(noticeEntity.decode(item))),
  )
}

function eventOf(
  type: 'notices.settings-changed' | 'notices.choice-changed' | 'mail.resumed',
  owner: Owner,
  email?: string,
) {
  const subject =
    email === undefined
      ? { type: owner === undefined ? 'vendor' : 'tenant', id: owner ?? 'vendor' }
      : { type: 'mail-address', id: emailKey(email) }
  return { type, subject, ...(owner && { tenantId: owner }) } as const
}
