import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import type { Tenant } from '../../../shared/domain/tenant.ts'
import { DAY } from '../../../shared/platform/time.ts'
import { type Answer, outcome, startApi, wrongFields } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { expected } from '../../support/scenario.ts'
import { openMarket, waiting } from './transfer-rig.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())
const market = await openMarket(api)
const { by, ask, request, takeUp, act, execute, read } = market
const [giver, receiver, stranger] = await Promise.all([market.tenant(), market.tenant(), market.tenant()])
const plan = await market.plan({ approval: true })
const issued = () => market.issue(giver, plan.id)

/** An answer without what differs from one request to the next. */
const comparable = ({ status, body }: Answer) => {
  const { requestId: _, ...said } = Object(body)
  return { status, ...said }
}

describe('nobody learns of others by a transfer', () => {
  test('a tenant names no receiver, and hears the same whether there is one or not', async () => {
    const { license } = await issued()
    const unknown = `${receiver.id.slice(0, -1)}${receiver.id.endsWith('0') ? '1' : '0'}`
    const answers = await Promise.all(
      [receiver.id, unknown, giver.id].map((id) => ask(giver, license.id, { receiver: id })),
    )
    expect(answers.map(outcome)).toEqual(Array(3).fill('400 INVALID_REQUEST'))
    expect(answers.map(wrongFields)).toEqual(Array(3).fill(['/body/receiver']))
    expect(new Set(answers.map((one) => JSON.stringify(comparable(one)))).size).toBe(1)
  })

  test('of a license or transfer that is not theirs, of any state, they hear what they hear of none', async () => {
    const { license } = await issued()
    expect(outcome(await ask(stranger, license.id))).toBe('404 NOT_FOUND')
    const { id, code } = await request(giver, license.id)
    const answersOf = () =>
      Promise.all([
        by(stranger, 'GET', `/v1/transfers/${id}`),
        ...['approve', 'refuse', 'cancel', 'collect'].map((action) => act(stranger, id, action)),
        takeUp(stranger, `${code.slice(0, -1)}${code.endsWith('0') ? '1' : '0'}`),
      ])
    for (const step of [() => takeUp(receiver, code), () => act(giver, id, 'cancel')]) {
      expect((await answersOf()).map(outcome)).toEqual(Array(6).fill('404 NOT_FOUND'))
      expected(200, await step())
    }
    expect((await answersOf()).map(outcome)).toEqual(Array(6).fill('404 NOT_FOUND'))
    // The right code, which another one took up.
    expect(outcome(await takeUp(stranger, code))).toBe('404 NOT_FOUND')
    expect(outcome(await takeUp(receiver, code))).toBe('409 TRANSFER_OVER')
  })
})

describe('a transfer is not requested', () => {
  test.each<[string, () => Promise<Answer>, string]>([
    [
      'of a license whose plan does not allow it',
      async () => {
        const fixed = await market.plan({ allowed: false })
        return ask(giver, (await market.issue(giver, fixed.id)).license.id)
      },
      '409 TRANSFER_NOT_ALLOWED',
    ],
    [
      'of a suspended license, by vendor staff either',
      async () => {
        const { license } = await issued()
        await by(undefined, 'POST', `/v1/licenses/${license.id}/suspend`, { reason: 'Unpaid' })
        return ask(undefined, license.id, { receiver: receiver.id })
      },
      '409 TRANSITION_NOT_ALLOWED',
    ],
    [
      'twice',
      async () => {
        const { license } = await issued()
        await request(undefined, license.id, { receiver: receiver.id })
        return ask(giver, license.id)
      },
      '409 IN_USE',
    ],
    [
      'to who holds it',
      async () => ask(undefined, (await issued()).license.id, { receiver: giver.id }),
      '409 TRANSFER_NOT_ALLOWED',
    ],
    [
      'for no time',
      async () => ask(giver, (await issued()).license.id, { lapsesAt: '2020-01-01T00:00:00Z' }),
      '400 INVALID_REQUEST',
    ],
  ])('%s', async (_, attempt, wanted) => {
    expect(outcome(await attempt())).toBe(wanted)
  })
})

