import type { OrganizationId } from '../platform/ids.ts'
import { type Organizations, pathOf } from './organization.ts'
import type { User } from './user.ts'

/** The columns of people in CSV; what an import takes of them is in its contract. */
export const PERSON_COLUMNS = [
  'id',
  'name',
  'email',
  'externalId',
  'organization',
  'roles',
  'status',
  'usageLocation',
  'lastActiveAt',
  'seats',
] as const
type PersonColumn = (typeof PERSON_COLUMNS)[number]

/** Between the names of a path; within a name it is written `\/`. */
const SEPARATOR = '/'

/** An organization as people write it: the names from the top, `School/Physics`; empty for the tenant itself. */
function namePath(id: OrganizationId | undefined, all: Organizations): string {
  return pathOf(id, all)
    .toReversed()
    .map((one) =>
      (all.get(one)?.name ?? one).replaceAll('\\', '\\\\').replaceAll(SEPARATOR, `\\${SEPARATOR}`),
    )
    .join(SEPARATOR)
}

/** Organizations in use by their paths; several where names are the same. */
export function byPath(all: Organizations): ReadonlyMap<string, readonly OrganizationId[]> {
  const open = [...all.values()].filter(({ archivedAt }) => archivedAt === undefined)
  const paths = Map.groupBy(open, ({ id }) => namePath(id, all))
  return new Map([...paths].map(([path, organizations]) => [path, organizations.map(({ id }) => id)]))
}

/** A person's cells, in the order of the columns. */
export function personCells(user: User, all: Organizations): string[] {
  const cells: Record<PersonColumn, string> = {
    id: user.id,
    name: user.name,
    email: user.email ?? '',
    externalId: user.externalId ?? '',
    organization: namePath(user.organizationId, all),
    roles: user.roles.join(';'),
    status: user.status,
    usageLocation: user.usageLocation ?? '',
    lastActiveAt: user.lastActiveAt ?? '',
    seats: user.holds.join(';'),
  }
  return PERSON_COLUMNS.map((column) => cells[column])
}
