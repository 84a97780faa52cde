import type { Group } from '../../shared/domain/directory.ts'
import type { UserId } from '../../shared/platform/ids.ts'
import { GROUP } from './schemas.ts'
import type { GroupResource } from './shapes.ts'

/** A group as SCIM shows it. */
export function groupResource(group: Group, members: readonly UserId[], issuer: string): GroupResource {
  const { id, displayName, externalId, createdAt, modifiedAt, revision } = group
  return {
    schemas: [GROUP],
    id,
    ...(externalId && { externalId }),
    displayName,
    ...(members.length > 0 && {
      members: members.map((value) => ({
        value,
        $ref: `${issuer}/scim/v2/Users/${value}`,
        type: 'User' as const,
      })),
    }),
    meta: {
      resourceType: 'Group',
      created: createdAt,
      lastModified: modifiedAt ?? createdAt,
      location: `${issuer}/scim/v2/Groups/${id}`,
      version: `W/"${revision}"`,
    },
  }
}
