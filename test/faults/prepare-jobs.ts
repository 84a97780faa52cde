import type { JobName } from '../../functions/jobs.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { DAY, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { advanceClock } from '../support/clock.ts'
import type { follower } from '../support/follow.ts'
import { expected } from '../support/scenario.ts'
import type { World } from '../world/calls.ts'
import { newKey } from '../world/tokens.ts'

type Prepare = (world: World, follow: ReturnType<typeof follower>) => Promise<unknown> | unknown

/** A call of the tenant's administrator, with its tenant in the path. */
async function call(
  { api, tenancy: { known, tokens } }: World,
  method: string,
  path: string,
  body?: object,
  remaining?: () => number,
): Promise<void> {
  const token = tokens.get('tenant:admin')
  const options = { token, body, headers: newKey(), ...(remaining && { remaining }) }
  const answer = await api.call(method, `/v1/tenants/${known.tenantId}${path}`, options)
  expected(answer.status < 300 ? answer.status : 200, answer)
}

const pass = (days: number) => advanceClock(days * DAY)

/** What has to be the case so that a job has something to do. */
export const prepare: Partial<Record<JobName, Prepare>> = {
  validateLicenses: () => pass(2),
  noteTransitions: () => pass(366),
  scanIntegrity: () => pass(2),
  async serveSeatQueues({ api, tenancy: { known } }) {
    const { tenantId, planId } = known
    const order = {
      tenantId,
      planId,
      limits: { learners: 10 },
      validFrom: plusMilliseconds(readClock(), DAY),
    }
    expected(
      201,
      await api.call('POST', '/v1/licenses', { token: await api.token('vendor:admin'), body: order }),
    )
    pass(2)
  },
  async reclaimSeats(world) {
    await call(world, 'PUT', '/reclamation/rules', {
      rules: [{ product: world.tenancy.known.product, inactiveDays: 30 }],
    })
    pass(60)
  },
  async publishCheckpoints(world) {
    await call(world, 'POST', '/organizations', { name: 'Another' })
    pass(1)
  },
  async runBulkChanges(world) {
    const filter = { organizationId: world.tenancy.known.organizationId }
    // Not enough time to find out who is meant.
    await call(world, 'POST', '/bulk', { action: { do: 'suspend' }, filter }, () => 15_000)
  },
  async deliverWebhooks(world, follow) {
    await call(world, 'POST', `/webhooks/${world.tenancy.known.webhookId}/test`)
    await follow(TenantId.parse(world.tenancy.known.tenantId))
    pass(1)
  },
  sendNotices: () => pass(366),
}
