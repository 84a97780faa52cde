import * as z from 'zod'
import { BulkId, OrganizationId, TenantId, UserId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { Caller } from './access.ts'
import type { EventDraft } from './event.ts'
import type { Organizations } from './organization.ts'
import { revised } from './person-directory.ts'
import { archivePerson, returnPerson } from './person-return.ts'
import { type Refusal, refuse } from './refusal.ts'
import { checkNotArchived, edited } from './revision.ts'
import { Pending, poolName, Seat, type SeatPolicy } from './seat.ts'
import { PoolMove } from './seat-moves.ts'
import { Code } from './terms.ts'
import { datedStatus, MOST_ROLES, PersonRoles, User, UserStatus } from './user.ts'

/** People that one request names; a filter takes any number. */
export const MOST_NAMED = 5_000
/** People of whom it is known what became before the next are looked at: the keys of one batch (AWS: 100). */
export const CHUNK = 100
/** A change of so few is made within the request. */
export const SMALL = 50

const SomeRoles = PersonRoles.min(1)

/** What is done to each of them; every one as the operation on one person does it. */
export const BulkAction = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('assign-roles'), roles: SomeRoles }),
  z.strictObject({ do: z.literal('remove-roles'), roles: SomeRoles }),
  /** `null`: to the tenant itself. */
  z.strictObject({ do: z.literal('move'), organizationId: OrganizationId.nullable() }),
  z.strictObject({ do: z.literal('suspend') }),
  /** Whoever is suspended or archived is active again. */
  z.strictObject({ do: z.literal('reactivate') }),
  z.strictObject({ do: z.literal('archive') }),
])
export type BulkAction = z.infer<typeof BulkAction>

/** Who is meant, joined by and. Archived people only if `status` says so. */
export const BulkFilter = z
  .strictObject({
    /** With the organizations below it. */
    organizationId: OrganizationId.optional(),
    withRole: Code.optional(),
    status: UserStatus.optional(),
    /** With `module`: those who have a seat of it. */
    product: z.string().min(1).max(64).optional(),
    module: Code.optional(),
    /** Not seen for so many days, or never. */
    inactiveDays: z.int().min(0).max(3650).optional(),
  })
  .refine((filter) => Object.values(filter).some((value) => value !== undefined), 'name something')
  .refine(({ product, module }) => (product === undefined) === (module === undefined), {
    message: 'product and module come together',
  })
export type BulkFilter = z.infer<typeof BulkFilter>

const Outcome = z.enum(['changed', 'unchanged', 'refused'])
const SeatName = Seat.pick({ productId: true, metric: true, modules: true })

/** What became of one person, or would. */
export const BulkRow = z
  .strictObject({
    userId: UserId,
    /** Absent of those who are nobody here. */
    name: z.string().optional(),
    outcome: Outcome,
    /** Why it was refused, as the operation on one person says it. */
    code: z.string().optional(),
    detail: z.string().optional(),
    gained: z.array(SeatName),
    lost: z.array(SeatName),
    /** Seats that it now waits for, and why. */
    waits: z.array(
      Pending.pick({ productId: true, metric: true, modules: true, reason: true, because: true }),
    ),
    at: Instant,
  })
  .meta({ id: 'BulkRow' })
export type BulkRow = z.infer<typeof BulkRow>

const Counts = z.strictObject({
  changed: z.int(),
  unchanged: z.int(),
  refused: z.int(),
  /** Of those changed, who now waits for a seat. */
  waiting: z.int(),
})
type BulkCounts = z.infer<typeof Counts>
export const NO_COUNTS: BulkCounts = { changed: 0, unchanged: 0, refused: 0, waiting: 0 }

/** `selecting`: who is meant is being found out. */
const BulkState = z.enum(['selecting', 'running', 'finished', 'canceled'])

/** A bulk change as it is stored: what was ordered, and how far it came. */
export const Bulk = z.strictObject({
  id: BulkId,
  tenantId: TenantId,
  action: BulkAction,
  filter: BulkFilter.optional(),
  dryRun: z.boolean(),
  reason: z.string().optional(),
  /** On whose behalf each change is made, and what they may know of. */
  by: Caller,
  /** Hash of the request, if it had an Idempotency-Key. */
  fingerprint: z.string(),
  state: BulkState,
  /** Where the selection goes on. */
  place: z.record(z.string(), z.string()).optional(),
  selected: z.int(),
  chunks: z.int(),
  /** The chunk that is under way; those before it are done, and counted. */
  next: z.int(),
  counts: Counts,
  /** Of a dry run: what the changes so far would add to the pools. */
  foreseen: z.array(PoolMove),
  createdAt: Instant,
  endedAt: Instant.optional(),
  version: z.int().positive(),
})
export type Bulk = z.infer<typeof Bulk>

