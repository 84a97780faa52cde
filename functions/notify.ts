import { kindOf, type NoticeDraft, type NoticeKind, type Recipient } from '../shared/domain/notice.ts'
import { type Contacts, recipientsOf } from '../shared/domain/notice-audience.ts'
import type { NoticeSettings } from '../shared/domain/notice-settings.ts'
import { pathOf } from '../shared/domain/organization.ts'
import type { OrganizationId, TenantId } from '../shared/platform/ids.ts'
import { MINUTE, plusMilliseconds, TimeZone } from '../shared/platform/time.ts'
import { newNotice } from '../shared/store/notice.ts'
import { readMailAddresses, readNoticeSettings } from '../shared/store/notice-settings.ts'
import { readOrganizations } from '../shared/store/organization.ts'
import { addNotice } from '../shared/store/outbox.ts'
import { readTenant } from '../shared/store/tenant.ts'
import type { Table } from '../shared/store/transact.ts'

/** Whom a tenant's notices go to, or the vendor's, and what it chose. */
export type Audience = Contacts & {
  readonly tenantId: TenantId | undefined
  /** Whose contacts they are, for people. */
  readonly name: string
  readonly settings: NoticeSettings
  /** Of the days that are named, and of the days before a deadline. */
  readonly timeZone: TimeZone
}

const UTC = TimeZone.parse('UTC')

/** @returns undefined where the tenant is not there, or is archived: nobody is told anything of it any more */
export async function readAudience(
  table: Table,
  tenantId: TenantId | undefined,
): Promise<Audience | undefined> {
  const [tenant, settings, addresses] = await Promise.all([
    tenantId && readTenant(table, tenantId),
    readNoticeSettings(table, tenantId),
    readMailAddresses(table, tenantId),
  ])
  if (tenantId !== undefined && (tenant === undefined || tenant.archivedAt !== undefined)) return undefined
  const timeZone = settings.timeZone ?? tenant?.timeZone ?? UTC
  const contacts = [...(tenant?.contacts ?? []), ...settings.contacts]
  return { tenantId, name: tenant?.name ?? '', settings, addresses, contacts, timeZone }
}

/**
 * Notes what is to be told, for each of its recipients once, however often it is asked. Where nobody of a tenant can be
 * told what has to be, the vendor's staff is.
 *
 * @returns how many are told anew
 */
export async function notify(
  table: Table,
  audience: Audience,
  draft: NoticeDraft,
  readStaff: () => Promise<Audience | undefined>,
): Promise<number> {
  const { kind } = draft.about
  const { tenantId } = audience
  const { roles, staff, optional } = kindOf(kind)
  const isForTenant = tenantId === undefined || roles.length > 0
  const told = isForTenant ? await recipients(table, audience, draft) : []
  const anew = await tell(table, audience, draft, told)
  if (tenantId === undefined || (!staff && (told.length > 0 || optional))) return anew
  const vendor = await readStaff()
  if (vendor === undefined) return anew
  const toStaff = of(tenantId, draft)
  return anew + (await tell(table, vendor, toStaff, await recipients(table, vendor, toStaff)))
}

/** For the staff, which is told of many tenants. */
const of = (tenantId: TenantId, draft: NoticeDraft): NoticeDraft => {
  const { person: _, organizationId: __, ...others } = draft
  return { ...others, occasion: [tenantId, ...draft.occasion] }
}

async function recipients(table: Table, audience: Audience, { about, person, organizationId }: NoticeDraft) {
  const organizationIds = await above(table, audience.tenantId, about.kind, organizationId)
  return recipientsOf(about.kind, audience, { person, organizationIds })
}

async function tell(
  table: Table,
  { tenantId, settings }: Audience,
  draft: NoticeDraft,
  told: readonly Recipient[],
): Promise<number> {
  const mailAt = plusMilliseconds(draft.at, settings.digestMinutes * MINUTE)
  const notices = told.map((one) => newNotice(draft, tenantId, one))
  const added = await Promise.all(notices.map((notice) => addNotice(table, notice, mailAt)))
  return added.filter(Boolean).length
}

/** An organization and those above it, where the kind of notice is told their administrators. */
async function above(
  table: Table,
  tenantId: TenantId | undefined,
  kind: NoticeKind,
  organizationId: OrganizationId | undefined,
): Promise<OrganizationId[]> {
  if (tenantId === undefined || organizationId === undefined || !kindOf(kind).organization) return []
  return pathOf(organizationId, await readOrganizations(table, tenantId))
}
