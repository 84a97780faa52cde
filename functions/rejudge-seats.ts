import { isRefusal } from '../shared/domain/refusal.ts'
import { poolName, type Seat } from '../shared/domain/seat.ts'
import type { TenantId } from '../shared/platform/ids.ts'
import { readQueue } from '../shared/store/seat-pool.ts'
import { readPerson } from '../shared/store/user.ts'
import { type Adjustment, adjustSeats } from './adjust-seats.ts'
import { readSeating } from './seating.ts'
import type { CommitRequest } from './services.ts'
import type { VerifyingServices } from './verified.ts'

type Place = Pick<Seat, 'productId' | 'metric'>

/** People looked at in each line of a pool in one go: those who wait longest. */
const LOOKED_AT = 25

/**
 * Decides anew over those who have waited longest for a seat of a pool, in its queue and for something else: the
 * licenses or the product may say something else now than when they were last decided on. Who is not concerned is not
 * written. Somebody quicker is no trouble: the next run looks again.
 *
 * @returns how many of them something changed for, and the pools in which somebody may have a place now
 */
export async function rejudgeSeats(
  request: Pick<CommitRequest, 'now' | 'requestId'>,
  services: VerifyingServices,
  tenantId: TenantId,
  place: Place,
): Promise<{ changed: number; serve: readonly Place[] }> {
  let changed = 0
  const serve: Place[] = []
  for (const line of ['BLOCKED', 'QUEUE'] as const) {
    let looked = 0
    for await (const { userId } of readQueue(services.table, tenantId, place, line, LOOKED_AT)) {
      looked += 1
      if (looked > LOOKED_AT) break
      const adjustment = await decideAnew(request, services, tenantId, place, userId)
      if (adjustment === undefined) continue
      const { writes, events, refusals } = adjustment
      const done = await services.commit(
        {
          ...request,
          caller: { kind: 'system', subject: 'seats' },
          idempotencyKey: undefined,
          fingerprint: '',
        },
        { writes, events, reply: undefined, refusals },
      )
      if (isRefusal(done)) continue
      changed += 1
      serve.push(...adjustment.serve)
    }
  }
  return { changed, serve }
}

async function decideAnew(
  { now }: Pick<CommitRequest, 'now'>,
  services: VerifyingServices,
  tenantId: TenantId,
  { productId }: Place,
  userId: Parameters<typeof readPerson>[2],
): Promise<Adjustment | undefined> {
  // The person comes before what is decided on: each row that changes meanwhile fails the transaction.
  const person = await readPerson(services.table, tenantId, userId)
  const seating = person && (await readSeating(services, tenantId, now, [productId]))
  if (person === undefined || seating === undefined) return undefined
  const adjustment = adjustSeats(person, person.user, seating, now)
  const { user, seats } = adjustment.after
  const same = (before: readonly Place[], after: readonly Place[]) =>
    JSON.stringify(before.map(essence).toSorted()) === JSON.stringify(after.map(essence).toSorted())
  return same(person.user.pending, user.pending) && same(person.seats, seats) ? undefined : adjustment
}

/** A seat or pending one as text, whatever the order of its fields. */
const essence = (one: Place) =>
  `${poolName(one)} ${JSON.stringify(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`
