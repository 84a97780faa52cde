import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { Explanation } from '../../../shared/domain/explanation.ts'
import { HOUR } from '../../../shared/platform/time.ts'
import { type Answer, outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { expected } from '../../support/scenario.ts'
import { activatedBy, fingerprints, openShop, type Shop } from '../activations/machines.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())

const RULES = {
  fingerprints: { match: 'two' },
  heartbeat: { required: true, window: 'PT1H', revive: 'within-window' },
  overdraft: { kind: 'absolute', units: 1 },
  deactivations: { allowed: 1, period: 'P30D' },
}

async function ask(shop: Shop, body: object): Promise<Explanation> {
  const token = await api.token('tenant:app', shop.tenantId)
  const all = { product: shop.product, ...body }
  return Explanation.parse(expected(200, await api.call('POST', '/v1/explain', { token, body: all })))
}

const codeOf = (answer: Answer) =>
  outcome(answer)
    .replace(/^200$/, 'OK')
    .replace(/^4\d\d /, '')
const idOf = ({ body }: Answer) =>
  z.object({ activation: z.object({ id: z.string() }) }).parse(body).activation.id
const predicted = ({ predictions = [] }: Explanation, operation: string) =>
  predictions.find((one) => one.operation.includes(operation))?.outcome

describe('a machine', () => {
  it('is explained as its operations then answer', async () => {
    const shop = await openShop(api, 2, RULES)
    stopClock()
    const seen: string[] = []
    async function compare(explained: Explanation, operation: string, act: () => Promise<Answer>) {
      const answer = await act()
      const code = codeOf(answer)
      expect(code, `${seen}`).toBe(predicted(explained, operation))
      seen.push(code)
      return { answer, explained }
    }
    const activate = async (...parts: string[]) =>
      compare(await ask(shop, { fingerprints: fingerprints(...parts) }), '/v1/activations', () =>
        shop.activate(parts),
      )
    const move = async (activationId: string, ...parts: string[]) =>
      compare(await ask(shop, { activationId, fingerprints: fingerprints(...parts) }), '/move', () =>
        shop.move(activationId, parts),
      )
    const beat = async (activationId: string) =>
      compare(await ask(shop, { activationId }), '/heartbeat', () => shop.beat(activationId))

    const first = activatedBy((await activate('cpu:a', 'mac:a', 'disk:a')).answer)
    const again = await activate('cpu:a', 'mac:a')
    expect(again.explained.summary).toBe(`It is activated already, as ${first.id}.`)
    const taken = await activate('cpu:a', 'mac:b')
    expect(taken.explained.chain).toContainEqual({
      step: 'same machine',
      passed: false,
      evidence: `2 components sent, rule two, unique within the product: ${first.id} has 1 of its 3 in common, 2 are needed`,
    })
    await activate('cpu:b', 'mac:b')
    const beyond = await activate('cpu:c', 'mac:c')
    expect(beyond.explained.chain.at(-2)?.evidence).toContain('granted beyond the capacity')
    const full = await activate('cpu:d', 'mac:d')
    expect(full.explained.cures.map(({ who, costs }) => `${who} ${costs}`)).toEqual([
      'nobody nothing',
      'tenant nothing',
      'vendor money',
    ])
    const moved = idOf((await move(first.id, 'cpu:d', 'mac:d')).answer)
    const refused = await move(moved, 'cpu:e', 'mac:e')
    expect(refused.explained.cures.map(({ who }) => who)).toEqual(['nobody', 'vendor'])
    advanceClock(1.5 * HOUR)
    const dead = await beat(moved)
    expect(dead.explained).toMatchObject({ granted: false, summary: expect.stringContaining('came in time') })
    expect((await ask(shop, { activationId: moved })).chain.at(-3)?.evidence).toContain('REVIVED')
    advanceClock(3 * HOUR)
    await beat(moved)
    await activate('cpu:f', 'mac:f')
    expect(await ask(shop, { metric: 'machines', units: 3 })).toMatchObject({ granted: false })
    await shop.act(shop.license.id, 'suspend')
    await activate('cpu:g', 'mac:g')
    expect(seen).toEqual([
      ...['OK', 'OK', 'FINGERPRINT_TAKEN', 'OK', 'OK', 'ACTIVATIONS_EXHAUSTED'],
      ...['OK', 'MOVES_EXHAUSTED', 'OK', 'ACTIVATION_DEAD', 'OK', 'LICENSE_NOT_IN_FORCE'],
    ])
  })

  it('that is gone is told by its record; one that never was, or is not the caller’s, is not there', async () => {
    const shop = await openShop(api, 1)
    const { id } = activatedBy(await shop.activate(['a'], { more: { name: 'Lab 1' } }))
    await shop.deactivate(id, { query: { reason: 'sold' } })
    const gone = await ask(shop, { activationId: id })
    expect(gone).toMatchObject({ granted: false, cures: [{ who: 'caller' }] })
    expect(gone.chain.at(-2)?.evidence).toMatch(/^activation.deactivated on .* by tenant .*: sold$/)
    const key = { headers: { authorization: `License ${shop.key}` } }
    const byKey = await api.call('POST', '/v1/explain', { ...key, body: { activationId: id } })
    expect(JSON.stringify(byKey.body)).not.toMatch(/sold|tok_/)

    const request = { format: 'latchkey-activation-request/1', product: shop.product, nonce: 'n'.repeat(16) }
    const body = { request: { ...request, fingerprints: fingerprints('b') } }
    const offline = activatedBy(await api.call('POST', '/v1/activations/offline', { ...key, body }))
    const told = await ask(shop, { activationId: offline.id })
    expect(told.chain.find(({ step }) => step === 'offline file')?.evidence).toMatch(
      /^its file verifies until 20/,
    )
    await shop.deactivate(offline.id)
    expect(JSON.stringify(await ask(shop, { activationId: offline.id }))).toContain(
      'offline file verifies until',
    )

    const other = await openShop(api, 1)
    const foreign = activatedBy(await other.activate(['a']))
    const answers = [
      await api.call('POST', '/v1/explain', { ...key, body: { activationId: foreign.id } }),
      await api.call('POST', '/v1/explain', {
        token: await api.token('tenant:admin', shop.tenantId),
        body: { activationId: foreign.id },
      }),
      await api.call('POST', '/v1/explain', {
        token: await api.token('vendor:support'),
        body: { activationId: foreign.id, tenantId: shop.tenantId },
      }),
    ]
    expect(answers.map(outcome)).toEqual(Array.from({ length: 3 }, () => '404 NOT_FOUND'))
  })
})

describe('a user of a node-locked license', () => {
  it('can use the product on machines of its own that live; a license key is told of none', async () => {
    const shop = await openShop(api, 5, RULES)
    stopClock()
    const key = { headers: { authorization: `License ${shop.key}` } }
    const ada = () => ask(shop, { userId: 'ada' })
    const machines = ({ chain }: Explanation) => chain.find(({ step }) => step === 'machines')
    await shop.activate(['mac:e', 'cpu:e'], { more: { userId: 'eve' } })
    const without = await ada()
    expect(without).toMatchObject({ granted: false, summary: 'No: it depends on the machine.' })
    expect(machines(without)).toMatchObject({
      passed: false,
      evidence: 'none is activated under this user id',
    })
    expect(without.cures).toMatchObject([
      { who: 'caller', cure: expect.stringMatching(/^Activate the machine/) },
    ])

    const more = { userId: 'ada', name: 'Lab 1' }
    const { id } = activatedBy(await shop.activate(['mac:a', 'cpu:a'], { more }))
    const living = await ada()
    expect(living).toMatchObject({ granted: true, summary: 'Yes: has 1 activated machines.' })
    expect(machines(living)).toMatchObject({
      passed: true,
      evidence: expect.stringContaining(`${id} (Lab 1) `),
    })
    const byKey = await api.call('POST', '/v1/explain', { ...key, body: { userId: 'ada' } })
    expect(expected(200, byKey)).toMatchObject({ granted: false })
    expect(JSON.stringify(byKey.body)).not.toMatch(/Lab 1|act_/)

    await shop.act(shop.license.id, 'suspend')
    const stopped = await ada()
    expect(stopped).toMatchObject({ granted: false, cures: [{ who: 'vendor', cure: 'Reinstate it.' }, {}] })
    await shop.act(shop.license.id, 'reinstate')
    advanceClock(2 * HOUR)
    const dead = await ada()
    expect(dead.granted).toBe(false)
    expect(machines(dead)).toMatchObject({ passed: false, evidence: expect.stringContaining(id) })
  })
})
