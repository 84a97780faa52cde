import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { AskedProduct } from '../../../functions/asked-product.ts'
import { type Borrow, borrow } from '../../../functions/leases/borrow.ts'
import { checkIn } from '../../../functions/leases/check-in.ts'
import { type CheckOut, checkOut } from '../../../functions/leases/check-out.ts'
import { claimTicket } from '../../../functions/leases/claim.ts'
import { rememberGrounds } from '../../../functions/leases/grounds.ts'
import { heartbeat } from '../../../functions/leases/heartbeat.ts'
import type { LeaseServices } from '../../../functions/leases/services.ts'
import { Borrowed, Lease, TicketView } from '../../../functions/leases/shapes.ts'
import { cancelTicket, type Join, joinTicket, pingTicket } from '../../../functions/leases/tickets.ts'
import { openLeaseId, openTicketId } from '../../../functions/sealed-id.ts'
import type { CommitRequest } from '../../../functions/services.ts'
import type { Caller } from '../../../shared/domain/access.ts'
import { jtiOf, PublicKey } from '../../../shared/domain/borrowing.ts'
import { lastOf } from '../../../shared/domain/lease-last.ts'
import type { License } from '../../../shared/domain/license.ts'
import { unitsOf } from '../../../shared/domain/pool.ts'
import { seconds } from '../../../shared/domain/pool-terms.ts'
import { isRefusal, type Refusal } from '../../../shared/domain/refusal.ts'
import { heldBy, Share, withCodes } from '../../../shared/domain/shares.ts'
import { type LicenseId, newLicenseId, newProductId, newTenantId } from '../../../shared/platform/ids.ts'
import { plusMilliseconds } from '../../../shared/platform/time.ts'
import { changePool } from '../../../shared/store/change-pool.ts'
import { commit } from '../../../shared/store/commit.ts'
import { raiseFence, raiseFences } from '../../../shared/store/fence.ts'
import { licenseItem, readHoldings, readLicense, replaceLicense } from '../../../shared/store/holdings.ts'
import { poolKey } from '../../../shared/store/keys.ts'
import { readPool } from '../../../shared/store/pool.ts'
import { readPoolShares, replacePoolShares } from '../../../shared/store/pool-shares.ts'
import { readItem } from '../../../shared/store/read.ts'
import { readQueue } from '../../../shared/store/ticket.ts'
import { putOnce, type Table, transact } from '../../../shared/store/transact.ts'
import { aLicense, at, type LicenseOverrides } from '../../support/licenses.ts'

/** Licenses of `aLicense` are in force all through 2026. */
export const NOON = at('2026-06-01T12:00:00Z')

export type World = Awaited<ReturnType<typeof aWorld>>

/**
 * A tenant of its own with floating licenses, and the functions that give leases, called as handlers call them but at
 * times of the test's choice. `clock.now` is what the next request has as its time.
 */
