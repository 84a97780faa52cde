import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Api, outcome, startApi } from '../../support/api.ts'
import { createTenant } from '../../support/resources.ts'
import { createScenario, expected, Issued } from '../../support/scenario.ts'
import { interposeAll } from '../../support/sdk.ts'

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

/** What is done between what archiving read and what it writes. */
function meanwhile(act: () => Promise<unknown>): () => void {
  let open = true
  return interposeAll(async ({ command }, send) => {
    if (open && command === 'TransactWriteItemsCommand') {
      open = false
      await act()
    }
    return send()
  })
}

it.each(['issued', 'renewed'])(
  'a tenant to which a license is %s while it is archived stays',
  async (how) => {
    const { plans } = await createScenario(api)
    const token = await api.token('vendor:admin')
    const tenant = await createTenant(api)
    const issue = async (validFrom?: string) => {
      const body = { tenantId: tenant.id, planId: plans.year.id, ...(validFrom && { validFrom }) }
      return Issued.parse(expected(201, await api.call('POST', '/v1/licenses', { token, body }))).license
    }
    const over = await issue('2020-01-01T00:00:00Z')
    const undo = meanwhile(() =>
      how === 'issued' ? issue() : api.call('POST', `/v1/licenses/${over.id}/renew`, { token, body: {} }),
    )
    const archived = await api.call('POST', `/v1/tenants/${tenant.id}/archive`, { token })
    undo()
    expect(outcome(archived)).toBe('409 IN_USE')
  },
)
