import * as z from 'zod'
import { TenantId } from '../platform/ids.ts'
import { Instant, TimeZone } from '../platform/time.ts'
import { Email } from './email.ts'
import { Name } from './terms.ts'

export const Contact = z.strictObject({
  name: Name,
  email: Email,
  role: z.enum(['owner', 'administrator', 'billing', 'technical']).default('administrator'),
})
export type Contact = z.infer<typeof Contact>

export const TenantDraft = z.strictObject({
  name: Name,
  /** The vendor's own number for this customer; unique. */
  customerId: z.string().trim().min(1).max(100),
  timeZone: TimeZone.default(TimeZone.parse('UTC')),
  contacts: z.array(Contact).max(50).default([]),
})
export type TenantDraft = z.infer<typeof TenantDraft>

export const Tenant = z
  .strictObject({
    id: TenantId,
    ...TenantDraft.shape,
    createdAt: Instant,
    archivedAt: Instant.optional(),
    revision: z.int().positive(),
  })
  .meta({ id: 'Tenant' })
export type Tenant = z.infer<typeof Tenant>

/** The buyer as written into a license when it is issued. */
export const Customer = z
  .strictObject({
    id: z.string().max(100),
    name: Name,
    email: Email.optional(),
  })
  .meta({ id: 'Customer' })
export type Customer = z.infer<typeof Customer>

/** The customer a license of this tenant names: its owner's e-mail if there is one, else its first contact's. */
export function customerOf(tenant: Tenant): Customer {
  const contact = tenant.contacts.find((one) => one.role === 'owner') ?? tenant.contacts[0]
  return { id: tenant.customerId, name: tenant.name, ...(contact && { email: contact.email }) }
}
