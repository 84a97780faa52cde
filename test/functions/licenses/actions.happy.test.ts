import { afterAll, describe, expect, test } from 'vitest'
import type { Status } from '../../../shared/domain/status.ts'
import { outcome, startApi, wrongFields } from '../../support/api.ts'
import { typesOf } from '../../support/events.ts'
import { partsOf } from '../../support/forge.ts'
import { codesOf, createScenario, type Issued, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { issue, act, read, fileOf, validate, events, row } = scenario

const over = { validFrom: inDays(-9), expiresAt: inDays(-1) }
const MADE: Record<Status, () => Promise<Issued>> = {
  PENDING: () => issue({ validFrom: inDays(3) }),
  ACTIVE: () => issue(),
  GRACE: () => issue(over),
  EXPIRED: () => issue({ ...over, graceDays: 0 }),
  SUSPENDED: () => issuedAnd('suspend'),
  REVOKED: () => issuedAnd('revoke'),
}

async function issuedAnd(action: string): Promise<Issued> {
  const issued = await issue()
  await act(issued.license.id, action)
  return issued
}

const open = ['PENDING', 'ACTIVE', 'GRACE', 'EXPIRED'] as const
const notFinal = [...open, 'SUSPENDED'] as const
const ALLOWED: Record<string, readonly Status[]> = {
  suspend: open,
  reinstate: ['SUSPENDED'],
  revoke: notFinal,
  renew: notFinal,
  'rotate-key': notFinal,
}
const EVENT = {
  suspend: 'license.suspended',
  reinstate: 'license.reinstated',
  revoke: 'license.revoked',
  renew: 'license.renewed',
  'rotate-key': 'license-key.rotated',
}
const AFTER: Record<string, (status: Status) => Status> = {
  suspend: () => 'SUSPENDED',
  reinstate: () => 'ACTIVE',
  revoke: () => 'REVOKED',
  renew: (status) => (status === 'PENDING' || status === 'SUSPENDED' ? status : 'ACTIVE'),
  'rotate-key': (status) => status,
}
const statuses = ['PENDING', 'ACTIVE', 'GRACE', 'EXPIRED', 'SUSPENDED', 'REVOKED'] as const
const cases = Object.entries(EVENT).flatMap(([action, event]) =>
  statuses.map((status) => ({ action, event, status, allowed: ALLOWED[action]?.includes(status) === true })),
)

describe.each(cases.filter(({ allowed }) => allowed))('$action of a license that is $status', (one) => {
  test('is done, with its event, and the file says so', async () => {
    const { action, status } = one
    const { license } = await MADE[status]()
    const before = await read(license.id)

    const answer = await act(license.id, action)

    const after = await read(license.id)
    const file = await fileOf(license.id)
    const { payload } = partsOf(file.license)
    const { findings } = await validate({ file })
    expect([before.status, outcome(answer), after.status]).toEqual([status, '200', AFTER[action]?.(status)])
    expect(after.revision - before.revision).toBe(action === 'rotate-key' ? 0 : 1)
    expect(after.tampered).toBe(false)
    expect(file.revision).toBe(after.revision)
    expect(payload['license']).toMatchObject({
      revision: after.revision,
      ...(after.suspendedAt && { suspendedAt: after.suspendedAt }),
      ...(after.revokedAt && { revokedAt: after.revokedAt }),
    })
    expect(findings.filter(({ code }) => /^(FILE|TAMPERED)/.test(code))).toEqual([])
    const told = (await events(license.id)).at(-1)
    expect(told).toMatchObject({ type: one.event, reason: 'a test', actor: { role: 'vendor:issuer' } })
    if (action !== 'rotate-key') {
      expect(told).toMatchObject({ before: { status, revision: before.revision }, after })
    }
  })
})

describe.each(cases.filter(({ allowed }) => !allowed))('$action of a license that is $status', (one) => {
  test('is refused with the status it found, and changes nothing', async () => {
    const { license } = await MADE[one.status]()
    const [before, told] = [await row(license), await events(license.id)]

    const answer = await act(license.id, one.action)

    expect(outcome(answer)).toBe('409 TRANSITION_NOT_ALLOWED')
    expect(answer.body).toHaveProperty('detail', expect.stringContaining(`The license is ${one.status};`))
    expect([await row(license), await events(license.id)]).toEqual([before, told])
  })
})

test('the refusal of what is final says so, of others what is possible', async () => {
  const { license } = await issue()
  const possible = await act(license.id, 'reinstate')
  await act(license.id, 'revoke')
  const final = await act(license.id, 'reinstate')
  expect(possible.body).toHaveProperty(
    'detail',
    expect.stringContaining('suspend, revoke, renew, rotate-key'),
  )
  expect(final.body).toHaveProperty('detail', expect.stringContaining('This is final.'))
})

test('a license takes effect at once: suspended it is refused, reinstated it is as before', async () => {
  const { license, key } = await issue()
  const codes: string[][] = []
  for (const action of ['suspend', 'reinstate', 'suspend', 'revoke']) {
    await act(license.id, action, { reason: action })
    codes.push(codesOf(await validate({ key })))
  }
  expect(codes).toEqual([['SUSPENDED'], [], ['SUSPENDED'], ['REVOKED']])
  expect(await read(license.id)).toMatchObject({
    revision: 5,
    suspensionReason: 'suspend',
    revocationReason: 'revoke',
  })
  const changes = typesOf(await events(license.id)).slice(2)
  expect(changes).toEqual(
    ['suspended', 'reinstated', 'suspended', 'revoked'].map((what) => `license.${what}`),
  )
})

test('a reason is required of what takes something away, or shows a key', async () => {
  const { license } = await issue()
  for (const action of ['suspend', 'revoke', 'rotate-key', 'reveal-key']) {
    const without = await act(license.id, action, {})
    const empty = await act(license.id, action, { reason: '  ' })
    expect([outcome(without), wrongFields(without)], action).toEqual([
      '400 INVALID_REQUEST',
      ['/body/reason'],
    ])
    expect(wrongFields(empty), action).toEqual(['/body/reason'])
  }
  expect((await read(license.id)).revision).toBe(1)
})

describe('once under one Idempotency-Key', () => {
  const reason = { reason: 'once' }
  const actions: [string, object, object][] = [
    ['suspend', reason, { reason: 'other' }],
    ['reinstate', reason, {}],
    ['renew', { from: 'expiry' }, { from: 'now' }],
    ['rotate-key', reason, { reason: 'other' }],
    ['reveal-key', reason, { reason: 'other' }],
    ['revoke', reason, { reason: 'other' }],
  ]
  test.each(actions)(
    '%s answers again what it answered first, and refuses another body',
    async (action, body, other) => {
      const { license } = await (action === 'reinstate' ? MADE.SUSPENDED() : issue())
      const options = { headers: { 'idempotency-key': `${action}-1` } }
      const first = await act(license.id, action, body, options)
      const told = await events(license.id)
      const [again, changed] = [
        await act(license.id, action, body, options),
        await act(license.id, action, other, options),
      ]
      expect(outcome(first)).toBe('200')
      expect([again.status, again.body]).toEqual([200, first.body])
      expect(outcome(changed)).toBe('422 IDEMPOTENCY_MISMATCH')
      expect(await events(license.id)).toEqual(told)
    },
  )

  test('ten renewals at the same time are one', async () => {
    const { license } = await issue()
    const options = { headers: { 'idempotency-key': 'ten' } }
    const answers = await Promise.all(Array.from({ length: 10 }, () => act(license.id, 'renew', {}, options)))
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect((await read(license.id)).revision).toBe(2)
    expect(typesOf(await events(license.id)).slice(2)).toEqual(['license.renewed'])
  })
})

test('8 suspensions at the same time are one; the others find it suspended', async () => {
  const { license } = await issue()
  const answers = await Promise.all(Array.from({ length: 8 }, () => act(license.id, 'suspend')))
  expect(answers.map(outcome).toSorted()).toEqual(['200', ...Array(7).fill('409 TRANSITION_NOT_ALLOWED')])
  const details = answers.filter(({ status }) => status === 409).map(({ body }) => body)
  for (const body of details) expect(body).toHaveProperty('detail', expect.stringContaining('is SUSPENDED'))
  expect(typesOf(await events(license.id)).slice(2)).toEqual(['license.suspended'])
  expect((await read(license.id)).revision).toBe(2)
})

test('different actions at the same time each happen on what the others left', async () => {
  const { license } = await issue()
  const actions = ['suspend', 'renew', 'rotate-key', 'renew', 'revoke']
  const answers = await Promise.all(
    actions.map((action) => act(license.id, action, action === 'renew' ? {} : undefined)),
  )
  const done = answers.filter(({ status }) => status === 200).length
  const after = await read(license.id)
  expect(after).toMatchObject({ status: 'REVOKED', tampered: false })
  expect(typesOf(await events(license.id)).slice(2)).toHaveLength(done)
  const rotated = answers[actions.indexOf('rotate-key')]?.status === 200
  expect(after.revision).toBe(1 + done - Number(rotated))
})
