import type { Group } from '../../shared/domain/directory.ts'
import { isRefusal, notFound } from '../../shared/domain/refusal.ts'
import { changes, checkEdit } from '../../shared/domain/revision.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { readGroup, readGroups } from '../../shared/store/group.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { VerifyingServices } from '../verified.ts'
import { writeGroup } from './group-writes.ts'
import type { scimRoutes } from './routes.ts'
import { spread } from './spread.ts'

type GroupRoleHandlers = Pick<Handlers<typeof scimRoutes, VerifyingServices>, 'listGroups' | 'editGroup'>

export const groupRoleHandlers: GroupRoleHandlers = {
  async listGroups({ params: { tenantId } }, { table }) {
    const [tenant, groups] = await Promise.all([readTenant(table, tenantId), readGroups(table, tenantId)])
    return tenant === undefined
      ? notFound
      : { items: groups.filter(({ deletedAt }) => deletedAt === undefined) }
  },

  async editGroup(call, services) {
    const { tenantId, groupId } = call.params
    const current = await readGroup(services.table, tenantId, groupId)
    if (current === undefined || current.deletedAt !== undefined) return notFound
    const refused = checkEdit(current, call.revision)
    if (refused) return refused
    const { roles: before, ...others } = current
    const { roles } = call.body
    const isSame = JSON.stringify(before ?? null) === JSON.stringify(roles)
    const next: Group = isSame
      ? current
      : {
          ...others,
          ...(roles && { roles }),
          given: current.given + 1,
          spreading: true,
          modifiedAt: call.now,
          revision: current.revision + 1,
        }
    const { writes, refusals } = writeGroup(current, next)
    const done = await services.commit(call, {
      writes: isSame ? {} : writes,
      events: isSame
        ? []
        : [
            {
              type: 'group.roles-changed',
              tenantId,
              subject: { type: 'group', id: groupId },
              ...changes(current, next),
            },
          ],
      reply: next,
      refusals,
    })
    if (isRefusal(done) || isSame) return done
    const late = await spread(call, services, tenantId, groupId)
    if (late || 'replayed' in done) return done
    // Not as it is now: that may be another's change, and another's revision.
    const { spreading: _, ...settled } = done
    return settled
  },
}
