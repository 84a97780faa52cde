import { createServer, type Server } from 'node:http'
import { OFREPProvider } from '@openfeature/ofrep-provider'
import { type EvaluationContext, OpenFeature } from '@openfeature/server-sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, outcome, startApi } from '../../support/api.ts'
import { createScenario, type Issued, type Scenario } from '../../support/scenario.ts'

let api: Api
let scenario: Scenario
let base: Issued
let front: Server

beforeAll(async () => {
  api = await startApi()
  scenario = await createScenario(api)
  base = await scenario.issue({ features: { sso: true, 'storage-gb': 50, edition: 'pro' } })
  front = await serveHttp(api)
})
afterAll(async () => {
  await OpenFeature.close()
  front.close()
  await api.stop()
})

/** The API behind a port, for a client that speaks HTTP. */
async function serveHttp({ call }: Api): Promise<Server> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    )
    const answer = await call(request.method ?? '', request.url ?? '', {
      headers,
      body: Buffer.concat(chunks).toString(),
    })
    response
      .writeHead(answer.status, answer.headers)
      .end(answer.status === 304 ? '' : JSON.stringify(answer.body))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

const licenseHeader = (key: string) => ({ authorization: `License ${key}` })

describe('the OpenFeature provider from npm', () => {
  async function clientFor(key: string, context: EvaluationContext = { targetingKey: 'machine-1' }) {
    const provider = new OFREPProvider({
      baseUrl: `http://127.0.0.1:${portOf(front)}`,
      headers: [['authorization', `License ${key}`]],
    })
    await OpenFeature.setProviderAndWait('test', provider)
    return OpenFeature.getClient('test', context)
  }

  it('evaluates every type of feature from the entitlement', async () => {
    const client = await clientFor(base.key)
    expect(await client.getBooleanDetails('sso', false)).toMatchObject({
      value: true,
      reason: 'TARGETING_MATCH',
      variant: 'licensed',
    })
    expect(await client.getNumberValue('storage-gb', 1)).toBe(50)
    expect(await client.getStringValue('edition', 'none')).toBe('pro')
  })

  it('gives the default and FLAG_NOT_FOUND for a feature that the product does not declare', async () => {
    const client = await clientFor(base.key)
    expect(await client.getBooleanDetails('nonsense', false)).toMatchObject({
      value: false,
      errorCode: 'FLAG_NOT_FOUND',
    })
  })

  it('sees an edit of the license at its next evaluation, with the same key and nothing reinstalled', async () => {
    const issued = await scenario.issue({ features: { sso: false, edition: 'edit-me' } })
    const tenant = await api.token('vendor:issuer')
    const edit = await api.call('PATCH', `/v1/licenses/${issued.license.id}`, {
      token: tenant,
      headers: { 'if-match': '"1"' },
      body: { features: { 'storage-gb': 900 }, reason: 'upsell' },
    })
    expect(outcome(edit)).toBe('200')
    const client = await clientFor(issued.key)
    expect(await client.getNumberValue('storage-gb', 1)).toBe(900)
  })
})

describe('bulk evaluation', () => {
  it('answers 304 to the ETag it gave, and anew once a license changes', async () => {
    const { key, license } = await scenario.issue()
    const evaluate = (headers: Record<string, string> = {}) =>
      api.call('POST', '/ofrep/v1/evaluate/flags', {
        headers: { ...licenseHeader(key), ...headers },
        body: {},
      })
    const first = await evaluate()
    expect(first.body).toMatchObject({ flags: [{ key: 'sso' }, { key: 'storage-gb' }, { key: 'edition' }] })
    const etag = first.headers['etag'] ?? ''
    expect((await evaluate({ 'if-none-match': etag })).status).toBe(304)
    await api.call('PATCH', `/v1/licenses/${license.id}`, {
      token: await api.token('vendor:issuer'),
      headers: { 'if-match': '"1"' },
      body: { features: { 'storage-gb': 901 } },
    })
    const later = await evaluate({ 'if-none-match': etag })
    expect(later.status).toBe(200)
    expect(later.headers['etag']).not.toBe(etag)
  })

  it('evaluates for a token of the tenant, which names the product when there are several', async () => {
    const token = await api.token('tenant:app', scenario.tenant.id)
    const answer = await api.call('POST', '/ofrep/v1/evaluate/flags/sso', {
      token,
      body: { context: { targetingKey: 'user-1', product: scenario.product.code, plan: 'ignored' } },
    })
    expect(answer.body).toMatchObject({
      key: 'sso',
      value: true,
      metadata: { product: scenario.product.code },
    })
    const unknown = await api.call('POST', '/ofrep/v1/evaluate/flags/sso', {
      token,
      body: { context: { product: 'none' } },
    })
    expect(unknown).toMatchObject({ status: 400, body: { errorCode: 'INVALID_CONTEXT', key: 'sso' } })
  })

  it('switches everything off while no license counts', async () => {
    const other = await createScenario(api)
    const issued = await other.issue({ features: { sso: true } })
    await other.act(issued.license.id, 'suspend', { reason: 'unpaid' })
    const answer = await api.call('POST', '/ofrep/v1/evaluate/flags', {
      headers: licenseHeader(issued.key),
      body: {},
    })
    expect(answer.body).toMatchObject({
      flags: [
        { key: 'sso', value: false, reason: 'DEFAULT' },
        { key: 'storage-gb', value: 0, reason: 'DEFAULT' },
        { key: 'edition', value: '', reason: 'DEFAULT' },
      ],
    })
    // What another license gives is not for the key of one that does not count, and explain says so.
    const second = await other.issue({ features: { sso: true } })
    const about = async ({ key }: Issued) => {
      const headers = licenseHeader(key)
      const explain = (body: object) => api.call('POST', '/v1/explain', { headers, body })
      const flag = await api.call('POST', '/ofrep/v1/evaluate/flags/sso', { headers, body: {} })
      const [feature, metric] = [await explain({ feature: 'sso' }), await explain({ metric: 'users' })]
      return [flag.body, feature.body, metric.body]
    }
    expect(await about(second)).toMatchObject([{ value: true }, { granted: true }, { granted: true }])
    const refused = { granted: false, cures: [{ cure: 'Reinstate it.', licenseId: issued.license.id }, {}] }
    const off = { value: false, reason: 'DEFAULT', metadata: { product: other.product.code } }
    expect(await about(issued)).toMatchObject([off, refused, refused])
  })
})
