import { randomInt } from 'node:crypto'
import { SignJWT } from 'jose'
import { subjectOf } from '../../shared/domain/access.ts'
import { checkSameMachine, jtiOf, type PublicKey } from '../../shared/domain/borrowing.ts'
import { type Holder, lastOf } from '../../shared/domain/lease-last.ts'
import { milliseconds, nameOf, sharedOut } from '../../shared/domain/lease-terms.ts'
import { UNLIMITED, wholeUnits } from '../../shared/domain/overdraft.ts'
import { isBorrow, isHolding, liveIn, unitsOf } from '../../shared/domain/pool.ts'
import { grant } from '../../shared/domain/pool-grant.ts'
import { instantOf, offers, ruleOf, seconds } from '../../shared/domain/pool-terms.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { codeOf } from '../../shared/domain/shares.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import {
  earliest,
  epochMilliseconds,
  epochSeconds,
  type Instant,
  plusMilliseconds,
} from '../../shared/platform/time.ts'
import { putBorrowing, readBorrowing } from '../../shared/store/borrowing.ts'
import type { AskedProduct } from '../asked-product.ts'
import type { PlacedRequest } from '../places.ts'
import { notInForce, refuseCaller, type Wanted } from './asking.ts'
import { denied, unlicensed } from './denied.ts'
import { leaseView } from './lease-view.ts'
import { newRef, sizeOf } from './plan.ts'
import { checkPublicKey } from './return-proof.ts'
import { lookAtQueue, makeWay } from './serve-queue.ts'
import type { LeaseServices } from './services.ts'
import { settle } from './settle.ts'
import type { Borrowed, Lease } from './shapes.ts'
import { type Denied, deniedFor, shortage } from './shortage.ts'

/** `typ` of a borrowed license, so that it never passes for a license file or a verdict. */
const BORROW_TYP = 'borrow+jwt'

export type Borrow = {
  readonly wanted: Wanted
  /** Of the machine that is going offline. */
  readonly fingerprint: string
  /** Of that machine: then it has to prove an early return. */
  readonly publicKey?: PublicKey | undefined
  readonly until?: Instant | undefined
  readonly holder?: Holder | undefined
  readonly department?: string | undefined
  readonly leaseToken?: string | undefined
  readonly country?: string | undefined
}

/**
 * Takes units away for use offline, for as long as the plan allows and never beyond the license. They count until their
 * end or their return; no heartbeat can take them back. At most a share of the pool can be away at once.
 */
export async function borrow(
  call: PlacedRequest,
  asked: AskedProduct,
  body: Borrow,
  services: LeaseServices,
): Promise<Borrowed | Refusal | Replayed> {
  const { caller, now } = call
  const { metric, units } = body.wanted
  const { fingerprint, publicKey, leaseToken } = body
  const unfit = await checkPublicKey(publicKey)
  if (unfit) return unfit
  const generation = randomInt(0x1_0000)
  const at = seconds(now)
  const address = { ...asked, metric }

  const borrowed = await settle<Borrowed>(call, services, {
    ...asked,
    metrics: [metric],
    place: body,
    blind: () => undefined,
    async decide(grounds, pools) {
      const ref = leaseToken === undefined ? newRef(pools) : nameOf('borrow', subjectOf(caller), leaseToken)
      const refused = refuseCaller(caller, grounds, now, services)
      if (refused) return refused
      const size = sizeOf(grounds, metric, now, services)
      const pool = pools.get(metric)
      if (pool === undefined || size.limit === 0) return notInForce
      const rule = ruleOf(size, 'borrow')
      if (rule === undefined)
        return refuse('BORROW_NOT_ALLOWED', 'The plan does not say that it can be borrowed.')
      const longest = plusMilliseconds(now, milliseconds(now, rule.maximum))
      const length = epochMilliseconds(earliest(longest, body.until)) - epochMilliseconds(now)
      if (length <= 0) {
        return refuse('INVALID_REQUEST', 'A license is borrowed for some time to come.', {
          errors: [{ field: '/body/until', message: 'is over' }],
        })
      }
      const planned = offers(grounds.holdings, metric, now, length, services.verifier.isGenuine)
      const { offers: ways, shares } = sharedOut(planned, grounds.shares.get(metric))
      const borrowLimit =
        rule.share === undefined ? UNLIMITED : wholeUnits((size.capacity * rule.share) / 100)
      const department = codeOf(shares, body.department)
      const ask = { ref, units, kind: 'borrow', generation, borrowLimit, department } as const
      const part = { wanted: body.wanted, ask, size, offers: ways, shares }
      const short = (because: Denied) => shortage(call, asked, part, pool, because, body, true, services)
      if (pool.waiting > 0 && !isHolding(pool, ref, at)) {
        const looked = await lookAtQueue(address, pool, grounds, now, services)
        if (looked.served || looked.isOutdated) return makeWay(call, metric, looked.served)
        if (looked.isBehind(ask)) return short('capacity')
      }
      const found = grant(pool, ask, ways, at, shares)
      if (found.outcome === 'full') {
        if (found.because !== 'borrowed') return short(deniedFor(found.because))
        const tokenRef = leaseToken === undefined ? undefined : ref
        await denied(call, asked, body.wanted, body, tokenRef, { because: 'quota' }, services)
        const away = unitsOf(liveIn(pool, at).filter(isBorrow))
        const detail = `At most ${borrowLimit} units may be borrowed at once; ${away} are.`
        return refuse('BORROW_NOT_ALLOWED', detail)
      }
      const lease = leaseView(
        { ...asked, ref, sharer: 0, entries: [[metric, found.entry]] },
        now,
        services.secrets.leaseKey,
        { heldBefore: found.heldBefore },
      )
      const jti = jtiOf(ref, found.entry)
      // With its token: the answer is kept as a whole.
      const reply = { lease, token: await sign(jti, lease, { ...asked, fingerprint }, now, services) }
      if (found.outcome === 'held') {
        const known = await readBorrowing(services.table, address, jti)
        const other = known && checkSameMachine(known, body)
        return other ?? { changes: new Map(), reply }
      }
      const until = instantOf(found.entry.until)
      const borrowing = { jti, fingerprint, ...(publicKey && { publicKey }), until }
      return {
        changes: new Map([[metric, found.change]]),
        beside: { borrowing: putBorrowing(address, borrowing) },
        last: lastOf('borrow', ref, call, body),
        reply,
      }
    },
  })
  return isRefusal(borrowed) ? unlicensed(borrowed, call, asked, [body.wanted], body, services) : borrowed
}

async function sign(
  jti: string,
  { ref, items, leaseId, expiresAt }: Lease,
  { tenantId, productId, fingerprint }: AskedProduct & Pick<Borrow, 'fingerprint'>,
  now: Instant,
  { issuer, sessionKeys }: LeaseServices,
): Promise<string> {
  const { kid, privateKey } = await sessionKeys.current(now)
  return new SignJWT({ tenantId, productId, items, fingerprint, leaseId })
    .setJti(jti)
    .setProtectedHeader({ alg: 'ES256', typ: BORROW_TYP, kid })
    .setIssuer(issuer)
    .setSubject(ref)
    .setIssuedAt(epochSeconds(now))
    .setExpirationTime(epochSeconds(expiresAt))
    .sign(privateKey)
}