export async function aWorld(table: Table, ...licenses: readonly LicenseOverrides[]) {
  const clock = { now: NOON }
  const asked: AskedProduct = { tenantId: newTenantId(NOON), productId: newProductId(NOON) }
  const ids: LicenseId[] = []
  const caller: Caller = { kind: 'tenant', role: 'tenant:app', tenantId: asked.tenantId, subject: 'tok_app' }

  /** A warm function; another one remembers nothing of what the first saw. */
  function warm(client: Table['client'] = table.client): LeaseServices {
    const own = { client, name: table.name }
    // Only what leases need; a use of anything else fails.
    return partOf({
      table: own,
      remembered: rememberGrounds(own),
      issuer: 'https://licensing.example.test',
      secrets: { leaseKey: LEASE_KEY },
      sessionKeys: { current: async () => ({ kid: 'session', privateKey: SESSION_KEY }) },
      verifier: { isGenuine: () => true },
      commit: (request: CommitRequest, decision: Parameters<typeof commit>[3]) =>
        commit(own, SEALING_KEY, request, decision),
    })
  }
  const services = warm()

  const call = (changes: Partial<CommitRequest> = {}): CommitRequest => ({
    caller,
    now: clock.now,
    requestId: randomUUID(),
    idempotencyKey: undefined,
    fingerprint: '',
    ...changes,
  })

  async function issue(overrides: LicenseOverrides = {}): Promise<LicenseId> {
    const id = newLicenseId(NOON)
    const license = aLicense({
      allocation: 'floating',
      limits: { concurrent: 5 },
      ...overrides,
      id,
      tenantId: asked.tenantId,
      productId: asked.productId,
    })
    await transact(table, { ...(await raiseFences(table, license)), license: putOnce(licenseItem(license)) })
    ids.push(id)
    return id
  }

  /** Changes a license as the vendor does: with its fences, in one transaction. */
  async function change(id: LicenseId | undefined, edit: (license: License) => License): Promise<void> {
    for (;;) {
      const license = id && (await readLicense(table, { ...asked, licenseId: id }))
      if (license === undefined) throw new Error('no such license')
      const outcome = await transact(table, {
        ...(await raiseFences(table, license)),
        license: replaceLicense(edit(license)),
      })
      if (outcome.ok) return
    }
  }

  for (const overrides of licenses) await issue(overrides)
  return {
    table,
    clock,
    asked,
    caller,
    ids,
    services,
    warm,
    call,
    issue,
    change,
    licenses: async () => (await readHoldings(table, asked.tenantId, asked.productId)).licenses,
    /** Shares the pool out as the tenant does. */
    async shareOut(...given: readonly object[]) {
      const address = { ...asked, metric: 'concurrent' }
      const current = await readPoolShares(table, address)
      const coded = withCodes(
        current,
        given.map((one) => Share.parse(one)),
      )
      const next = { ...current, ...coded, revision: current.revision + 1 }
      const writes = {
        shares: replacePoolShares(address, next, current.revision),
        fence: raiseFence(address),
      }
      if (!(await transact(table, writes)).ok) throw new Error('somebody else shares the pool out')
    },
    pass: (seconds: number) => {
      clock.now = plusMilliseconds(clock.now, seconds * 1000)
    },
    suspend: (id = ids[0]) => change(id, (license) => ({ ...license, suspendedAt: clock.now })),
    reinstate: (id = ids[0]) => change(id, ({ suspendedAt: _, ...license }) => license),
    cut: (concurrent: number, id = ids[0]) =>
      change(id, (license) => ({ ...license, limits: { ...license.limits, concurrent } })),
    out: async (body: CheckOut = {}, by = services, changes: Partial<CommitRequest> = {}) =>
      answered(await checkOut(call(changes), asked, body, by)),
    beat: async (lease: Lease, by = services) => answered(await heartbeat(call(), opened(lease), by)),
    /** `sign`: what the machine proves its return with. */
    in: async (
      lease: Lease,
      by = services,
      changes: Partial<CommitRequest> = {},
      sign?: (jti: string) => Promise<string>,
    ) => {
      const { ref, entries } = opened(lease)
      const [, entry] = entries[0] ?? []
      const proof = entry && (await sign?.(jtiOf(ref, entry)))
      return checkIn(call(changes), opened(lease), proof, by)
    },
    borrow: async (body: Partial<Borrow>, by = services) => {
      const wanted = { metric: 'concurrent', units: 1 }
      const answer = await borrow(call(), asked, { wanted, fingerprint: 'machine-1', ...body }, by)
      return isRefusal(answer) ? answer : Borrowed.parse(answer).lease
    },
    join: async (more: Partial<Join> = {}, by = services, changes: Partial<CommitRequest> = {}) => {
      // Those who come in the same millisecond are in no order.
      clock.now = plusMilliseconds(clock.now, 1)
      const body = { wanted: { metric: 'concurrent', units: 1 }, priority: 0, ...more }
      const answer = await joinTicket(call(changes), asked, body, by)
      if (isRefusal(answer)) return answer
      return TicketView.parse('replayed' in answer ? answer.replayed : answer)
    },
    ping: async (ticket: TicketView, by = services) =>
      TicketView.parse(await pingTicket(call(), openedTicket(ticket), by)),
    cancel: async (ticket: TicketView, by = services) => cancelTicket(call(), openedTicket(ticket), by),
    claim: async (ticket: TicketView, by = services, changes: Partial<CommitRequest> = {}) =>
      answered(await claimTicket(call(changes), openedTicket(ticket), by)),
    /** Leases of others that last, in the item of the pool: what comes then lies on pages. */
    async fill(count: number, metric = 'concurrent') {
      const until = seconds(NOON) + 90 * 86_400
      const lease = {
        kind: 'lease',
        units: 1,
        overdraft: false,
        until,
        beat: 0,
        generation: 0,
        sharers: 0,
      } as const
      for (let first = 0; first < count; first += 50) {
        const refs = Array.from({ length: Math.min(50, count - first) }, (_, index) => `fill${first + index}`)
        const put = new Map(refs.map((ref) => [ref, lease]))
        const last = lastOf('out', 'nobody', { caller, now: clock.now, requestId: 'fill' })
        const [action] = changePool({ ...asked, metric }, { put, seen: new Map(), remove: [] }, last)
        if (action === undefined || !(await transact(table, { action })).ok) throw new Error('not filled')
      }
    },
    async pool(metric = 'concurrent') {
      const pool = await readPool(table, { ...asked, metric })
      if (pool === undefined) throw new Error(`no pool ${metric}`)
      const paged = [...pool.entries.values()].filter((entry) => entry.paged).length
      if (paged !== pool.paged || pool.entries.size - paged !== pool.inItem)
        throw new Error(
          `${pool.inItem} and ${pool.paged} on pages, but ${pool.entries.size - paged} and ${paged}`,
        )
      // Counts equal rows, always.
      const counted = unitsOf(pool.entries.values())
      const queue = await readQueue(table, { ...asked, metric }, 1000)
      if (pool.waiting !== queue.length)
        throw new Error(`waiting ${pool.waiting}, but ${queue.length} tickets`)
      if (pool.used !== counted) throw new Error(`used ${pool.used}, but entries of ${counted}`)
      const item = (await readItem(table, poolKey(asked.tenantId, asked.productId, metric))) ?? {}
      const held = heldBy(pool.entries.values())
      for (const [name, value] of Object.entries(item))
        if (/^d\d+$/.test(name) && value !== (held.get(Number(name.slice(1))) ?? 0))
          throw new Error(`${name} ${String(value)}, but entries of ${held.get(Number(name.slice(1)))}`)
      for (const code of held.keys()) if (!(`d${code}` in item)) throw new Error(`no d${code}`)
      return pool
    },
  }
}

