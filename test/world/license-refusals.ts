import * as z from 'zod'
import type { MovingLicense, Transfer } from '../../shared/domain/transfer.ts'
import { LicenseId, ProductId, TenantId, TransferId } from '../../shared/platform/ids.ts'
import { licenseKey } from '../../shared/store/keys.ts'
import { readTransfer } from '../../shared/store/transfer.ts'
import { createPlan } from '../support/resources.ts'
import { expected, Issued } from '../support/scenario.ts'
import type { World } from './calls.ts'
import type { Sent } from './requests.ts'
import { type Refused, type Spoil, set, withBody } from './spoil.ts'

const vendors = async (world: World, path: string, body: object) =>
  world.api.call('POST', path, { token: await world.api.token('vendor:admin'), body })

/** A row that is not what was signed. */
const tampered = (
  world: World,
  tenantId: TenantId,
  productId: ProductId,
  license: LicenseId,
): Promise<void> => set(world, licenseKey(tenantId, productId, license), { reference: 'of somebody else' })

async function transferOf({ api }: World, { params }: Sent): Promise<Transfer> {
  const transfer = await readTransfer(api.table, TransferId.parse(params?.['transferId']))
  if (transfer === undefined) throw new Error('there is no such transfer')
  return transfer
}

const firstOf = ({ licenses: [first] }: Transfer): MovingLicense => {
  if (first === undefined) throw new Error('it moves nothing')
  return first
}

/** Something that extends a license, and would move with it. */
async function extend(world: World, base: string, planId: string, order: object) {
  const { tenantId } = world.tenancy.known
  const body = { tenantId, planId, type: 'TOPUP', extends: base, ...order }
  return Issued.parse(expected(201, await vendors(world, '/v1/licenses', body))).license.id
}

/** What was requested is extended before it is approved. */
const extendedBy =
  (order: object, rules?: object): Spoil =>
  async (world, sent) => {
    const { plans, product } = world.catalog
    const limits = { machines: 1 }
    const terms = { allocation: 'node-locked', limits, features: {}, ...(rules && { rules }) }
    const { id } = rules ? await createPlan(world.api, product.id, terms) : plans['node-locked']
    await extend(world, firstOf(await transferOf(world, sent)).licenseId, id, { limits, ...order })
    return sent
  }

/** The tenant has no license in force. */
async function suspendAll(world: World, sent: Sent): Promise<Sent> {
  const { api, tenancy } = world
  const query = { tenantId: tenancy.known.tenantId, status: 'ACTIVE' }
  const answer = await api.call('GET', '/v1/licenses', { token: await api.token('vendor:admin'), query })
  const Licenses = z.object({ items: z.array(z.object({ id: z.string() })) })
  for (const { id } of Licenses.parse(expected(200, answer)).items)
    expected(200, await vendors(world, `/v1/licenses/${id}/suspend`, { reason: 'a test' }))
  return sent
}

/** Its row is not what was signed. */
async function tamper(world: World, sent: Sent): Promise<Sent> {
  const { tenantId, productId, licenseId } = world.tenancy.known
  await tampered(world, TenantId.parse(tenantId), ProductId.parse(productId), LicenseId.parse(licenseId))
  return sent
}

/** All but a part of what the pool has. */
const MOST = 9

