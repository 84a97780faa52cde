import { createHash } from 'node:crypto'
import { isSame } from '../../shared/domain/canonical-json.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import { byPool, type PoolName, type TenantPool } from '../../shared/domain/seat.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { DAY, plusMilliseconds } from '../../shared/platform/time.ts'
import { bySystem } from '../../shared/store/commit.ts'
import { type JudgedPool, judgedPoolItem, readJudgedPool } from '../../shared/store/judged-pool.ts'
import { pendingSeatsKey } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { pendingSeatEntity } from '../../shared/store/seat-pool.ts'
import { writeRow } from '../../shared/store/write.ts'
import type { CommitRequest } from '../services.ts'
import type { VerifyingServices } from '../verified.ts'
import { type Adjustment, adjustSeats } from './adjust-seats.ts'
import { readablePerson } from './readable-person.ts'
import { readSeating, seatingOf, type TenantSeating } from './seating.ts'

type Who = Parameters<typeof readablePerson>[2]
type Judging = Pick<CommitRequest, 'now' | 'requestId'> & {
  readonly tenantId: TenantId
  readonly place: TenantPool
}

/** People looked at between looks at the time that is left. */
const PAGE = 25
/** Pages of one pool in one run; its other people, and other pools, have their turn as well. */
const MOST_PAGES = 40
/** How often others may be quicker at one person. */
const ATTEMPTS = 4
/** What was decided at the moment at which a license changed, on what was before, is looked at again by then. */
const LOOK_AGAIN = DAY

/**
 * Decides anew over those who wait for a seat of a pool, in its queue or for something else: the licenses or the product
 * may say something else now than when they were last decided on. All have their turn, a page after the other, over as
 * many runs as it takes: how far it came is kept. Where everybody was looked at and nothing is another since, nobody is.
 * Who is not concerned is not written. Somebody quicker is no trouble: that was decided on what is now.
 *
 * @param pause called after each page; may throw, and the next run goes on
 * @returns how many of them something changed for, and the pools in which somebody may have a place now
 */
export async function rejudgeSeats(
  judging: Judging,
  services: VerifyingServices,
  pause: () => Promise<void>,
): Promise<{ changed: number; serve: readonly TenantPool[] }> {
  const { table } = services
  const { tenantId, place, now } = judging
  let changed = 0
  const serve: TenantPool[] = []
  const seating = await readSeating(services, tenantId, now, [place.productId])
  if (seating === undefined) return { changed, serve }
  const basis = basisOf(seating, place)
  const last = await readJudgedPool(table, tenantId, place)
  const isKnown = last?.basis === basis && now < plusMilliseconds(last.since, LOOK_AGAIN)
  if (isKnown && last.isDone) return { changed, serve }
  const pk = pendingSeatsKey(tenantId, place.productId, place.metric)
  const since = isKnown ? last.since : now
  let pages = 0
  const from = isKnown && last.place ? { pk, sk: last.place } : undefined
  for await (const { items, next } of readPages(table, { pk }, from, PAGE)) {
    const rows = items.filter(({ entity }) => entity === pendingSeatEntity.name)
    const outcomes = await judgeAll(
      rows.map((row) => pendingSeatEntity.decode(row).userId),
      judging,
      seating,
      services,
    )
    for (const adjustment of outcomes) {
      changed += 1
      serve.push(...adjustment.serve)
    }
    const judged: JudgedPool = {
      basis,
      since,
      isDone: next === undefined,
      ...(next && { place: next['sk'] }),
    }
    await writeRow(table, { kind: 'put', item: judgedPoolItem(tenantId, place, judged) })
    pages += 1
    await pause()
    if (pages >= MOST_PAGES) break
  }
  return { changed, serve }
}

/** What decides over everybody alike: the product, and the licenses that count now. */
function basisOf({ products, terms }: TenantSeating, { productId }: TenantPool): string {
  const counting = [...terms]
    .filter(([name]: [PoolName, unknown]) => name.startsWith(`${productId}#`))
    .map(([name, { licenses }]) => [name, licenses.map(({ id, revision }) => `${id} ${revision}`)])
  const facts = JSON.stringify([products.get(productId)?.revision, counting.toSorted()])
  return createHash('sha256').update(facts).digest('base64url')
}

/** Of these people, the changes that were made. */
async function judgeAll(
  ids: readonly Who[],
  judging: Judging,
  seating: TenantSeating,
  services: VerifyingServices,
): Promise<Adjustment[]> {
  const made: Adjustment[] = []
  const first = await Promise.all(ids.map((id) => judge(id, judging, services, seating)))
  for (const id of ids.filter((_, index) => first[index] !== undefined)) {
    const adjustment = await change(id)
    if (adjustment !== undefined) made.push(adjustment)
  }
  return made

  /** On what is there after those before it, and as often as it takes. */
  async function change(id: Who): Promise<Adjustment | undefined> {
    for (let tries = 0; tries < ATTEMPTS; tries += 1) {
      const adjustment = await judge(id, judging, services)
      if (adjustment === undefined || (await commit(adjustment))) return adjustment
    }
    return undefined
  }

  async function commit({ writes, events, refusals }: Adjustment): Promise<boolean> {
    const decision = { writes, events, reply: undefined, refusals }
    return !isRefusal(await services.commit(bySystem('seats', judging), decision))
  }
}

/** What is another for a person; nothing, mostly. */
async function judge(
  id: Who,
  judging: Judging,
  services: VerifyingServices,
  known?: TenantSeating,
): Promise<Adjustment | undefined> {
  const { tenantId, place, now } = judging
  // The person comes before what is decided on: each row that changes meanwhile fails the transaction.
  const person = await readablePerson(services, tenantId, id, judging)
  const seating = known ?? (person && (await readSeating(services, tenantId, now, [place.productId])))
  if (person === undefined || seating === undefined) return undefined
  const own = await seatingOf(services, seating, person, now)
  const adjustment = adjustSeats(person, person.user, own, now)
  const { user, seats } = adjustment.after
  const same = (before: readonly TenantPool[], after: readonly TenantPool[]) =>
    isSame(byPool(before), byPool(after))
  return same(person.user.pending, user.pending) && same(person.seats, seats) ? undefined : adjustment
}
