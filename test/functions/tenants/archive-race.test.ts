import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Api, outcome, startApi } from '../../support/api.ts'
import { createTenant } from '../../support/resources.ts'
import { createScenario } from '../../support/scenario.ts'

let api: Api

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.stop())

it('archiving a tenant and issuing to it at the same time: never an archived tenant with a license in force', async () => {
  const scenario = await createScenario(api)
  const token = await api.token('vendor:admin')
  for (let round = 0; round < 12; round += 1) {
    const tenant = await createTenant(api)
    const body = { tenantId: tenant.id, planId: scenario.plans.year.id }
    const archive = () => api.call('POST', `/v1/tenants/${tenant.id}/archive`, { token })
    const issue = () => api.call('POST', '/v1/licenses', { token, body })
    const [archived, issued] = await Promise.all(
      round % 2 === 0 ? [archive(), issue()] : [issue(), archive()].toReversed(),
    )
    const pair = [archived, issued].map((answer) => answer && outcome(answer)).toSorted()
    expect([
      ['200', '409 ARCHIVED'],
      ['201', '409 IN_USE'],
    ]).toContainEqual(pair)
  }
})
