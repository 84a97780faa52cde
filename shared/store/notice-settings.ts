import { emailKey } from '../domain/email.ts'
import { DEFAULT_SETTINGS, MailAddress, NoticeSettings } from '../domain/notice-settings.ts'
import type { TenantId } from '../platform/ids.ts'
import { entity } from './codec.ts'
import { mailAddressesKey, mailAddressKey, noticeSettingsKey } from './keys.ts'
import { readItem, readRange } from './read.ts'
import { type Action, putOnce, type Table } from './transact.ts'

export const noticeSettingsEntity = entity('notice-settings', 1, NoticeSettings)
export const mailAddressEntity = entity('mail-address', 1, MailAddress)

/** What a tenant chose, or the vendor for its staff; the defaults if it never did. */
export async function readNoticeSettings(
  table: Table,
  tenantId: TenantId | undefined,
): Promise<NoticeSettings> {
  const item = await readItem(table, noticeSettingsKey(tenantId))
  return item === undefined ? DEFAULT_SETTINGS : noticeSettingsEntity.decode(item)
}

/** Replaces the settings as they were read. */
export function writeNoticeSettings(
  tenantId: TenantId | undefined,
  read: NoticeSettings,
  next: Omit<NoticeSettings, 'revision'>,
): Action {
  const item = noticeSettingsEntity.encode(noticeSettingsKey(tenantId), {
    ...next,
    revision: read.revision + 1,
  })
  // Defaults are not stored, and have the first revision.
  const condition =
    read.revision === 1 ? 'attribute_not_exists(pk) OR revision = :revision' : 'revision = :revision'
  return { kind: 'put', item, condition, values: { ':revision': read.revision } }
}

/** All addresses of which something is known, by address. */
export async function readMailAddresses(
  table: Table,
  tenantId: TenantId | undefined,
): Promise<Map<string, MailAddress>> {
  const items = await readRange(table, { pk: mailAddressesKey(tenantId) })
  return new Map(items.map(mailAddressEntity.decode).map((one) => [emailKey(one.email), one]))
}

export async function readMailAddress(
  table: Table,
  tenantId: TenantId | undefined,
  email: string,
): Promise<MailAddress | undefined> {
  const item = await readItem(table, mailAddressKey(tenantId, emailKey(email)))
  return item && mailAddressEntity.decode(item)
}

/** Writes what is known of an address, if it still is as it was read. */
export function writeMailAddress(
  tenantId: TenantId | undefined,
  read: MailAddress | undefined,
  next: MailAddress,
): Action {
  const item = mailAddressEntity.encode(mailAddressKey(tenantId, emailKey(next.email)), next)
  if (read === undefined) return putOnce(item)
  const { muted, language, suppressed } = read
  return {
    kind: 'put',
    item,
    condition: [
      'muted = :muted',
      language ? '#language = :language' : 'attribute_not_exists(#language)',
      suppressed ? 'suppressed = :suppressed' : 'attribute_not_exists(suppressed)',
    ].join(' AND '),
    // A reserved word.
    names: { '#language': 'language' },
    values: {
      ':muted': muted,
      ...(language && { ':language': language }),
      ...(suppressed && { ':suppressed': suppressed }),
    },
  }
}