/** A bulk change as the API shows it. */
export const BulkView = Bulk.pick({
  id: true,
  tenantId: true,
  action: true,
  filter: true,
  dryRun: true,
  reason: true,
  state: true,
  selected: true,
  counts: true,
  createdAt: true,
  endedAt: true,
})
  .extend({
    /** People whose outcome is known: as many as there are rows. */
    done: z.int(),
  })
  .meta({ id: 'Bulk' })
export type BulkView = z.infer<typeof BulkView>

export const isOver = ({ state }: Pick<Bulk, 'state'>) => state === 'finished' || state === 'canceled'

/** @param under what became of those of the chunk that is under way */
export function bulkView(bulk: Bulk, under: readonly BulkRow[]): BulkView {
  const { id, tenantId, action, filter, dryRun, reason, state, selected, createdAt, endedAt } = bulk
  const counts = addCounts(bulk.counts, under)
  return {
    id,
    tenantId,
    action,
    ...(filter && { filter }),
    dryRun,
    ...(reason && { reason }),
    state,
    selected,
    done: counts.changed + counts.unchanged + counts.refused,
    counts,
    createdAt,
    ...(endedAt && { endedAt }),
  }
}

export function addCounts(counts: BulkCounts, rows: readonly BulkRow[]): BulkCounts {
  const sum = { ...counts }
  for (const { outcome, waits } of rows) {
    sum[outcome] += 1
    if (waits.length > 0) sum.waiting += 1
  }
  return sum
}

/** What each change is called in the log. */
export function eventFor({ do: does }: BulkAction, { status }: Pick<User, 'status'>): EventDraft['type'] {
  if (does === 'archive') return 'user.archived'
  return does === 'reactivate' && status === 'archived' ? 'user.restored' : 'user.edited'
}

/** What a person is to be. The very same rules as those of the operations on one person. */
export function decideAction(
  action: BulkAction,
  user: User,
  seats: readonly Seat[],
  { organizations, policy }: { organizations: Organizations; policy: Pick<SeatPolicy, 'undoDays'> },
  now: Instant,
): User | Refusal {
  switch (action.do) {
    case 'archive':
      return revised(user, archivePerson(user, seats, now))
    case 'reactivate':
      return user.status === 'archived'
        ? revised(user, returnPerson(user, organizations, policy, now))
        : edit(user, { status: 'active' }, now)
    case 'suspend':
      return edit(user, { status: 'suspended' }, now)
    case 'move':
      return edit(user, { organizationId: action.organizationId ?? undefined }, now)
    case 'assign-roles':
      return withRoles(user, [...new Set([...user.roles, ...action.roles])], now)
    case 'remove-roles':
      return withRoles(
        user,
        user.roles.filter((role) => !action.roles.includes(role)),
        now,
      )
  }
}

function withRoles(user: User, roles: readonly string[], now: Instant): User | Refusal {
  if (roles.length > MOST_ROLES)
    return refuse('TOO_MUCH_AT_ONCE', `${user.name} would have ${roles.length} roles.`)
  return edit(user, { roles }, now)
}

function edit(user: User, fields: object, now: Instant): User | Refusal {
  const refused = checkNotArchived(user)
  if (refused) return refused
  const next = edited(User, user, fields)
  return next === user ? user : datedStatus(next, user, now)
}

type Having = { readonly user: User; readonly seats: readonly Seat[] }

/** What a change means for a person, as its row tells it. */
export function rowOf(
  userId: UserId,
  before: Having | undefined,
  result: Refusal | Having | 'unchanged',
  at: Instant,
): BulkRow {
  const common = { userId, ...(before && { name: before.user.name }), at, gained: [], lost: [], waits: [] }
  if (result === 'unchanged') return { ...common, outcome: 'unchanged' }
  if ('refused' in result)
    return { ...common, outcome: 'refused', code: result.refused, detail: result.detail }
  const held = before?.seats ?? []
  const names = (seats: readonly Seat[], others: readonly Seat[]) =>
    seats
      .filter((seat) => !others.some((one) => poolName(one) === poolName(seat)))
      .map(({ productId, metric, modules }) => ({ productId, metric, modules }))
  return {
    ...common,
    outcome: 'changed',
    gained: names(result.seats, held),
    lost: names(held, result.seats),
    waits: result.user.pending.map(({ productId, metric, modules, reason, because }) => ({
      productId,
      metric,
      modules,
      reason,
      ...(because && { because }),
    })),
  }
}
