import type { Group } from '../../shared/domain/directory.ts'
import { isListed } from '../../shared/domain/person-directory.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { type GroupId, type TenantId, UserId } from '../../shared/platform/ids.ts'
import { groupMemberEntity, readMembers } from '../../shared/store/group.ts'
import { groupMemberKey } from '../../shared/store/keys.ts'
import { readItems } from '../../shared/store/read.ts'
import { readUsers } from '../../shared/store/user.ts'
import type { VerifyingServices } from '../verified.ts'
import type { GroupChange } from './group-patch.ts'
import type { Move } from './membership.ts'

/** Who joins and who leaves. Who joins must be somebody; who leaves may be nobody any more. */
export async function movesFor(
  services: VerifyingServices,
  { tenantId, id }: Group,
  { isReplaced, add, remove }: GroupChange,
): Promise<(readonly [UserId, Move])[] | Refusal> {
  const joining = [...add]
  const before = isReplaced
    ? new Set<string>(await readMembers(services.table, tenantId, id))
    : await amongMembers(services, tenantId, id, [...joining, ...remove])
  const wanted = await readPeople(
    services,
    tenantId,
    joining.filter((one) => !before.has(one)),
  )
  if (isRefusal(wanted)) return wanted
  const leaving = isReplaced
    ? [...before].filter((one) => !add.has(one))
    : [...remove].filter((one) => before.has(one))
  return [
    ...leaving.flatMap((one): (readonly [UserId, Move])[] => {
      const known = UserId.safeParse(one)
      return known.success ? [[known.data, 'leave']] : []
    }),
    ...wanted.map((one): readonly [UserId, Move] => [one, 'join']),
  ]
}

/** Which of these people are in the group. */
async function amongMembers(
  { table }: VerifyingServices,
  tenantId: TenantId,
  groupId: GroupId,
  ids: readonly string[],
): Promise<Set<string>> {
  const keys = [...new Set(ids)].flatMap((id) => {
    const known = UserId.safeParse(id)
    return known.success ? [groupMemberKey(tenantId, groupId, known.data)] : []
  })
  return new Set((await readItems(table, keys)).map((item) => groupMemberEntity.decode(item).userId))
}

/** People that are there for the directory, all of them. */
export async function readPeople(
  { table }: VerifyingServices,
  tenantId: TenantId,
  ids: readonly string[],
): Promise<UserId[] | Refusal> {
  const known = [...new Set(ids)].map((id) => UserId.safeParse(id).data ?? id)
  const people = await readUsers(
    table,
    tenantId,
    known.flatMap((id) => UserId.safeParse(id).data ?? []),
  )
  const there = new Set<string>(people.filter(isListed).map(({ id }) => id))
  const stranger = known.find((id) => !there.has(id))
  return stranger === undefined
    ? [...there].map((id) => UserId.parse(id))
    : refuse('INVALID_REQUEST', `There is no person ${stranger}.`, {
        members: { scimType: 'invalidValue' },
      })
}