/** Refusals of operations on licenses that others hold, or use together. */
export const licenseRefusals: readonly Refused[] = [
  ['editLicense', 'LICENSE_TAMPERED', tamper],
  ['suspendLicense', 'LICENSE_TAMPERED', tamper],
  ['reinstateLicense', 'LICENSE_TAMPERED', tamper],
  ['renewLicense', 'LICENSE_TAMPERED', tamper],
  ['rotateLicenseKey', 'LICENSE_TAMPERED', tamper],
  ['getLicenseFile', 'LICENSE_TAMPERED', tamper],
  ['requestTransfer', 'LICENSE_TAMPERED', tamper],
  [
    'requestTransfer',
    'LICENSE_MISMATCH',
    async (world, sent) => {
      const { licenseId, planId } = world.tenancy.known
      return {
        ...sent,
        params: { licenseId: await extend(world, licenseId, planId, { limits: { learners: 1 } }) },
      }
    },
  ],
  [
    'approveTransfer',
    'LICENSE_TAMPERED',
    async (world, sent) => {
      const transfer = await transferOf(world, sent)
      await tampered(world, transfer.giving.tenantId, transfer.product.id, firstOf(transfer).licenseId)
      return sent
    },
  ],
  [
    'takeUpTransfer',
    'TRANSFER_NOT_ALLOWED',
    // By who gives it.
    async ({ tenancy }, sent) => ({ ...sent, params: { tenantId: tenancy.known.tenantId } }),
  ],
  ['approveTransfer', 'LICENSE_MISMATCH', extendedBy({ fingerprints: ['of a machine'] })],
  ['approveTransfer', 'TRANSFER_NOT_ALLOWED', extendedBy({}, { transfer: { allowed: false } })],
  [
    'refuseTransfer',
    'TRANSFER_OVER',
    async (world, sent) => {
      expected(200, await vendors(world, `/v1/transfers/${sent.params?.['transferId']}/refuse`, {}))
      return sent
    },
  ],
  [
    'cancelTransfer',
    'TRANSITION_NOT_ALLOWED',
    async ({ api }, sent) => ({ ...sent, token: await api.token('vendor:admin') }),
  ],
  [
    'collectTransfer',
    'LICENSE_TAMPERED',
    async (world, sent) => {
      const transfer = await transferOf(world, sent)
      const { successor } = firstOf(transfer)
      if (transfer.receiving === undefined || successor === undefined)
        throw new Error('it is not carried out')
      await tampered(world, transfer.receiving.tenantId, transfer.product.id, successor)
      return sent
    },
  ],
  [
    'checkIn',
    'LEASE_SUPERSEDED',
    async ({ api }, sent) => {
      let body = z.object({ leaseId: z.string() }).parse(sent.body)
      // The id before the last one is taken for the last: its answer may have been lost.
      for (let beats = 0; beats < 2; beats += 1) {
        const answer = await api.call('POST', '/v1/leases/heartbeat', { token: sent.token, body })
        body = z.object({ leaseId: z.string() }).parse(expected(200, answer))
      }
      return sent
    },
  ],
  ['heartbeat', 'LICENSE_NOT_IN_FORCE', suspendAll],
  ['borrow', 'LICENSE_NOT_IN_FORCE', suspendAll],
  ['joinQueue', 'LICENSE_NOT_IN_FORCE', suspendAll],
  ['claimTicket', 'LICENSE_NOT_IN_FORCE', suspendAll],
  [
    'claimTicket',
    'TICKET_ENDED',
    async ({ api }, sent) => {
      const { ticketId } = Object(sent.body)
      expected(200, await api.call('POST', '/v1/tickets/cancel', { token: sent.token, body: { ticketId } }))
      return sent
    },
  ],
  ['borrow', 'NOT_FOUND', withBody({ product: 'nowhere' })],
  ['joinQueue', 'NOT_FOUND', withBody({ product: 'nowhere' })],
  ['joinQueue', 'POOL_EXHAUSTED', withBody({ item: { metric: 'concurrent', units: 1_000 } })],
  [
    'claimTicket',
    'TRANSITION_NOT_ALLOWED',
    async ({ api, tenancy }, sent) => {
      const { product } = tenancy.known
      const item = { metric: 'concurrent', units: MOST }
      const join = await api.call('POST', '/v1/tickets', { token: sent.token, body: { product, item } })
      const { ticketId } = z.object({ ticketId: z.string() }).parse(expected(201, join))
      return { ...sent, body: { ticketId } }
    },
  ],
]
