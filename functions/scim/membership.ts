import type { Directory, Group } from '../../shared/domain/directory.ts'
import { directoryOf, inGroups, isListed, revised } from '../../shared/domain/person-directory.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { GroupId, TenantId, UserId } from '../../shared/platform/ids.ts'
import { readGroup, readGroupsOf } from '../../shared/store/group.ts'
import { editPersonFor } from '../seating/change-person.ts'
import type { CommitRequest } from '../services.ts'
import type { VerifyingServices } from '../verified.ts'
import { declaredRoles } from './declared-roles.ts'
import { asGiven } from './group-writes.ts'

/** A request that changes who is in a group, and the time it has. */
export type Request = Pick<CommitRequest, 'caller' | 'now' | 'requestId'> & {
  readonly remaining: () => number
}

/** What becomes of a person's membership: it joins, leaves, or stays and gets what the group gives now. */
export type Move = 'join' | 'leave' | 'stay'

/** People changed at once: all of them may draw from one pool, and would be in each other's way. */
const AT_ONCE = 4
/** Milliseconds to keep for the answer. */
export const RESERVE = 4_000
const ROUNDS = 4

/** The work that time did not allow: the same request again goes on with it. */
const unfinished = (left: number) =>
  refuse('UNFINISHED', `${left} people are still to be changed; those before them are done.`, {
    retryAfter: 1,
  })

/**
 * Changes membership, each person with its roles and seats in one transaction. It is the person's row that says which
 * groups it is in, so a repeated change finds nothing to do.
 *
 * @returns undefined once all are changed; else the refusal of one, or that time ran out. One who stays and cannot have
 *   what the group gives keeps nobody else from it
 */
export async function moveMembers(
  request: Request,
  services: VerifyingServices,
  tenantId: TenantId,
  groupId: GroupId,
  moves: readonly (readonly [UserId, Move])[],
): Promise<Refusal | undefined> {
  let open = [...moves]
  let without: Refusal | undefined
  const faults: unknown[] = []
  for (let round = 0; open.length > 0; round += 1) {
    const again: (readonly [UserId, Move])[] = []
    const queue = open.values()
    let refused: Refusal | undefined
    let isLate = false
    // Those who lost every race try once more, on their own.
    const width = round === 0 ? AT_ONCE : 1
    await Promise.all(
      Array.from({ length: Math.min(width, open.length) }, async () => {
        for (const one of queue) {
          isLate ||= request.remaining() < RESERVE
          if (isLate || refused !== undefined) {
            again.push(one)
            continue
          }
          // One who cannot be read keeps nobody else from it, either.
          const done = await moveMember(request, services, tenantId, groupId, ...one).catch(
            (fault: unknown) => {
              faults.push(fault)
            },
          )
          if (!isRefusal(done) || done.refused === 'NOT_FOUND') continue
          if (done.refused === 'CONTENDED' && round < ROUNDS) again.push(one)
          else if (one[1] === 'stay') without ??= done
          else refused = done
        }
      }),
    )
    if (refused !== undefined) return refused
    if (isLate) return unfinished(again.length)
    open = again
  }
  if (faults.length > 0) throw new AggregateError(faults, `${faults.length} people of a group failed`)
  return without
}

function moveMember(
  request: Request,
  services: VerifyingServices,
  tenantId: TenantId,
  groupId: GroupId,
  userId: UserId,
  move: Move,
) {
  const { table } = services
  let decidedOn: readonly Group[] = []
  return editPersonFor(
    { ...request, idempotencyKey: undefined, fingerprint: '' },
    services,
    { tenantId, userId },
    {
      event: move === 'stay' ? 'user.edited' : `group.${move === 'join' ? 'joined' : 'left'}`,
      mayWait: true,
      async next({ user }, seating) {
        const seen = await readGroup(table, tenantId, groupId)
        const isOpen = seen !== undefined && seen.deletedAt === undefined
        if (move === 'join' && !(isOpen && isListed(user))) return notFound
        const before: Directory['groups'] = directoryOf(user).groups
        const others = before.filter((id) => id !== groupId)
        if (move === 'leave' ? others.length === before.length : move === 'stay' && !before.includes(groupId))
          return user
        const wanted = move === 'leave' || !isOpen ? others : [...others, groupId]
        const groups = await readGroupsOf(table, tenantId, wanted)
        // Another one on its way to everybody in it may have been here already, and found nothing to do.
        const own = move === 'leave' ? undefined : seen
        decidedOn = [
          ...(own ? [own] : []),
          ...groups.filter(({ id, spreading }) => id !== groupId && spreading),
        ]
        const next = inGroups(user, groups, declaredRoles(seating))
        return isRefusal(next) ? next : revised(user, next)
      },
      also: () => asGiven(decidedOn),
    },
    () => ({}),
  )
}
