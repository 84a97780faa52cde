import type { TenantId } from '../../platform/ids.ts'
import type { Instant } from '../../platform/time.ts'
import { type Key, key, part } from './key.ts'

/** What somebody is told, by an id that says whom and of what occasion. What the vendor's staff is told is the vendor's. */
export const noticesOf = (tenant: TenantId | undefined) =>
  tenant ? `T#${part(tenant)}#NOTICES` : 'VENDOR#NOTICES'
export const noticeKey = (tenant: TenantId | undefined, id: string): Key => ({
  pk: noticesOf(tenant),
  sk: part(id),
})
export const noticeSettingsKey = (tenant: TenantId | undefined) =>
  key(tenant ? ['T', tenant] : ['VENDOR'], ['NOTICE-SETTINGS'])
/** Addresses that mail goes to and that said something of it, or that it does not reach. */
export const mailAddressesKey = (tenant: TenantId | undefined) =>
  tenant ? `T#${part(tenant)}#MAIL-ADDRESSES` : 'VENDOR#MAIL-ADDRESSES'
export const mailAddressKey = (tenant: TenantId | undefined, email: string): Key => ({
  pk: mailAddressesKey(tenant),
  sk: encodeURIComponent(email),
})
/** What is to be sent to one address lies together, with the sending that is under way. */
export const outboxOf = (tenant: TenantId | undefined, box: string) =>
  tenant ? `T#${part(tenant)}#OUTBOX#${part(box)}` : `VENDOR#OUTBOX#${part(box)}`
export const OUTBOX_PREFIX = 'NOTICE#'
export const outboxKey = (
  tenant: TenantId | undefined,
  box: string,
  since: Instant,
  notice: string,
): Key => ({
  pk: outboxOf(tenant, box),
  sk: ['NOTICE', part(since), part(notice)].join('#'),
})
export const sendingKey = (tenant: TenantId | undefined, box: string): Key => ({
  pk: outboxOf(tenant, box),
  sk: 'SENDING',
})
