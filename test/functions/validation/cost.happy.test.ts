import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { epochSeconds, toDate } from '../../../shared/platform/time.ts'
import { readHoldings } from '../../../shared/store/holdings.ts'
import { startApi } from '../../support/api.ts'
import { costOf } from '../../support/cost.ts'
import { createPeople } from '../../support/people.ts'
import { type Answered, createScenario, inDays } from '../../support/scenario.ts'

// What a validation costs (reference/performance.md, budgets), and the signed verdict that costs no more.
const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { issue, validate, product, tenant } = scenario
const { key, license, file } = await issue()

describe('a validation', () => {
  test('by key is one query in steady state, and two reads the first time', async () => {
    await validate({ key })
    const steady = await costOf(api, () => validate({ key, product: product.code, features: ['sso'] }))
    const inHeader = await costOf(api, () => validate({}, { headers: { authorization: `License ${key}` } }))
    const { key: fresh } = await issue()
    const first = await costOf(api, () => validate({ key: fresh }))
    const second = await costOf(api, () => validate({ key: fresh }))
    expect([steady, inHeader, second]).toEqual([{ Query: 1 }, { Query: 1 }, { Query: 1 }])
    expect(first).toEqual({ GetItem: 1, Query: 1 })
  })

  test('that is refused costs no more', async () => {
    const { license: other, key: otherKey } = await issue()
    await validate({ key: otherKey })
    await scenario.act(other.id, 'revoke')
    expect(await costOf(api, () => validate({ key: otherKey }))).toEqual({ Query: 1 })
  })

  test('by file is one query, also the first time; a forged file costs nothing', async () => {
    expect(await costOf(api, () => validate({ file }))).toEqual({ Query: 1 })
    expect(await costOf(api, () => validate({ file: `${file.license}x` }))).toEqual({})
  })

  test('by id is one query beside the token', async () => {
    const token = await api.token('tenant:app', tenant.id)
    await validate({ licenseId: license.id }, { token })
    expect(await costOf(api, () => validate({ licenseId: license.id }, { token }))).toEqual({
      GetItem: 1,
      Query: 1,
    })
  })

  test('costs the same however much the tenant holds, and writes nothing', async () => {
    const own = await createScenario(api)
    const base = await own.issue()
    await own.issue({ type: 'TOPUP', extends: base.license.id, limits: { users: 5 } })
    await own.issue({ type: 'VALIDITY', extends: base.license.id })
    await own.issue({ validFrom: inDays(-9), expiresAt: inDays(-1) })
    await own.validate({ key: base.key })
    const asked = { key: base.key, features: ['sso'] }
    expect(await costOf(api, () => Promise.all([own.validate(asked), own.validate(asked)]))).toEqual({
      Query: 2,
    })
  })

  test('of a person is one read more where seats are managed here, and none where not', async () => {
    const people = await createPeople(api, { learners: 1 })
    const own = await people.keyOf(people.license.id)
    const ask = (userId?: string) => () => validate({ key: own, userId })
    await ask()()
    expect(await costOf(api, ask('ada'))).toEqual({ Query: 1 })
    const { id } = await people.add({ roles: ['author'], externalId: 'ada' })
    expect(await costOf(api, ask(id))).toEqual({ Query: 1, GetItem: 1 })
    // The address of an external id comes before, once.
    expect(await costOf(api, ask('ada'))).toEqual({ Query: 1, GetItem: 2 })
    expect(await costOf(api, ask('ada'))).toEqual({ Query: 1, GetItem: 1 })
    expect(await costOf(api, ask('nobody'))).toEqual({ Query: 1, GetItem: 1 })
    expect(await costOf(api, ask())).toEqual({ Query: 1 })
  })

  test('reads what was written last: its query is strongly consistent', async () => {
    const sent: unknown[] = []
    api.table.client.middlewareStack.add(
      (next) => (args) => {
        sent.push(args.input)
        return next(args)
      },
      { step: 'initialize', name: 'watch' },
    )
    await readHoldings(api.table, tenant.id, product.id)
    api.table.client.middlewareStack.remove('watch')
    expect(sent).toMatchObject([{ ConsistentRead: true }])
    expect(sent[0]).not.toHaveProperty('IndexName')
  })
})

describe('a signed verdict', () => {
  const nonce = 'nonce of this start 1'
  const Jwks = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })
  const verify = async ({ signed = '', checkedAt }: Answered, options = {}) => {
    const jwks = Jwks.parse((await api.call('GET', '/.well-known/jwks.json')).body)
    return jwtVerify(signed, createLocalJWKSet(jwks), {
      issuer: 'https://licensing.example.test',
      algorithms: ['ES256'],
      typ: 'verdict+jwt',
      currentDate: toDate(checkedAt),
      ...options,
    })
  }

  test('says what the answer says, bound to the nonce, until the next check', async () => {
    const answer = await validate({ key, nonce })
    const { signed: _, ...verdict } = answer
    const { payload, protectedHeader } = await verify(answer)
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'verdict+jwt', kid: expect.any(String) })
    expect(payload).toEqual({
      nonce,
      verdict,
      iss: 'https://licensing.example.test',
      iat: epochSeconds(verdict.checkedAt),
      exp: epochSeconds(verdict.nextCheckAfter),
      sub: license.id,
    })
    const currentDate = toDate(verdict.nextCheckAfter)
    await expect(verify(answer, { currentDate })).rejects.toThrow(/"exp" claim/)
  })

  test('of another nonce is another, also of no license at all', async () => {
    const answers = [
      await validate({ key, nonce }),
      await validate({ key, nonce: `${nonce}2` }),
      await validate({ file: 'no file', nonce }),
    ]
    const payloads = await Promise.all(answers.map(async (answer) => (await verify(answer)).payload))
    expect(payloads.map((payload) => payload['nonce'])).toEqual([nonce, `${nonce}2`, nonce])
    expect(payloads[2]).toMatchObject({ sub: 'unknown', verdict: { valid: false, code: 'FILE_MALFORMED' } })
  })

  test('is not there unless asked for, and passes for no license file, nor a file for it', async () => {
    const { signed } = await validate({ key, nonce })
    expect(await validate({ key })).not.toHaveProperty('signed')
    expect(await validate({ file: signed })).toMatchObject({ code: 'FILE_MALFORMED' })
    await expect(verify({ ...(await validate({ key })), signed: file.license })).rejects.toThrow(/"typ"/)
  })

  test('that was changed, or signed by another, is refused', async () => {
    const answer = await validate({ key, nonce })
    const [header, , signature] = answer.signed?.split('.') ?? []
    const payload = Buffer.from(JSON.stringify({ nonce, verdict: { valid: true } })).toString('base64url')
    await expect(verify({ ...answer, signed: [header, payload, signature].join('.') })).rejects.toThrow(
      /signature/,
    )
  })

  test('costs KMS one call in a week, not one per verdict', async () => {
    await validate({ key, nonce })
    expect(await costOf(api, () => validate({ key, nonce: `${nonce}3` }))).toEqual({ Query: 1 })
    expect(api.kmsCalls()).toMatchObject({ GenerateMac: expect.any(Number) })
  })
})
