import type { OrganizationId } from '../platform/ids.ts'
import { emailKey } from './email.ts'
import { isOptional, kindOf, type NoticeContact, type NoticeKind, type Recipient } from './notice.ts'
import type { MailAddress } from './notice-settings.ts'

/** Those among whom a notice finds its recipients. */
export type Contacts = {
  /** Of the tenant, and those of its organizations. */
  readonly contacts: readonly NoticeContact[]
  /** What is known of addresses, by address. */
  readonly addresses: ReadonlyMap<string, MailAddress>
}

/**
 * Who is told of a kind of notice, each address once. A person whom it is told alone is the only one, if mail reaches it.
 *
 * @param organizationIds the organization that it is about, and those above it
 */
export function recipientsOf(
  kind: NoticeKind,
  { contacts, addresses }: Contacts,
  {
    person,
    organizationIds = [],
  }: { person?: Recipient | undefined; organizationIds?: readonly OrganizationId[] },
): Recipient[] {
  const own = person && addresses.get(emailKey(person.email))
  if (person !== undefined && reaches(kind, own)) return [{ ...person, ...languageOf(own) }]
  const { roles, organization } = kindOf(kind)
  const ofTenant = contacts.filter(({ organizationId }) => organizationId === undefined)
  const ofOrganization = organization
    ? contacts.filter((one) => one.organizationId && organizationIds.includes(one.organizationId))
    : []
  const reached = (some: readonly NoticeContact[]) =>
    some.filter(({ email }) => reaches(kind, addresses.get(emailKey(email))))
  const inRole = [...reached(ofTenant.filter(({ role }) => roles.includes(role))), ...reached(ofOrganization)]
  const hasRole = ofTenant.some(({ role }) => roles.includes(role))
  // Muted ones stay muted: all are told only where nobody has the roles, or nobody who has them can be reached at all.
  const isForAll = inRole.length === 0 && (!isOptional(kind) || !hasRole)
  const told = isForAll ? reached(ofTenant) : inRole
  // Of an address that is there twice the first is taken.
  const byAddress = new Map(told.toReversed().map((one) => [emailKey(one.email), one]))
  return [...byAddress.values()].toReversed().map(({ email, name }) => ({
    email,
    name,
    ...languageOf(addresses.get(emailKey(email))),
  }))
}

/** Does a notice of this kind go to the address? */
function reaches(kind: NoticeKind, address: MailAddress | undefined): boolean {
  return whyNot(kind, address) === undefined
}

export function whyNot(
  kind: NoticeKind,
  address: MailAddress | undefined,
): 'MUTED' | 'UNDELIVERABLE' | undefined {
  if (address?.suppressed !== undefined) return 'UNDELIVERABLE'
  return isOptional(kind) && address?.muted.includes(kind) ? 'MUTED' : undefined
}

const languageOf = (address: MailAddress | undefined) =>
  address?.language === undefined ? {} : { language: address.language }
