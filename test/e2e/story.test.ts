import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { accessRoutes } from '../../functions/access/routes.ts'
import { activationsRoutes } from '../../functions/activations/routes.ts'
import { catalogRoutes } from '../../functions/catalog/routes.ts'
import { installsRoutes } from '../../functions/installs/routes.ts'
import { leasesRoutes } from '../../functions/leases/routes.ts'
import { licensesRoutes } from '../../functions/licenses/routes.ts'
import { operations } from '../../functions/routes.ts'
import { tenantsRoutes } from '../../functions/tenants/routes.ts'
import { webhooksRoutes } from '../../functions/webhooks/routes.ts'
import { bootLocal, type LocalStack } from '../../infra/local/boot.ts'
import { type Answer, createClient } from '../../infra/local/demo/client.ts'
import { tellStory } from '../../infra/local/demo/story.ts'
import { makeVendorToken, worldOf } from '../../infra/local/demo/world.ts'
import { synthesize } from '../../infra/synthesize.ts'
import { readClock } from '../../shared/platform/time.ts'
import { startReceiver, verified } from '../support/receiver.ts'
import { planDraft, productDraft, tenantDraft } from '../support/resources.ts'

const ROOT = join(import.meta.dirname, '../..')
const AT_ONCE = 50

const folder = mkdtempSync(join(tmpdir(), 'latchkey-e2e-'))
let stack: LocalStack
let admin: string

beforeAll(async () => {
  const assembly = await synthesize({ stage: 'local', outdir: join(folder, 'assembly') })
  stack = await bootLocal({ ...assembly, folder: join(folder, 'data'), port: 0, inMemory: true, quiet: true })
  admin = await makeVendorToken(stack)
})
afterAll(async () => {
  await stack?.close()
  rmSync(folder, { recursive: true, force: true })
})

const client = () => createClient(stack.url)
const vendor = () => `Bearer ${admin}`

/** The same request many times at once. */
function atOnce(send: (index: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: AT_ONCE }, (_, index) => send(index)))
}

const statuses = (answers: readonly Answer[]) => new Set(answers.map(({ status }) => status))

/** A tenant with a plan to sell it, of their own. */
async function newCustomer(terms: object = {}) {
  const metrics = ['users', 'machines', 'concurrent', 'render'].map((code) => ({
    code,
    kind: 'gauge' as const,
  }))
  const draft = productDraft({ metrics, modules: [] })
  const product = await client().ask(catalogRoutes.createProduct, vendor(), { body: draft })
  const plan = await client().ask(catalogRoutes.createPlan, vendor(), { body: planDraft(product.id, terms) })
  const tenant = await client().ask(tenantsRoutes.createTenant, vendor(), { body: tenantDraft() })
  return { planId: plan.id, tenantId: tenant.id, customerId: tenant.customerId }
}

const eventsOf = async (tenantId: string) => {
  const query = { order: 'oldest', limit: '100' }
  const { items } = await client().ask(tenantsRoutes.listEvents, vendor(), { params: { tenantId }, query })
  return items.map(({ type }) => type)
}

test('the stack supports all of the template', () => {
  expect(stack.unsupported).toEqual([])
})

describe('every operation of the route table is deployed', () => {
  const Problem = z.object({ code: z.string(), detail: z.string() })
  const ScimError = z.object({ status: z.string() })
  const paramsOf = (path: string) =>
    Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, 'any']))

  test('and a path that is not in it is told apart', async () => {
    const { status, body } = await client().send({ method: 'GET', path: '/v1/nothing' }, undefined)
    expect([status, Problem.parse(body)]).toEqual([
      404,
      { code: 'NOT_FOUND', detail: 'There is no GET /v1/nothing.' },
    ])
  })

  test.each(operations)('$operationId: $method $path', async (operation) => {
    const { path } = operation
    const { status, body } = await client().send(operation, undefined, { params: paramsOf(path) })
    // What is public may not be there: a calendar, a log that is empty.
    if (operation.access === 'public') expect([200, 400, 404]).toContain(status)
    else if (path.startsWith('/scim/')) expect([status, ScimError.parse(body).status]).toEqual([401, '401'])
    else expect([status, Problem.parse(body).code]).toEqual([401, 'UNAUTHENTICATED'])
  })
})

