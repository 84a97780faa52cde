import * as z from 'zod'
import { GroupId, OrganizationId, ProductId, TenantId, UserId } from '../platform/ids.ts'
import { Countable, Instant } from '../platform/time.ts'
import { Country } from './country.ts'
import { Directory, MOST_MEMBERSHIPS } from './directory.ts'
import { Email } from './email.ts'
import { type Refusal, refuse } from './refusal.ts'
import { Pending, Seat } from './seat.ts'
import { Code, Name } from './terms.ts'

/** `active` has seats by its roles. `suspended` cannot work, and keeps its roles. `archived` left, and holds nothing. */
export const UserStatus = z.enum(['active', 'suspended', 'archived'])
export type UserStatus = z.infer<typeof UserStatus>

/** Of one person: its row names each of them, and has one beside it for each. */
export const MOST_ROLES = 20
/** Entries of modules given by hand, and of those withheld. */
const MOST_BY_HAND = 50
/** What somebody is in the tenant: content-author, observer, … Products declare which of them need a seat. */
export const PersonRoles = z
  .array(Code)
  .max(MOST_ROLES)
  .refine((roles) => new Set(roles).size === roles.length, 'roles must differ')

export const UserDraft = z.strictObject({
  name: Name,
  email: Email.optional(),
  /** The directory's or application's own id of the person; unique in the tenant. */
  externalId: z.string().trim().min(1).max(200).optional(),
  organizationId: OrganizationId.optional(),
  roles: PersonRoles.default([]),
  status: z.enum(['active', 'suspended']).default('active'),
  /** Where the person works; licenses may be limited to countries. */
  usageLocation: Country.optional(),
  /** Never loses a seat for not using it. */
  reclaimExempt: z.boolean().optional(),
  /** Away until then: not being seen does not count. */
  onLeaveUntil: Countable.optional(),
})
export type UserDraft = z.infer<typeof UserDraft>

/** A module that a person was given, or is not to have, by hand: what roles say comes after it. */
export const ByHand = z.strictObject({
  productId: ProductId,
  module: Code,
  at: Instant,
  /** The credential that said so. */
  by: z.string(),
  reason: z.string().optional(),
})
export type ByHand = z.infer<typeof ByHand>

/**
 * A person of a tenant: all facts from which seats follow, and what is pending. Seats have rows of their own beside it.
 */
export const User = z.strictObject({
  id: UserId,
  tenantId: TenantId,
  ...UserDraft.shape,
  roles: PersonRoles,
  status: UserStatus,
  /** Modules given by hand. */
  direct: z.array(ByHand).max(MOST_BY_HAND),
  /** Modules that roles do not give: they were revoked or reclaimed, until somebody gives them by hand. */
  withheld: z.array(ByHand).max(MOST_BY_HAND),
  pending: z.array(Pending),
  /** Pools of which the person has a seat, as `<product>#<metric>`: what its seat rows say, for filters. */
  holds: z.array(z.string()),
  /** To the hour. */
  lastActiveAt: Instant.optional(),
  /** The day of that in the tenant's zone as it was then, `2026-11-21`: what day counts have it under. */
  activeDay: z.string().optional(),
  /** What the tenant's directory says of it, if it came from there. */
  directory: Directory.optional(),
  /** Of one who left: what it had, should it come back. */
  former: z
    .strictObject({
      seats: z.array(z.strictObject({ productId: ProductId, metric: Code, pinned: z.boolean() })),
      groups: z.array(GroupId),
    })
    .optional(),
  createdAt: Instant,
  /** When somebody last changed something of it. */
  modifiedAt: Instant.optional(),
  archivedAt: Instant.optional(),
  suspendedAt: Instant.optional(),
  /** When the directory, or a feed of leavers, said that the person left. */
  leftDirectoryAt: Instant.optional(),
  /** Counts what people changed of it. */
  revision: z.int().positive(),
  /** Counts the writes of the row, seats that came by themselves included; every change is conditional on it. */
  version: z.int().positive(),
})
export type User = z.infer<typeof User>

/** What the row of a person cannot hold: it could not be read again. */
export function checkRoom({
  name,
  direct,
  withheld,
  directory,
}: Pick<User, 'name' | 'direct' | 'withheld' | 'directory'>): Refusal | undefined {
  const groups = directory?.groups.length ?? 0
  if (groups > MOST_MEMBERSHIPS)
    return refuse('TOO_MUCH_AT_ONCE', `${name} would be in more than ${MOST_MEMBERSHIPS} groups.`)
  return Math.max(direct.length, withheld.length) > MOST_BY_HAND
    ? refuse(
        'TOO_MUCH_AT_ONCE',
        `${name} would have more than ${MOST_BY_HAND} modules given or withheld by hand.`,
      )
    : undefined
}

/** A person as the API shows it. */
export const UserView = User.omit({ version: true, holds: true, activeDay: true }).meta({ id: 'User' })
export type UserView = z.infer<typeof UserView>

export function userView({ version: _, holds: __, activeDay: ___, ...view }: User): UserView {
  return view
}

/** A person with its seats; each says why it is there. */
export const PersonView = UserView.extend({ seats: z.array(Seat) }).meta({ id: 'Person' })
export type PersonView = z.infer<typeof PersonView>

/** The person with the instant since when it is suspended, or without. */
export function datedStatus(user: User, before: User | undefined, now: Instant): User {
  const { suspendedAt, ...others } = user
  if (user.status !== 'suspended') return others
  return { ...others, suspendedAt: before?.status === 'suspended' ? (suspendedAt ?? now) : now }
}
