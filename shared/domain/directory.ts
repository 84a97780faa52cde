import * as z from 'zod'
import { GroupId, TenantId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { Email } from './email.ts'
import { Code, Name } from './terms.ts'

const Text = z.string().max(200)

/** What a directory says of a person, kept as it came, so that it finds it again when it compares. */
export const Profile = z.strictObject({
  /** Unique in the tenant, whatever its case. */
  userName: z.string().min(1).max(254),
  displayName: Text.optional(),
  formatted: Text.optional(),
  givenName: Text.optional(),
  familyName: Text.optional(),
  title: Text.optional(),
  department: Text.optional(),
  /** What it said last; absent where it said nothing. */
  active: z.boolean().optional(),
  emails: z
    .array(
      z.strictObject({
        value: Email,
        type: Text.optional(),
        primary: z.boolean().optional(),
        display: Text.optional(),
      }),
    )
    .max(20),
  addresses: z
    .array(
      z.strictObject({ country: Text.optional(), type: Text.optional(), primary: z.boolean().optional() }),
    )
    .max(20),
})
export type Profile = z.infer<typeof Profile>

/** Groups of one person: its row names each of them. */
export const MOST_MEMBERSHIPS = 100

/** A person as a directory keeps it. */
export const Directory = z.strictObject({
  ...Profile.shape,
  groups: z.array(GroupId).max(MOST_MEMBERSHIPS),
  /** Roles that the person has by groups alone: they go with the groups. */
  roles: z.array(Code),
  /** The directory took the person away; it is not there for it any more. */
  deletedAt: Instant.optional(),
})
export type Directory = z.infer<typeof Directory>

/** A group of a directory. Whoever is in it has the roles it gives. */
export const Group = z
  .strictObject({
    id: GroupId,
    tenantId: TenantId,
    /** Unique in the tenant, whatever its case. */
    displayName: Name,
    externalId: z.string().min(1).max(200).optional(),
    /** The roles it gives; if absent, the role whose name it bears. */
    roles: z.array(Code).max(20).optional(),
    createdAt: Instant,
    revision: z.int().positive(),
    /** Counts the changes of what it gives, so that nobody joins it on what it gave before. */
    given: z.int().positive(),
    /** What it gives has changed, and not all who are in it have it yet. */
    spreading: z.literal(true).optional(),
    /** Hash of the request that makes or edits it, until its members are as that says: the same again goes on. */
    filling: z.string().optional(),
    /** When it was last changed, or who is in it. */
    modifiedAt: Instant.optional(),
    /** It is being taken away. */
    deletedAt: Instant.optional(),
  })
  .meta({ id: 'DirectoryGroup' })
export type Group = z.infer<typeof Group>

/** `Content Authors` bears the name of the role `content-authors`. */
const slug = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-')

/** The roles that a group gives: those it was given, or the declared role whose name it bears. */
export function rolesOf(
  { roles, displayName }: Pick<Group, 'roles' | 'displayName'>,
  declared: ReadonlySet<string>,
): readonly string[] {
  return roles ?? [...declared].filter((role) => slug(role) === slug(displayName)).toSorted()
}