test('a webhook of this computer is told at once what happens, signed', async () => {
  const receiver = await startReceiver()
  try {
    const { tenantId } = await newCustomer()
    const body = { url: `${receiver.base}/hook`, eventTypes: ['webhook.created'] }
    const params = { tenantId }
    const { id, secret } = await client().ask(webhooksRoutes.createWebhook, vendor(), { params, body })
    // First the delivery is put, and then it is sent.
    for (const _ of ['put', 'sent']) await stack.streamsCaughtUp()
    const [message, ...others] = receiver.messages
    expect(others).toEqual([])
    expect(message && verified(message, secret)).toMatchObject({
      type: 'webhook.created',
      data: { tenantId, subject: { id }, actor: { kind: 'vendor', role: 'vendor:admin' } },
    })
  } finally {
    await receiver.close()
  }
})

test('the story of the demo happens as it is told', async () => {
  const chapters: string[] = []
  const narrator = {
    chapter: (title: string) => void chapters.push(title),
    say: () => undefined,
    outcome: () => undefined,
    cards: () => undefined,
  }
  const { overview, grace, active } = await tellStory(worldOf(stack, admin), narrator, readClock())
  expect(chapters).toHaveLength(9)
  expect(overview).toMatchObject({
    mode: 'licensed',
    users: { active: 63, capacity: 110, remaining: 47, utilization: 57 },
    licenses: [
      { id: grace.license.id, status: 'GRACE', capacity: { users: 10 } },
      { id: active.license.id, status: 'ACTIVE', capacity: { users: 100 } },
    ],
  })
})

