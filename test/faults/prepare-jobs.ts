import * as z from 'zod'
import type { JobName } from '../../functions/jobs.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { DAY, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { timerKey } from '../../shared/store/keys.ts'
import { SCAN_TIMER, VALIDATION_TIMER } from '../../shared/store/license-timers.ts'
import { REMINDER_TIMER } from '../../shared/store/reminder.ts'
import { writeRow } from '../../shared/store/write.ts'
import { sequenceAll } from '../support/audit.ts'
import { advanceClock } from '../support/clock.ts'
import { createTenant } from '../support/resources.ts'
import { expected } from '../support/scenario.ts'
import type { World } from '../world/calls.ts'
import { newKey } from '../world/tokens.ts'
import { edit, type Setting } from './setting.ts'

type Prepare = (setting: Setting) => Promise<unknown> | unknown

/** A call of somebody of the tenant's, who may be left without the time to finish. */
async function call(
  { api, tenancy: { tokens } }: World,
  method: string,
  path: string,
  body?: object,
  { as = 'tenant:admin', remaining }: { as?: 'tenant:admin' | 'tenant:scim'; remaining?: () => number } = {},
): Promise<unknown> {
  const token = tokens.get(as)
  const options = { token, body, headers: newKey(), ...(remaining && { remaining }) }
  const answer = await api.call(method, path, options)
  return expected(answer.status < 300 || (remaining && answer.status === 503) ? answer.status : 200, answer)
}

const pass = (days: number) => advanceClock(days * DAY)
const ofTenant = ({ tenancy: { known } }: World, path: string) => `/v1/tenants/${known.tenantId}${path}`
const loseTimer = ({ api }: World, kind: string, ...subject: string[]) =>
  writeRow(api.table, { kind: 'remove', key: timerKey(kind, subject) })

/** A license with seats for everybody, which counts from tomorrow on; it is then. */
async function orderSeats({ api, tenancy }: World): Promise<void> {
  const { tenantId, planId } = tenancy.known
  const validFrom = plusMilliseconds(readClock(), DAY)
  const body = { tenantId, planId, limits: { learners: 10 }, validFrom }
  expected(201, await api.call('POST', '/v1/licenses', { token: await api.token('vendor:admin'), body }))
  pass(2)
}

/** What has to be the case so that a job has something to do. */
export const prepare: Readonly<Record<JobName, Prepare>> = {
  async executeTransfers({ world: { api, tenancy }, follow }) {
    const { transferId, transferCode } = tenancy.known
    const token = await api.token('vendor:admin')
    const post = async (path: string, body: object) =>
      expected(200, await api.call('POST', path, { token, body, headers: newKey() }))
    await post(`/v1/tenants/${(await createTenant(api)).id}/transfers`, { transferCode })
    await post(`/v1/transfers/${transferId}/approve`, { reason: 'a test' })
    await follow()
  },
  validateLicenses: () => pass(2),
  noteTransitions: () => pass(366),
  async scanIntegrity({ follow }) {
    await follow()
    pass(2)
  },
  async watchTenants({ world }) {
    for (const kind of [VALIDATION_TIMER, SCAN_TIMER])
      await loseTimer(world, kind, world.tenancy.known.tenantId)
  },
  serveSeatQueues: ({ world }) => orderSeats(world),
  /** One loses its seat, which another waits for; one is told. */
  async reclaimSeats({ world }) {
    const { users } = world.tenancy
    const seen = (...who: number[]) =>
      call(world, 'POST', ofTenant(world, '/activity'), {
        records: who.map((one) => ({ userId: users[one] })),
      })
    await call(world, 'PUT', ofTenant(world, '/reclamation/rules'), { rules: [{ inactiveDays: 30 }] })
    await seen(0, 1, 2)
    pass(10)
    await seen(1, 2)
    pass(25)
    await seen(2)
    await world.api.run('reclaimSeats')
    pass(8)
    await seen(2)
  },
  async spreadGroups({ world }) {
    const { organizationId } = world.tenancy.known
    const members: { value: string }[] = []
    for (const name of ['fifth', 'sixth', 'seventh']) {
      const person = await call(world, 'POST', ofTenant(world, '/users'), { name, organizationId })
      members.push({ value: z.object({ id: z.string() }).parse(person).id })
    }
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
    const group = { schemas, displayName: 'Staff', members }
    const made = await call(world, 'POST', '/scim/v2/Groups', group, { as: 'tenant:scim' })
    const { id } = z.object({ id: z.string() }).parse(made)
    let asked = 0
    // Enough for the first of them.
    const remaining = () => (asked++ < 2 ? 60_000 : 0)
    await edit(world, `/groups/${id}`, { roles: ['author'] }, { revision: 2, remaining })
    pass(1)
  },
  async publishCheckpoints({ world }) {
    // Whatever waited before.
    pass(1)
    await world.api.run('publishCheckpoints')
    await call(world, 'POST', ofTenant(world, '/organizations'), { name: 'Another' })
    // One log that grew: of several each may be the first to be signed.
    await sequenceAll(world.api.table, TenantId.parse(world.tenancy.known.tenantId))
    pass(1)
  },
  async checkLogs({ follow }) {
    await follow()
    pass(1)
  },
  async runBulkChanges({ world }) {
    // Else it makes a difference which of those who are meant got a seat of another between two runs.
    await orderSeats(world)
    await world.api.run('serveSeatQueues')
    const filter = { organizationId: world.tenancy.known.organizationId }
    // Not enough time to find out who is meant.
    const remaining = () => 15_000
    await call(world, 'POST', ofTenant(world, '/bulk'), { action: { do: 'suspend' }, filter }, { remaining })
    pass(1)
  },
  async deliverWebhooks({ world, follow }) {
    await call(world, 'POST', ofTenant(world, `/webhooks/${world.tenancy.known.webhookId}/test`))
    await follow()
    pass(1)
  },
  async reviewReminders({ world }) {
    pass(300)
    const { tenantId, productId } = world.tenancy.known
    await loseTimer(world, REMINDER_TIMER, tenantId, productId)
  },
  sendNotices: () => pass(366),
}