/** A machine with a key, and what it signs when it has disabled its copy. */
export function aMachine() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  return {
    publicKey: PublicKey.parse({ ...publicKey.export({ format: 'jwk' }) }),
    sign: (jti: string) =>
      new SignJWT({ jti }).setProtectedHeader({ alg: 'ES256', typ: 'return+jwt' }).sign(privateKey),
  }
}

const LEASE_KEY = randomBytes(32)
const SESSION_KEY = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
const SEALING_KEY = randomBytes(32)

function partOf(services: object): LeaseServices {
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a stand-in with the services that leases use
  return services as LeaseServices
}

function opened({ leaseId }: Lease) {
  const address = openLeaseId(leaseId, LEASE_KEY)
  if (address === undefined) throw new Error('no lease id')
  return address
}

function openedTicket({ ticketId }: TicketView) {
  const address = openTicketId(ticketId, LEASE_KEY)
  if (address === undefined) throw new Error('no ticket id')
  return address
}

/** The ticket, if there is one. */
export function queued(answer: TicketView | Refusal): TicketView {
  if (isRefusal(answer)) throw new Error(`${answer.refused}: ${answer.detail}`)
  return answer
}

/** The lease or refusal; a replay is parsed. */
function answered(answer: unknown): Lease | Refusal {
  if (isRefusal(answer)) return answer
  const replayed = typeof answer === 'object' && answer !== null && 'replayed' in answer
  return Lease.parse(replayed ? answer.replayed : answer)
}

/** The lease, if there is one. */
export function granted(answer: Lease | Refusal): Lease {
  if (isRefusal(answer)) throw new Error(`${answer.refused}: ${answer.detail}`)
  return answer
}

/** `granted`, or the code of the refusal. */
export const codeOf = (answer: unknown): string => (isRefusal(answer) ? answer.refused : 'granted')