describe('the story in the README, and each model after it', () => {
  const texts = ['README.md', 'shared/domain/README.md'].map((file) => readFileSync(join(ROOT, file), 'utf8'))
  const blocks = texts.flatMap((text) => [...text.matchAll(/```bash\n(.*?)```/gs)])
  const script = blocks.map(([, block]) => block).join('')
  const promised = [...script.matchAll(/ # (.+)$/gm)].map(([, text]) => text)
  const hasCurl = spawnSync('curl', ['--version']).status === 0

  test.runIf(hasCurl)('prints what its comments say', async () => {
    const home = join(folder, 'readme')
    mkdirSync(home)
    symlinkSync(join(ROOT, 'node_modules'), join(home, 'node_modules'), 'dir')

    const told = promisify(execFile)(
      'bash',
      ['-euo', 'pipefail', '-c', `URL='${stack.url}'\nTOKEN='${admin}'\n${script}`],
      { cwd: home },
    )
    // By itself it comes once a minute.
    const job = stack.schedules.find((name) => name.includes('executeTransfers')) ?? ''
    const runs = setInterval(() => void stack.runSchedule(job, readClock()), 1_000)
    const { stdout } = await told.finally(() => clearInterval(runs))

    expect(promised).toContain('VALID')
    expect(stdout.trimEnd().split('\n')).toEqual(promised)
  })
})

describe(`${AT_ONCE} requests at once`, () => {
  test('that upload the same file apply it once', async () => {
    const { planId, tenantId } = await newCustomer()
    const body = { tenantId, planId, applyOn: 'upload' }
    const { file } = await client().ask(licensesRoutes.issueLicense, vendor(), { body })

    const answers = await atOnce(() =>
      client().send(installsRoutes.uploadLicense, vendor(), { params: { tenantId }, body: { file } }),
    )

    expect(statuses(answers)).toEqual(new Set([200]))
    const { body: Upload } = installsRoutes.uploadLicense.success
    expect(answers.filter((answer) => Upload.parse(answer.body).changed)).toHaveLength(1)
    expect((await eventsOf(tenantId)).filter((type) => type === 'license.applied')).toHaveLength(1)
  })

  test('that import the same rows import each once', async () => {
    const { planId, tenantId, customerId } = await newCustomer()
    const rows = Array.from({ length: 2 }, (_, index) => ({
      reference: `${customerId}-${index}`,
      customerId,
      planId,
      validFrom: '2026-01-01T00:00:00Z',
    }))

    const answers = await atOnce(() =>
      client().send(licensesRoutes.importLicenses, vendor(), { body: { rows } }),
    )

    expect(statuses(answers)).toEqual(new Set([200]))
    const reports = answers.map(({ body }) => licensesRoutes.importLicenses.success.body.parse(body))
    for (const { imported, alreadyHere, remaining } of reports)
      expect({ remaining, total: imported + alreadyHere }).toEqual({ remaining: 0, total: rows.length })
    const imported = reports.flatMap(({ licenses }) => licenses.map(({ reference }) => reference))
    expect(imported.toSorted()).toEqual(rows.map(({ reference }) => reference).toSorted())
    const { items } = await client().ask(licensesRoutes.listLicenses, vendor(), { query: { tenantId } })
    expect(items).toHaveLength(rows.length)
    expect((await eventsOf(tenantId)).filter((type) => type === 'license.imported')).toHaveLength(rows.length)
  })

  test('with one idempotency key are one request', async () => {
    const { planId, tenantId } = await newCustomer()
    const idempotencyKey = `issue-${tenantId}`

    const answers = await atOnce(() =>
      client().send(licensesRoutes.issueLicense, vendor(), { body: { tenantId, planId }, idempotencyKey }),
    )

    expect(statuses(answers)).toEqual(new Set([201]))
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    const { items } = await client().ask(licensesRoutes.listLicenses, vendor(), { query: { tenantId } })
    expect(items).toHaveLength(1)
    expect((await eventsOf(tenantId)).filter((type) => type === 'license.issued')).toHaveLength(1)
  })

  test('with one idempotency key and different bodies: one happens, the others are refused', async () => {
    const idempotencyKey = `tokens-${(await newCustomer()).tenantId}`

    const answers = await atOnce((index) =>
      client().send(accessRoutes.createToken, vendor(), {
        body: { name: `${idempotencyKey} ${index}`, role: 'vendor:support' },
        idempotencyKey,
      }),
    )

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    const refused = answers.filter(
      ({ body }) => z.object({ code: z.literal('IDEMPOTENCY_MISMATCH') }).safeParse(body).success,
    )
    expect(refused).toHaveLength(AT_ONCE - 1)
    const { items } = await client().ask(accessRoutes.listTokens, vendor(), { query: { limit: '100' } })
    expect(items.filter(({ name }) => name.startsWith(idempotencyKey))).toHaveLength(1)
  })

  describe.each([
    ['none', undefined, 5],
    ['two more', { overdraft: { kind: 'absolute', units: 2 } }, 7],
  ])('with five places and an overdraft of %s', (_, rules, most) => {
    const sold = async (allocation: string, limits: object) => {
      const { planId, tenantId } = await newCustomer({ allocation, limits, ...(rules && { rules }) })
      const issued = await client().ask(licensesRoutes.issueLicense, vendor(), { body: { tenantId, planId } })
      return `License ${issued.key}`
    }
    const granted = (answers: readonly Answer[]) => answers.filter(({ status }) => status < 300).length
    const refused = (answers: readonly Answer[]) =>
      new Set(answers.filter(({ status }) => status >= 300).map(({ body }) => Problem.parse(body).code))
    const Problem = z.object({ code: z.string() })

    test('that activate a machine leave as many as that', async () => {
      const key = await sold('node-locked', { machines: 5 })
      const answers = await atOnce((index) =>
        client().send(activationsRoutes.activateMachine, key, {
          body: { fingerprints: [{ component: 'mac', value: `machine ${index}` }] },
        }),
      )
      expect(granted(answers)).toBe(most)
      expect(refused(answers)).toEqual(new Set(['ACTIVATIONS_EXHAUSTED']))
    })

    test.each([
      ['one license', [{ metric: 'concurrent', units: 1 }]],
      [
        'several together',
        [
          { metric: 'concurrent', units: 1 },
          { metric: 'render', units: 2 },
        ],
      ],
    ])('that check out %s leave as many as that', async (_name, items) => {
      const key = await sold('floating', { concurrent: 5, render: 100 })
      const answers = await atOnce(() => client().send(leasesRoutes.checkOut, key, { body: { items } }))
      expect(granted(answers)).toBe(most)
      expect(refused(answers)).toEqual(new Set(['POOL_EXHAUSTED']))
    })
  })
})
