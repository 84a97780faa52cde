import * as z from 'zod'
import { isOpen, ReclaimCase } from '../domain/reclaim-case.ts'
import { ReclaimRules } from '../domain/reclaim-rule.ts'
import { ProductId, type TenantId, type UserId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import { entity } from './codec.ts'
import {
  activityOf,
  RECLAIM_PREFIX,
  reclaimCaseKey,
  reclaimCasesOf,
  reclaimedKey,
  reclaimedOfTenant,
  reclaimRulesKey,
  userKey,
} from './keys.ts'
import { readFirst, readItem, readRange } from './read.ts'
import { fileTimer } from './timer.ts'
import { type Action, type Put, putOnce, putVersion, type Table } from './transact.ts'
import { type Person, personOf, userEntity } from './user.ts'

export const reclaimCaseEntity = entity('reclaim-case', 1, ReclaimCase)
export const reclaimRulesEntity = entity('reclaim-rules', 1, ReclaimRules)

export const RECLAIM_TIMER = 'seat-reclaim'
export const REVIEW_TIMER = 'seat-reclaim-review'

/** That a person's seats are to be looked at. */
export const lookAtSeats = (tenantId: TenantId, userId: UserId, dueAt: Instant) =>
  fileTimer({ kind: RECLAIM_TIMER, subject: [tenantId, userId], dueAt })

/** That everybody's seats are to be looked at, because the rules, or whom they are for, are others. */
export const reviewSeats = (tenantId: TenantId, dueAt: Instant) =>
  fileTimer({ kind: REVIEW_TIMER, subject: [tenantId], dueAt })

/** Replaces a case as it was read, or makes the first one. Listed by its state, and when it came to it. */
export function writeCase(tenantId: TenantId, last: ReclaimCase | undefined, next: ReclaimCase): Put {
  const { userId, productId } = next
  const at = isOpen(next) ? next.openedAt : next.endedAt
  const item = reclaimCaseEntity.encode(reclaimCaseKey(tenantId, userId, productId), next, {
    ownedPk: reclaimCasesOf(tenantId),
    ownedSk: [next.state, at, userId, productId].join('#'),
  })
  return putVersion(item, last?.version)
}

export async function readCase(
  table: Table,
  tenantId: TenantId,
  userId: UserId,
  productId: ProductId,
): Promise<ReclaimCase | undefined> {
  const item = await readItem(table, reclaimCaseKey(tenantId, userId, productId))
  return item && reclaimCaseEntity.decode(item)
}

export type PersonWithCases = Person & { readonly cases: ReadonlyMap<ProductId, ReclaimCase> }

/** A person, its seats, and the last case of each product: one strongly consistent query. */
export async function readPersonWithCases(
  table: Table,
  tenantId: TenantId,
  userId: UserId,
): Promise<PersonWithCases | undefined> {
  const items = await readRange(table, { pk: userKey(tenantId, userId).pk })
  const person = personOf(items)
  if (person === undefined) return undefined
  const cases = items
    .filter((item) => String(item['sk']).startsWith(RECLAIM_PREFIX))
    .map(reclaimCaseEntity.decode)
  return { ...person, cases: new Map(cases.map((one) => [one.productId, one])) }
}

/** The tenant's own rules; none where it said nothing. */
export async function readReclaimRules(table: Table, tenantId: TenantId): Promise<ReclaimRules> {
  const item = await readItem(table, reclaimRulesKey(tenantId))
  return item === undefined ? { rules: [] } : reclaimRulesEntity.decode(item)
}

/** Other rules in the stead of those that are there now; the write fails once somebody else has set some. */
export async function replaceReclaimRules(
  table: Table,
  tenantId: TenantId,
  next: ReclaimRules,
): Promise<{ readonly before: ReclaimRules; readonly write: Put }> {
  const key = reclaimRulesKey(tenantId)
  const stored = await readItem(table, key)
  const item = reclaimRulesEntity.encode(key, next)
  if (stored === undefined) return { before: { rules: [] }, write: putOnce(item) }
  const write: Put = {
    kind: 'put',
    item,
    condition: '#rules = :read',
    names: { '#rules': 'rules' },
    values: { ':read': stored['rules'] },
  }
  return { before: reclaimRulesEntity.decode(stored), write }
}

/** The last day on which anybody of the tenant was seen. */
export async function readLastActiveDay(table: Table, tenantId: TenantId): Promise<string | undefined> {
  const range = { index: 'kind', pk: activityOf(tenantId), newestFirst: true } as const
  const [newest] = await readFirst(table, range, 1)
  return newest && userEntity.decode(newest).activeDay
}

const Reclaimed = z.object({ reclaimed: z.int().default(0), restored: z.int().default(0) })
/** Seats that were taken back in a month, and those of them that were given back. */
type Reclaimed = z.infer<typeof Reclaimed> & {
  readonly month: string
  readonly productId: ProductId
  readonly metric: string
}

/** Counts a seat that was reclaimed or restored, in the month in which it was. */
export const countReclaimed = (
  tenantId: TenantId,
  month: string,
  productId: ProductId,
  metric: string,
  what: keyof z.infer<typeof Reclaimed>,
): Action => ({
  kind: 'update',
  key: reclaimedKey(tenantId, month, productId, metric),
  update: 'ADD #what :one',
  names: { '#what': what },
  values: { ':one': 1 },
})

export async function readReclaimed(table: Table, tenantId: TenantId): Promise<Reclaimed[]> {
  const items = await readRange(table, { pk: reclaimedOfTenant(tenantId) })
  return items.map((item) => {
    const [month = '', product, metric = ''] = String(item['sk']).split('#')
    return { month, productId: ProductId.parse(product), metric, ...Reclaimed.parse(item) }
  })
}
