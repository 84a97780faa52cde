import { emailKey } from '../../shared/domain/email.ts'
import { isOptional } from '../../shared/domain/notice.ts'
import type { User } from '../../shared/domain/user.ts'
import type { Instant } from '../../shared/platform/time.ts'
import type { Notice } from '../../shared/store/notice.ts'
import type { Table } from '../../shared/store/transact.ts'
import { readUser } from '../../shared/store/user.ts'
import { type Audience, notify } from '../notify.ts'
import type { ReadAudience } from './remind.ts'

/** Is its recipient still a contact, or the person whom it is told? */
export async function isStillAddressed(notice: Notice, audience: Audience, table: Table): Promise<boolean> {
  const is = (email: string | undefined) =>
    email !== undefined && emailKey(email) === emailKey(notice.recipient.email)
  return audience.contacts.some(({ email }) => is(email)) || is((await personOf(notice, table))?.email)
}

/** Tells what is needed those who are there now, in the place of who is not any more: each of them once in all. */
export async function tellInstead(
  notice: Notice,
  audience: Audience,
  now: Instant,
  readAudience: ReadAudience,
  table: Table,
): Promise<void> {
  const { about, occasion, until } = notice
  if (isOptional(about.kind)) return
  const { email, name, organizationId } = (await personOf(notice, table)) ?? {}
  const person = email && name ? { email, name } : undefined
  const draft = { about, occasion, at: now, until, organizationId, person }
  await notify(table, audience, draft, () => readAudience(undefined))
}

/** Whom a notice of this kind is told before all others. */
async function personOf({ tenantId, about }: Notice, table: Table): Promise<User | undefined> {
  if (tenantId === undefined || about.kind !== 'seat-reclaim') return undefined
  return readUser(table, tenantId, about.userId)
}
