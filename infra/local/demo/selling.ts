import assert from 'node:assert/strict'
import { accessRoutes } from '../../../functions/access/routes.ts'
import { catalogRoutes } from '../../../functions/catalog/routes.ts'
import { installsRoutes } from '../../../functions/installs/routes.ts'
import { licensesRoutes } from '../../../functions/licenses/routes.ts'
import { tenantsRoutes } from '../../../functions/tenants/routes.ts'
import { usageRoutes } from '../../../functions/usage/routes.ts'
import type { LicenseView } from '../../../shared/domain/license-view.ts'
import type { Overview } from '../../../shared/domain/overview.ts'
import type { PlanId, TenantId } from '../../../shared/platform/ids.ts'
import { DAY, plusMilliseconds } from '../../../shared/platform/time.ts'
import { day, expectVerdict, type Issued, type People, PRODUCT, showOverview, type Tale } from './tale.ts'

const ACADEMY = {
  code: PRODUCT,
  name: 'Academy',
  metrics: [
    { code: 'users', kind: 'gauge' },
    { code: 'departments', kind: 'gauge' },
    { code: 'signatures', kind: 'counter' },
    { code: 'certificates', kind: 'counter' },
  ],
  features: [{ code: 'sso', type: 'boolean' }],
  modules: [
    { code: 'learn', name: 'Learn', metrics: ['users', 'departments'], features: ['sso'] },
    { code: 'observe', name: 'Observe', metrics: ['signatures', 'certificates'] },
  ],
}

const ACADEMY_100 = {
  name: 'Academy 100',
  term: 'subscription',
  allocation: 'named',
  duration: 'P1Y',
  graceDays: 30,
  limits: { users: 100, departments: 12 },
  features: { sso: true },
}

const COLLEGE = {
  name: 'Example College',
  customerId: 'C-2002',
  timeZone: 'Europe/Berlin',
  contacts: [{ name: 'Tom', email: 'tom@example.org', role: 'owner' }],
}

export async function setUpShop({
  client,
  narrator,
  token,
}: Tale): Promise<{ planId: PlanId; tenantId: TenantId; people: People }> {
  narrator.chapter('The vendor declares a product and a plan, and takes in a tenant')
  const vendor = `Bearer ${token}`
  const product = await client.ask(catalogRoutes.createProduct, vendor, { body: ACADEMY })
  const plan = await client.ask(catalogRoutes.createPlan, vendor, {
    body: { productId: product.id, ...ACADEMY_100 },
  })
  const tenant = await client.ask(tenantsRoutes.createTenant, vendor, { body: COLLEGE })
  const tokenFor = async (body: object) =>
    `Bearer ${(await client.ask(accessRoutes.createToken, vendor, { body })).token}`
  const people = {
    vendor,
    ina: await tokenFor({ name: 'Ina', role: 'vendor:issuer' }),
    tom: await tokenFor({ name: 'Tom', role: 'tenant:admin', tenantId: tenant.id }),
  }
  narrator.say('product', `${product.name}: ${product.metrics.map(({ code }) => code).join(', ')}`)
  narrator.say('modules', product.modules.map(({ name }) => name).join(', '))
  narrator.say('plan', `${plan.name}: ${plan.limits['users']} users, a year, ${plan.graceDays} days of grace`)
  narrator.say('tenant', `${tenant.name}, customer ${tenant.customerId}, ${tenant.timeZone}`)
  narrator.say('tokens', 'Ina (vendor:issuer), Tom (tenant:admin)')
  return { planId: plan.id, tenantId: tenant.id, people }
}

export async function sell(
  tale: Tale,
  planId: PlanId,
  tenantId: TenantId,
  { ina, tom }: People,
): Promise<{ active: Issued; grace: Issued }> {
  const { client, narrator, now } = tale
  narrator.chapter('Ina issues two licenses; Tom uploads the file of the first')
  const issue = (order: object) =>
    client.ask(licensesRoutes.issueLicense, ina, { body: { tenantId, planId, ...order } })
  const active = await issue({ applyOn: 'upload' })
  const grace = await issue({
    limits: { users: 10, departments: 0 },
    validFrom: plusMilliseconds(now, -375 * DAY),
    expiresAt: plusMilliseconds(now, -10 * DAY),
  })
  assert.deepEqual([active.license.status, grace.license.status], ['ACTIVE', 'GRACE'])
  for (const { license } of [active, grace]) narrator.say(license.status, inShort(license))
  await expectVerdict(tale, active, 'NOT_APPLIED', 'the first, as its file is not uploaded yet')

  const upload = () =>
    client.ask(installsRoutes.uploadLicense, tom, { params: { tenantId }, body: { file: active.file } })
  assert.equal((await upload()).changed, true)
  narrator.say('upload', 'genuine, for this tenant, in force: applied')
  assert.equal((await upload()).changed, false)
  narrator.say('once more', 'changes nothing')
  return { active, grace }
}

export async function takeStock(tale: Tale, { license, key }: Issued, people: People): Promise<Overview> {
  const { client, narrator } = tale
  narrator.chapter('The application reports 63 users; Tom sees where he stands')
  const records = [{ metric: 'users', value: 63 }]
  await client.ask(usageRoutes.recordUsage, `License ${key}`, { body: { records } })
  const overview = await showOverview(tale, license.tenantId, people)
  assert.equal(overview.mode, 'licensed')
  assert.deepEqual(overview.users, { active: 63, capacity: 110, remaining: 47, utilization: 57 })
  return overview
}

export async function validate(tale: Tale, active: Issued, grace: Issued): Promise<void> {
  tale.narrator.chapter('The application validates its key, which is credential enough')
  await expectVerdict(tale, active, 'VALID', 'the license of 100 users')
  await expectVerdict(tale, grace, 'GRACE_PERIOD', 'the license of 10 users')
}

export async function suspendAndReinstate(tale: Tale, active: Issued, { ina }: People): Promise<void> {
  const { client, narrator } = tale
  narrator.chapter('Ina suspends the first license, then reinstates it')
  const params = { licenseId: active.license.id }
  const suspension = { params, body: { reason: 'Invoice 4711 is overdue' } }
  const suspended = await client.ask(licensesRoutes.suspendLicense, ina, suspension)
  assert.equal(suspended.status, 'SUSPENDED')
  await expectVerdict(tale, active, 'SUSPENDED', 'from the next validation on')
  const reinstated = await client.ask(licensesRoutes.reinstateLicense, ina, {
    params,
    body: { reason: 'Paid' },
  })
  assert.equal(reinstated.status, 'ACTIVE')
  await expectVerdict(tale, active, 'VALID', 'reinstated')
}

function inShort({ limits, expiresAt, graceEndsAt, status, key }: LicenseView): string {
  const end =
    status === 'GRACE'
      ? `expired ${day(expiresAt)}, works until ${day(graceEndsAt)}`
      : `until ${day(expiresAt)}`
  return `${String(limits['users']).padStart(3)} users, key ${key}, ${end}`
}
