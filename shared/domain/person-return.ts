import { DAY, type Instant, plusMilliseconds } from '../platform/time.ts'
import type { Directory } from './directory.ts'
import type { Organizations } from './organization.ts'
import type { Seat, SeatPolicy } from './seat.ts'
import type { User } from './user.ts'

/** A person who left: it holds nothing from now on. What it had is remembered, should it come back. */
export function archivePerson(user: User, seats: readonly Seat[], now: Instant): User {
  if (user.status === 'archived') return user
  return {
    ...user,
    status: 'archived',
    archivedAt: now,
    former: {
      seats: seats.map(({ productId, metric, pinned }) => ({ productId, metric, pinned })),
      groups: [],
    },
  }
}

/**
 * A person who is back. Its roles say what seats it needs; of those that would serve, the ones it had come first if it
 * is back within the days of the policy, and no seat is kept for it.
 */
export function returnPerson(
  user: User,
  organizations: Organizations,
  { undoDays }: Pick<SeatPolicy, 'undoDays'>,
  now: Instant,
): User {
  if (user.status !== 'archived') return user
  const {
    archivedAt = now,
    suspendedAt: _,
    leftDirectoryAt: __,
    organizationId,
    former,
    directory,
    ...others
  } = user
  const isInTime = now < plusMilliseconds(archivedAt, undoDays * DAY)
  // Its organization may be gone by now; then it is a person of the tenant itself.
  const isThere = organizationId !== undefined && organizations.get(organizationId)?.archivedAt === undefined
  return {
    ...others,
    ...(directory && { directory: takenBack(directory) }),
    ...(isThere && organizationId && { organizationId }),
    ...(isInTime && former && { former }),
    status: 'active',
  }
}

/** It is there for the directory again, also should it be archived once more by somebody else. */
function takenBack({ deletedAt: _, ...directory }: Directory): Directory {
  return directory
}
