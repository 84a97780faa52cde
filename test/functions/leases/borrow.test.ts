import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { Borrowed } from '../../../functions/leases/shapes.ts'
import { PublicKey } from '../../../shared/domain/borrowing.ts'
import { outcome, startApi, wrongFields } from '../../support/api.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { expected } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)

/** A machine with a key pair, and what it signs. */
async function aMachine() {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const { kty, crv, x, y } = await exportJWK(publicKey)
  return {
    publicKey: PublicKey.parse({ kty, crv, x, y }),
    sign: (jti: string, typ = 'return+jwt') =>
      new SignJWT({ jti }).setProtectedHeader({ alg: 'ES256', typ }).sign(privateKey),
  }
}

async function aTenant() {
  const product = await createProduct(api, { metrics: [{ code: 'concurrent', kind: 'gauge' }], modules: [] })
  const rules = { borrow: { maximum: 'P7D' } }
  const terms = { allocation: 'floating', limits: { concurrent: 1 }, rules }
  const [{ id: planId }, tenant] = await Promise.all([createPlan(api, product.id, terms), createTenant(api)])
  const order = { tenantId: tenant.id, planId }
  expected(
    201,
    await api.call('POST', '/v1/licenses', { token: await api.token('vendor:issuer'), body: order }),
  )
  const [app, admin] = await Promise.all([
    api.token('tenant:app', tenant.id),
    api.token('tenant:admin', tenant.id),
  ])
  const post = (path: string, body: object, token = app) => api.call('POST', path, { token, body })
  const ask = (more: object = {}) =>
    post('/v1/leases/borrow', { product: product.code, fingerprint: 'machine-0001', ...more })
  return {
    post,
    ask,
    /** The lease, and the id of its token. */
    async borrow(more: object = {}) {
      const { lease, token } = Borrowed.parse(expected(201, await ask(more)))
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
      return { ...lease, jti: z.object({ jti: z.string() }).parse(claims).jti }
    },
    beat: async (leaseId: string) => outcome(await post('/v1/leases/heartbeat', { leaseId })),
    giveBack: async (leaseId: string, proof?: string) => {
      const answer = await post('/v1/leases/check-in', { leaseId, ...(proof !== undefined && { proof }) })
      return answer.status === 200 ? answer.body : outcome(answer)
    },
    release: (ref: string) =>
      post(
        `/v1/tenants/${tenant.id}/leases/release`,
        { productId: product.id, metric: 'concurrent', ref, reason: 'lost' },
        admin,
      ),
  }
}

describe('a borrowed license', () => {
  test('of a machine with a key comes back early when that machine has signed for it, and no sooner', async () => {
    const [tenant, machine, other] = await Promise.all([aTenant(), aMachine(), aMachine()])
    const { publicKey } = machine
    const { leaseId, jti } = await tenant.borrow({ publicKey })
    const proof = await machine.sign(jti)
    for (const bad of [
      undefined,
      'no proof',
      await other.sign(jti),
      await machine.sign('another.1'),
      await machine.sign(jti, 'JWT'),
      `${proof.slice(0, -4)}AAAA`,
    ])
      expect([bad, await tenant.giveBack(leaseId, bad)]).toEqual([bad, '422 RETURN_NOT_PROVEN'])
    expect(outcome(await tenant.ask())).toBe('409 POOL_EXHAUSTED')
    expect(await tenant.beat(leaseId)).toBe('409 TRANSITION_NOT_ALLOWED')

    expect(await tenant.giveBack(leaseId, proof)).toEqual({ released: true })
    expect(await tenant.giveBack(leaseId, proof)).toEqual({ released: false })
    // The copy that went on offline comes online: it is told, and the place is another's.
    expect(await tenant.beat(leaseId)).toBe('409 BORROW_RETURNED')
    const next = await tenant.borrow()
    expect(await tenant.beat(leaseId)).toBe('409 BORROW_RETURNED')
    expect(await tenant.beat(next.leaseId)).toBe('409 TRANSITION_NOT_ALLOWED')
  })

  test('of a machine without a key, or released by the tenant, is told that it is back', async () => {
    const tenant = await aTenant()
    const first = await tenant.borrow()
    expect(await tenant.giveBack(first.leaseId)).toEqual({ released: true })
    expect(await tenant.beat(first.leaseId)).toBe('409 BORROW_RETURNED')
    const { publicKey } = await aMachine()
    const second = await tenant.borrow({ publicKey })
    expect(outcome(await tenant.release(second.ref))).toBe('200')
    expect(await tenant.beat(second.leaseId)).toBe('409 BORROW_RETURNED')
  })

  test('asked for again under its name is the same, for the same machine alone', async () => {
    const [tenant, machine, other] = await Promise.all([aTenant(), aMachine(), aMachine()])
    const leaseToken = randomUUID()
    const first = await tenant.borrow({ leaseToken, publicKey: machine.publicKey })
    const again = await tenant.borrow({ leaseToken, publicKey: machine.publicKey })
    expect(again).toMatchObject({ ref: first.ref, jti: first.jti, heldBefore: true })
    const elsewhere = await tenant.ask({ leaseToken, publicKey: other.publicKey })
    expect(outcome(elsewhere)).toBe('409 BORROW_NOT_ALLOWED')
    const noPoint = { ...machine.publicKey, x: other.publicKey.x }
    expect(wrongFields(await tenant.ask({ publicKey: noPoint }))).toEqual(['/body/publicKey'])
  })
})
