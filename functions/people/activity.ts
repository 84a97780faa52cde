import { chunks } from '../../shared/domain/chunks.ts'
import { emailKey } from '../../shared/domain/email.ts'
import { notFound } from '../../shared/domain/refusal.ts'
import type { TenantPool } from '../../shared/domain/seat.ts'
import {
  COUNTED_DAYS,
  type Counts,
  countsOf,
  difference,
  firstDayOf,
  sumOf,
} from '../../shared/domain/seat-counts.ts'
import type { User } from '../../shared/domain/user.ts'
import type { Call, Handler } from '../../shared/platform/http/contract.ts'
import { ProductId, type TenantId, UserId } from '../../shared/platform/ids.ts'
import {
  dayOf,
  earliest,
  epochMilliseconds,
  fromEpochMilliseconds,
  HOUR,
  type Instant,
  type TimeZone,
} from '../../shared/platform/time.ts'
import { nameEntity } from '../../shared/store/address.ts'
import { externalIdKey, type Key, userEmailKey } from '../../shared/store/keys.ts'
import { readItems } from '../../shared/store/read.ts'
import { addCounts } from '../../shared/store/seat-counts.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { type Table, transact } from '../../shared/store/transact.ts'
import { readUsers, seenAgain, seenOnAnotherDay } from '../../shared/store/user.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import type { peopleRoutes } from './routes.ts'

type Named = Call<(typeof peopleRoutes)['reportActivity']>['body']['records'][number]

/** People whose day changes in one transaction: each with a row, and together the counts of their organizations. */
const TOGETHER = 30
/** Rows of counts beside them: AWS allows 100 items. */
const MOST_COUNTS = 60

/**
 * Notes who was seen, to the hour. Within a day that is one update of the person's row. The first time on a day moves
 * the person from the day it was counted under to the new one, in every pool of which it has a seat, with its row in
 * one transaction, several people in each: so the sum of the last days' counts is exact.
 */
export const reportActivity: Handler<(typeof peopleRoutes)['reportActivity'], VerifyingServices> = async (
  { params: { tenantId }, body, now },
  { table },
) => {
  const tenant = await readTenant(table, tenantId)
  if (tenant === undefined) return notFound
  const ids = await identify(table, tenantId, body.records)
  const seen = new Map<UserId, Instant>()
  for (const [place, { at = now }] of body.records.entries()) {
    const id = ids[place]
    const hour = hourOf(earliest(at, now))
    if (id !== undefined && hour > (seen.get(id) ?? '')) seen.set(id, hour)
  }
  const known = new Set<UserId>()
  let recorded = 0
  let open = [...seen.keys()]
  const refused = await untilFresh(async () => {
    const users = (await readUsers(table, tenantId, open)).filter(({ status }) => status !== 'archived')
    for (const { id } of users) known.add(id)
    const later = users.filter(({ id, lastActiveAt }) => (lastActiveAt ?? '') < (seen.get(id) ?? ''))
    open = await note(table, tenantId, later, seen, now, tenant.timeZone)
    recorded += later.length - open.length
    return open.length > 0 ? outdated : undefined
  })
  if (refused) return refused
  const unknown = body.records.flatMap((_, place) => {
    const id = ids[place]
    return id === undefined || !known.has(id) ? [place] : []
  })
  return { recorded, unchanged: body.records.length - unknown.length - recorded, unknown }
}

const hourOf = (at: Instant): Instant =>
  fromEpochMilliseconds(Math.floor(epochMilliseconds(at) / HOUR) * HOUR)

/** Whom each record names, by id or address. */
async function identify(
  table: Table,
  tenantId: TenantId,
  records: readonly Named[],
): Promise<(UserId | undefined)[]> {
  const keys = records.map(({ userId, email, externalId }): Key | undefined => {
    if (userId !== undefined) return undefined
    if (email !== undefined) return userEmailKey(tenantId, emailKey(email))
    return externalId === undefined ? undefined : externalIdKey(tenantId, externalId)
  })
  const byPartition = new Map(keys.flatMap((key) => (key ? [[key.pk, key]] : [])))
  const items = await readItems(table, [...byPartition.values()])
  const found = new Map(items.map((item) => [item['pk'], UserId.parse(nameEntity.decode(item).id)]))
  return records.map(({ userId }, place) => userId ?? found.get(keys[place]?.pk))
}

/** Those who were written by somebody else meanwhile, to be looked at again. */
async function note(
  table: Table,
  tenantId: TenantId,
  users: readonly User[],
  seen: ReadonlyMap<UserId, Instant>,
  now: Instant,
  timeZone: TimeZone,
): Promise<UserId[]> {
  const left: UserId[] = []
  const firstDay = firstDayOf(now, COUNTED_DAYS, timeZone)
  const moves = users.flatMap((user) => {
    const at = seen.get(user.id)
    if (at === undefined) return []
    const day = dayOf(at, timeZone)
    return [{ user, at, day, counts: countChange(user, day, firstDay) }]
  })
  const sameDay = moves.filter(({ user, day }) => user.activeDay === day)
  for (const batch of chunks(sameDay, TOGETHER)) {
    const noted = await Promise.all(batch.map(({ user, at }) => seenAgain(table, user, at)))
    left.push(...batch.filter((_, place) => !noted[place]).map(({ user }) => user.id))
  }
  for (const batch of batches(moves.filter(({ user, day }) => user.activeDay !== day))) {
    const counts = sumOf(batch.map((one) => one.counts))
    const outcome = await transact(table, {
      ...addCounts(tenantId, counts),
      ...Object.fromEntries(batch.map(({ user, at, day }) => [user.id, seenOnAnotherDay(user, at, day)])),
    })
    if (!outcome.ok) left.push(...batch.map(({ user }) => user.id))
  }
  return left
}

type Move = { readonly user: User; readonly at: Instant; readonly day: string; readonly counts: Counts }

function batches(moves: readonly Move[]): Move[][] {
  const all: Move[][] = []
  let rows = new Set<string>()
  for (const move of moves) {
    const last = all.at(-1)
    const own = [...move.counts.keys()]
    const together = new Set([...rows, ...own])
    if (last !== undefined && last.length < TOGETHER && together.size <= MOST_COUNTS) {
      last.push(move)
      rows = together
    } else {
      all.push([move])
      rows = new Set(own)
    }
  }
  return all
}

/** What it means for the counts that somebody was seen on another day: its seats are those its row names. */
function countChange(user: User, day: string, firstDay: string): Counts {
  const seats = user.holds.map(placeOf)
  const counts = (activeDay: string | undefined) =>
    countsOf(
      { status: user.status, organizationId: user.organizationId, ...(activeDay && { activeDay }) },
      seats,
      [],
      firstDay,
    )
  return difference(counts(user.activeDay), counts(day))
}

function placeOf(name: string): TenantPool {
  const [product, ...metric] = name.split('#')
  return { productId: ProductId.parse(product), metric: metric.join('#') }
}
