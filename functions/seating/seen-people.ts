import type { Caller } from '../../shared/domain/access.ts'
import { type Organizations, seesOrganization } from '../../shared/domain/organization.ts'
import type { OrganizationId, TenantId, UserId } from '../../shared/platform/ids.ts'
import type { Table } from '../../shared/store/transact.ts'
import { readUsers } from '../../shared/store/user.ts'

/** What is told of a person, and where that was when it was written. */
type Told = { readonly userId: UserId; readonly organizationId?: OrganizationId | undefined }

/** Which of what is told of people the caller may know of: it is where a person is now that says so, not where it was. */
export async function seenPeople(
  table: Table,
  tenantId: TenantId,
  told: readonly Told[],
  caller: Caller,
  all: Organizations,
): Promise<(one: Told) => boolean> {
  if (caller.kind !== 'tenant' || caller.role !== 'org:admin') return () => true
  const users = await readUsers(table, tenantId, [...new Set(told.map(({ userId }) => userId))])
  const seen = new Set(
    users.filter(({ organizationId }) => seesOrganization(caller, organizationId, all)).map(({ id }) => id),
  )
  return ({ userId }) => seen.has(userId)
}