describe('a transfer that is open', () => {
  const outcomes = async (tenant: Tenant | undefined, id: string) =>
    outcome(await act(tenant, id, 'approve', { reason: 'Agreed' }))

  test('lapses at its instant, and the license can be asked for again', async () => {
    stopClock()
    const { license } = await issued()
    const { id, code } = await request(giver, license.id, {})
    expected(200, await takeUp(receiver, code))
    expected(200, await act(receiver, id, 'approve'))
    advanceClock(14 * DAY - 1)
    expect((await read(giver, id)).state).toBe('REQUESTED')
    expect(outcome(await ask(giver, license.id))).toBe('409 IN_USE')
    advanceClock(1)
    expect(await read(giver, id)).toMatchObject({ state: 'LAPSED', awaits: [] })
    for (const tenant of [giver, undefined]) expect(await outcomes(tenant, id)).toBe('409 TRANSFER_OVER')
    expect(outcome(await ask(giver, license.id))).toBe('201')
  })

  test('ends with a refusal, whose reason both sides see', async () => {
    const old = await issued()
    const id = await waiting(market, old, giver, receiver)
    expected(200, await act(receiver, id, 'refuse', { reason: 'Too late' }))
    for (const tenant of [giver, receiver])
      expect(await read(tenant, id)).toMatchObject({
        state: 'REFUSED',
        closedBy: 'receiving',
        because: 'Too late',
      })
    expect(await outcomes(giver, id)).toBe('409 TRANSFER_OVER')
    expect(await market.verdict({ key: old.key })).toMatchObject({ valid: true })
    expect(outcome(await ask(giver, old.license.id))).toBe('201')
  })

  test('is approved once it is known who receives, and moves what was approved', async () => {
    const { license } = await issued()
    const { id, code } = await request(giver, license.id)
    expect(await outcomes(giver, id)).toBe('409 TRANSITION_NOT_ALLOWED')
    expected(200, await takeUp(receiver, code))
    expect(await outcomes(receiver, id)).toBe('200')
    const top = { extends: license.id, type: 'TOPUP', limits: { users: 5 } }
    const more = await market.issue(giver, plan.id, top)
    expect(await outcomes(giver, id)).toBe('409 TRANSFER_OUTDATED')
    await by(undefined, 'POST', `/v1/licenses/${more.license.id}/revoke`, { reason: 'a test' })
    expect(await outcomes(giver, id)).toBe('200')
  })

  test('does not move to a tenant that was archived', async () => {
    const to = await market.tenant()
    const { license } = await issued()
    const { id } = await request(undefined, license.id, { receiver: to.id })
    const token = await api.token('vendor:admin')
    expected(200, await api.call('POST', `/v1/tenants/${to.id}/archive`, { token }))
    expect(await outcomes(undefined, id)).toBe('409 ARCHIVED')
    expect((await read(undefined, id)).state).toBe('REQUESTED')
  })
})

describe('a transfer that both sides have approved', () => {
  const approvedByBoth = async () => {
    const old = await issued()
    const id = await waiting(market, old, giver, receiver)
    for (const tenant of [giver, receiver]) expected(200, await act(tenant, id, 'approve'))
    return { id, old }
  }
  const path = (licenseId: string, action: string) => `/v1/licenses/${licenseId}/${action}`

  test('fails where the license was changed since, and says why; it can be requested anew', async () => {
    const { id, old } = await approvedByBoth()
    const { license } = old
    expected(200, await by(undefined, 'POST', path(license.id, 'suspend'), { reason: 'Unpaid' }))
    await execute()
    for (const tenant of [giver, receiver])
      expect(await read(tenant, id)).toMatchObject({
        state: 'FAILED',
        code: 'TRANSITION_NOT_ALLOWED',
        because: expect.stringContaining('SUSPENDED'),
      })
    for (const tenant of [giver, receiver]) {
      const ended = (await market.log(tenant)).find(({ type }) => type === 'transfer.failed')
      expect(ended).toMatchObject({ subject: { id }, after: { code: 'TRANSITION_NOT_ALLOWED' } })
    }
    expect(outcome(await act(giver, id, 'approve'))).toBe('409 TRANSFER_OVER')
    expected(200, await by(undefined, 'POST', path(license.id, 'reinstate')))
    expect(await market.verdict({ key: old.key })).toMatchObject({ valid: true })
    expect(outcome(await ask(giver, license.id))).toBe('201')
  })

  test('is nobody’s to take back but vendor staff’s, and then nothing is carried out', async () => {
    const { id, old } = await approvedByBoth()
    expect(outcome(await act(giver, id, 'cancel'))).toBe('409 TRANSFER_OVER')
    expect(outcome(await act(receiver, id, 'refuse'))).toBe('409 TRANSFER_OVER')
    expect(expected(200, await act(giver, id, 'approve'))).toMatchObject({ state: 'APPROVED' })
    expected(200, await act(undefined, id, 'refuse', { reason: 'Sold twice' }))
    await execute()
    expect(await read(receiver, id)).toMatchObject({ state: 'REFUSED', because: 'Sold twice' })
    expect(await market.verdict({ key: old.key })).toMatchObject({ valid: true })
  })

  test('does not lapse, however late it is carried out', async () => {
    stopClock()
    const { id, old } = await approvedByBoth()
    advanceClock(20 * DAY)
    expect((await read(giver, id)).state).toBe('APPROVED')
    expect(outcome(await ask(giver, old.license.id))).toBe('409 IN_USE')
    await execute()
    expect((await read(giver, id)).state).toBe('EXECUTED')
  })
})

test('as much as one transaction holds moves; what is more is refused, and nothing of it moves', async () => {
  const old = await issued()
  const top = { extends: old.license.id, type: 'TOPUP', limits: { users: 1 } }
  for (let count = 0; count < 14; count += 1) await market.issue(giver, plan.id, top)
  const last = await market.issue(giver, plan.id, top)
  const requestAll = () => request(undefined, old.license.id, { receiver: receiver.id })
  const tooMuch = await requestAll()
  const agreed = { reason: 'Agreed' }
  expect(outcome(await act(undefined, tooMuch.id, 'approve', agreed))).toBe('409 TRANSFER_TOO_LARGE')
  expect(await market.verdict({ key: old.key })).toMatchObject({ valid: true })

  expected(200, await act(undefined, tooMuch.id, 'cancel'))
  expected(200, await by(undefined, 'POST', `/v1/licenses/${last.license.id}/revoke`, { reason: 'a test' }))
  const all = await requestAll()
  expected(200, await act(undefined, all.id, 'approve', agreed))
  await execute()
  expect((await read(giver, all.id)).state).toBe('EXECUTED')
})
