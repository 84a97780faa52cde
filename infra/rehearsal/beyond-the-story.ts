import assert from 'node:assert/strict'
import type * as z from 'zod'
import { accessRoutes } from '../../functions/access/routes.ts'
import { activationsRoutes } from '../../functions/activations/routes.ts'
import { catalogRoutes } from '../../functions/catalog/routes.ts'
import { leasesRoutes } from '../../functions/leases/routes.ts'
import { licensesRoutes } from '../../functions/licenses/routes.ts'
import { peopleRoutes } from '../../functions/people/routes.ts'
import { tenantsRoutes } from '../../functions/tenants/routes.ts'
import { createClient } from '../local/demo/client.ts'
import type { Narrator, World } from '../local/demo/tale.ts'

const LAB = {
  code: 'lab',
  name: 'Lab',
  metrics: ['users', 'machines', 'concurrent'].map((code) => ({ code, kind: 'gauge' })),
  modules: [{ code: 'bench', name: 'Bench', seat: { metric: 'users', roles: ['scientist'] } }],
}
/** Two of each. */
const PLANS = [
  { name: 'Lab seats', allocation: 'named', limits: { users: 2 } },
  { name: 'Lab machines', allocation: 'node-locked', limits: { machines: 2 } },
  { name: 'Lab floating', allocation: 'floating', limits: { concurrent: 2 } },
]
const AT_ONCE = 10

type Asked = Parameters<ReturnType<typeof createClient>['send']>[0]

/**
 * What the story of the demo does not tell: machines, floating licenses and seats, of which there are two each, and ten
 * ask for them at once.
 *
 * @throws AssertionError where something does not happen as it should
 */
export async function goBeyond({ url, token }: World, narrator: Narrator): Promise<void> {
  const client = createClient(url)
  const vendor = `Bearer ${token}`
  narrator.chapter('Machines, floating licenses, seats: two of each, and ten who ask at once')
  const product = await client.ask(catalogRoutes.createProduct, vendor, { body: LAB })
  const tenant = await client.ask(tenantsRoutes.createTenant, vendor, {
    body: { name: 'Example Lab', customerId: 'L-1', timeZone: 'UTC', contacts: [] },
  })
  for (const terms of PLANS) {
    const draft = { productId: product.id, term: 'subscription', duration: 'P1Y', features: {}, ...terms }
    const plan = await client.ask(catalogRoutes.createPlan, vendor, { body: draft })
    await client.ask(licensesRoutes.issueLicense, vendor, { body: { tenantId: tenant.id, planId: plan.id } })
  }
  const app = await tokenOf('tenant:app')
  const admin = await tokenOf('tenant:admin')

  await granted('machines', activationsRoutes.activateMachine, app, (index) => ({
    product: LAB.code,
    fingerprints: [{ component: 'board', value: `board-of-machine-${index}` }],
  }))
  await granted('floating', leasesRoutes.checkOut, app, (index) => ({
    product: LAB.code,
    leaseToken: `rehearsal-${index}`,
  }))
  const people = await atOnce((index) =>
    client.ask(peopleRoutes.createUser, admin, {
      params: { tenantId: tenant.id },
      body: { name: `Person ${index}`, roles: ['scientist'] },
    }),
  )
  const seated = people.filter(({ seats }) => seats.length > 0)
  assert.deepEqual(
    [seated.length, people.filter(({ pending }) => pending.length > 0).length],
    [2, AT_ONCE - 2],
  )
  narrator.say('seats', `2 of ${AT_ONCE} people have one, ${AT_ONCE - 2} wait for theirs`)

  async function tokenOf(role: string): Promise<string> {
    const body = { name: `Rehearsal ${role}`, role, tenantId: tenant.id }
    return `Bearer ${(await client.ask(accessRoutes.createToken, vendor, { body })).token}`
  }

  /** Ten at once get two, and are told so. */
  async function granted<B extends z.ZodType>(
    what: string,
    route: Asked & { readonly body: B; readonly success: { readonly status: number } },
    credential: string,
    bodyOf: (index: number) => z.input<B>,
  ): Promise<void> {
    const answers = await atOnce((index) => client.send(route, credential, { body: bodyOf(index) }))
    const statuses = answers.map(({ status }) => status).toSorted()
    assert.deepEqual(statuses, [route.success.status, route.success.status, ...Array(AT_ONCE - 2).fill(409)])
    narrator.say(what, `2 of ${AT_ONCE} granted, ${AT_ONCE - 2} refused`)
  }
}

const atOnce = <T>(ask: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: AT_ONCE }, (_, index) => ask(index)))
