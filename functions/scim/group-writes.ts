import { createHash } from 'node:crypto'
import type { Group } from '../../shared/domain/directory.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { changes } from '../../shared/domain/revision.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { nameEntity } from '../../shared/store/address.ts'
import { groupItem } from '../../shared/store/group.ts'
import { groupKey, groupNameKey, type Key } from '../../shared/store/keys.ts'
import { type Action, putOnce, putRevision } from '../../shared/store/transact.ts'
import { outdated, stale } from '../until-fresh.ts'
import type { GroupChange } from './group-patch.ts'

type Told = { writes: Record<string, Action>; refusals: Record<string, Refusal> }

/** Names a request, so that the same one is known again. */
export const hashOf = (request: unknown) =>
  createHash('sha256').update(JSON.stringify(request)).digest('base64url')

/** Is the group as it was when it was read, where the caller says so? */
export function checkRevision({ revision }: Group, named: number): Refusal | undefined {
  return named > 0 && named !== revision ? stale : undefined
}

/** Nobody joins groups on what they gave before. */
export function asGiven(groups: readonly Group[]): Told {
  const checks = groups.map(({ tenantId, id, given }): [string, Action] => [
    `what ${id} gives`,
    {
      kind: 'check',
      key: groupKey(tenantId, id),
      condition: 'given = :given',
      values: { ':given': given },
    },
  ])
  return {
    writes: Object.fromEntries(checks),
    refusals: Object.fromEntries(checks.map(([label]) => [label, outdated])),
  }
}

/** What a group is found by, and nobody else may be. One that is taken away leaves it free. */
function addresses({ tenantId, displayName, externalId, deletedAt }: Group): Map<string, Key> {
  if (deletedAt !== undefined) return new Map()
  return new Map([
    ['name', groupNameKey(tenantId, 'NAME', displayName.toLowerCase())],
    ...(externalId ? [['external id', groupNameKey(tenantId, 'EXTERNAL', externalId)] as const] : []),
  ])
}

/** Makes a group, or replaces it as it was read; with its addresses. */
export function writeGroup(before: Group | undefined, after: Group): Told {
  const writes: Record<string, Action> = {
    group: before === undefined ? putOnce(groupItem(after)) : putRevision(groupItem(after), before.revision),
  }
  const [old, next] = [before ? addresses(before) : new Map<string, Key>(), addresses(after)]
  for (const [name, key] of next)
    if (old.get(name)?.sk !== key.sk) writes[name] = putOnce(nameEntity.encode(key, { id: after.id }))
  for (const [name, key] of old)
    if (next.get(name)?.sk !== key.sk) writes[`old ${name}`] = { kind: 'remove', key }
  return {
    writes,
    refusals: {
      group: outdated,
      name: refuse('GROUP_EXISTS', `There is a group called ${after.displayName}.`),
      'external id': refuse('GROUP_EXISTS', `There is a group with the external id ${after.externalId}.`),
    },
  }
}

/** How a change of a group is written and told; of none there is nothing. */
export function told(current: Group, next: Group, members: object = {}) {
  if (next === current) return { writes: {}, events: [], refusals: {} }
  const { tenantId, id } = current
  const [{ filling: _, ...was }, { filling: __, ...is }] = [current, next]
  const { before, after } = changes(was, is)
  const subject = { type: 'group', id }
  const event = { type: 'group.edited', tenantId, subject, before, after: { ...after, ...members } } as const
  return { ...writeGroup(current, next), events: [event] }
}

/** The group as it is to be. A name may be a role's, so that another name gives another role. */
export function edited(
  group: Group,
  { displayName, externalId }: GroupChange,
  isMoved: boolean,
  now: Instant,
): Group {
  const { externalId: before, filling: _, ...others } = group
  const nextId = externalId === undefined ? before : (externalId ?? undefined)
  const isRenamed = displayName !== undefined && displayName !== group.displayName
  if (!isRenamed && nextId === before && !isMoved) return group
  const givesOther = isRenamed && group.roles === undefined
  return {
    ...others,
    ...(isRenamed && { displayName }),
    ...(nextId && { externalId: nextId }),
    ...(givesOther && { given: group.given + 1, spreading: true as const }),
    modifiedAt: now,
    revision: group.revision + 1,
  }
}
