import { type Bulk, type BulkRow, decideAction, eventFor, rowOf } from '../../shared/domain/bulk.ts'
import { chunks } from '../../shared/domain/chunks.ts'
import { seesOrganization } from '../../shared/domain/organization.ts'
import { isRefusal, notFound, refuse } from '../../shared/domain/refusal.ts'
import { type PoolName, poolName } from '../../shared/domain/seat.ts'
import { afterMoves, type PoolMove, servedMoves, sumMoves } from '../../shared/domain/seat-moves.ts'
import type { UserId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { putRow, writeRowOnce } from '../../shared/store/bulk.ts'
import type { Person } from '../../shared/store/user.ts'
import { writeRow } from '../../shared/store/write.ts'
import type { Adjustment } from '../seating/adjust-seats.ts'
import { decideEdit } from '../seating/change-person.ts'
import { readablePerson } from '../seating/readable-person.ts'
import { productsOf, readSeating, type TenantSeating } from '../seating/seating.ts'
import { serveWaiting } from '../seating/serve-seats.ts'
import type { CommitRequest } from '../services.ts'
import { outdated } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'

/** People read ahead, or told of, at once; between two such groups it is seen that the change was canceled. */
export const TOGETHER = 8
/** How often others may be quicker at one person before it is left for the next time. */
const ATTEMPTS = 6
/** How many who wait are served at once after a chunk; the rest is for the job of the queues. */
const SERVED_AT_ONCE = 25

const done = refuse('IN_USE', 'It was done by somebody else.')

type Chunk = {
  row: (id: UserId, read: Person | undefined) => Promise<void>
  /** What is foreseen after it. */
  end: () => Promise<PoolMove[]>
}

/** Decides person after person on what the tenant's seats are like after the one before. */
export async function createChunk(
  bulk: Bulk,
  requestId: string,
  services: VerifyingServices,
): Promise<Chunk | undefined> {
  const { table } = services
  const { tenantId, action, by, dryRun, reason } = bulk
  const now = readClock()
  const request: CommitRequest = { caller: by, now, requestId, idempotencyKey: undefined, fingerprint: '' }
  const first = await readSeating(services, tenantId, now)
  if (first === undefined) return undefined
  let foreseen: PoolMove[] = bulk.foreseen
  let base: TenantSeating = dryRun ? afterMoves(first, foreseen) : first
  const serve = new Map<PoolName, Adjustment['serve'][number]>()
  const told: BulkRow[] = []
  return { row, end }

  async function row(id: UserId, read: Person | undefined): Promise<void> {
    let person = read
    for (let tries = 0; tries < ATTEMPTS; tries += 1) {
      if (tries > 0) person = await readablePerson(services, tenantId, id, request)
      const seating = await seatingFor(person, tries > 0)
      const edit = await decide(person, seating)
      // What is refused is refused on what is there now, not on what it was when the chunk began.
      if (isRefusal(edit) && edit.refused !== 'NOT_FOUND' && tries === 0 && !dryRun) continue
      const result = isRefusal(edit) ? edit : (edit.adjustment?.after ?? ('unchanged' as const))
      const outcome = rowOf(id, person, result, now)
      if (dryRun) {
        told.push(outcome)
        if (!isRefusal(edit)) forward(edit.adjustment?.moves ?? [])
        return
      }
      if (isRefusal(edit) || edit.adjustment === undefined) {
        await writeRow(table, writeRowOnce(bulk, outcome))
        return
      }
      const { adjustment, decision } = edit
      const committed = await services.commit(request, {
        ...decision,
        writes: { outcome: writeRowOnce(bulk, outcome), ...decision.writes },
        refusals: { outcome: done, ...decision.refusals },
      })
      if (!isRefusal(committed)) {
        forward(adjustment.moves)
        for (const place of adjustment.serve) serve.set(poolName(place), place)
        return
      }
      if (committed.refused === done.refused) return
      if (committed.refused !== outdated.refused) {
        await writeRow(table, writeRowOnce(bulk, rowOf(id, person, committed, now)))
        return
      }
    }
  }

  async function decide(person: Person | undefined, seating: TenantSeating) {
    const isSeen = person && seesOrganization(by, person.user.organizationId, seating.organizations)
    if (person === undefined || !isSeen) return notFound
    return decideEdit(request, services, person, seating, {
      event: eventFor(action, person.user),
      reason,
      byHand: true,
      next: ({ user, seats }) => decideAction(action, user, seats, seating, now),
    })
  }

  /** The tenant's seats for this person: with the products that only it has something of. */
  async function seatingFor(person: Person | undefined, fresh: boolean): Promise<TenantSeating> {
    const others = person ? productsOf(person).filter((id) => !base.products.has(id)) : []
    if (!fresh && others.length === 0) return base
    const read = (await readSeating(services, tenantId, now, others)) ?? base
    const own = dryRun ? afterMoves(read, foreseen) : read
    if (others.length === 0) base = own
    return own
  }

  function forward(moves: readonly PoolMove[]): void {
    base = afterMoves(base, moves)
    if (dryRun) foreseen = sumMoves([...foreseen, ...moves])
  }

  async function end(): Promise<PoolMove[]> {
    for (const some of chunks(told, TOGETHER))
      await Promise.all(some.map((one) => writeRow(table, putRow(bulk, one))))
    if (dryRun) return sumMoves([...foreseen, ...servedMoves(base, foreseen)])
    await serveWaiting(request, services, tenantId, [...serve.values()], SERVED_AT_ONCE)
    return foreseen
  }
}
