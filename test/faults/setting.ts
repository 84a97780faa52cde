import { createServer } from 'node:http'
import { afterAll, inject, vi } from 'vitest'
import { freePort, LOOPBACK } from '../../infra/local/port.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { startApi } from '../support/api.ts'
import { publishAll } from '../support/audit.ts'
import { stopClock } from '../support/clock.ts'
import { follower } from '../support/follow.ts'
import { type KeptTable, keepTable } from '../support/kept-table.ts'
import { expected } from '../support/scenario.ts'
import { createWorld, type World } from '../world/calls.ts'
import { faultyNetwork, type Network } from './network.ts'
import { newTally, type Tally } from './tally.ts'

/** Where each call fails in turn. */
export type Setting = {
  readonly world: World
  /** The world as the consumer of the stream left it. */
  readonly base: KeptTable
  /** What the consumer of the stream does, for the logs of the tenant and of the vendor. */
  readonly follow: () => Promise<void>
  readonly network: Network
  readonly tally: Tally
}

/** One world for a file of tests, at a time that stands still. */
export async function startSetting(): Promise<Setting> {
  // Waits between tries are drawn by lot.
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  stopClock()
  const others = await startOthers()
  vi.stubEnv('AWS_ENDPOINT_URL_SESV2', others.url)
  const api = await startApi({
    mail: { transport: 'ses', from: 'licensing@vendor.example', configurationSet: 'ours' },
  })
  const world = await createWorld(api)
  const follows = follower(api.table)
  const follow = async () => {
    for (const log of [TenantId.parse(world.tenancy.known.tenantId), undefined]) await follows(log)
  }
  await follow()
  // Only now: what was before it is not sent to it.
  await listen(world, others.url)
  await follow()
  await publishAll(api, TenantId.parse(world.tenancy.known.tenantId))
  const base = await keepTable(api.table)
  const network = faultyNetwork()
  const tally = newTally()
  afterAll(async () => {
    tally.save(inject('faultTally'))
    network.close()
    base.close()
    vi.useRealTimers()
    await api.stop()
    others.close()
  })
  return { world, base, follow, network, tally }
}

/** Whoever is sent something, by mail or webhook, and takes it. */
async function startOthers() {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json').end('{"MessageId":"a-mail"}')
    })
  })
  const port = await freePort()
  await new Promise<void>((listening) => server.listen(port, LOOPBACK, listening))
  return { url: `http://${LOOPBACK}:${port}`, close: () => server.close() }
}

/** Has the tenant's webhook endpoint told everything. */
function listen(world: World, url: string): Promise<unknown> {
  return edit(world, `/webhooks/${world.tenancy.known.webhookId}`, { url, eventTypes: ['*'] })
}

/** Something of the tenant's, edited by its administrator, who may be left without the time to finish. */
export async function edit(
  { api, tenancy: { known, tokens } }: World,
  path: string,
  body: object,
  { revision = 1, remaining }: { revision?: number; remaining?: () => number } = {},
): Promise<unknown> {
  const headers = { 'if-match': `"${revision}"` }
  const options = { token: tokens.get('tenant:admin'), body, headers, ...(remaining && { remaining }) }
  return expected(200, await api.call('PATCH', `/v1/tenants/${known.tenantId}${path}`, options))
}
