import * as z from 'zod'
import { OrganizationId, ProductId, UserId } from '../platform/ids.ts'
import { DAY, Instant, latest, plusMilliseconds } from '../platform/time.ts'
import { Code } from './terms.ts'
import { ByHand } from './user.ts'

const RECLAIM_REASONS = ['INACTIVE', 'NEVER_SEEN', 'SUSPENDED', 'LEFT_DIRECTORY'] as const
export const ReclaimReason = z.enum(RECLAIM_REASONS)
export type ReclaimReason = z.infer<typeof ReclaimReason>

/** Why a case ended without anything taken. */
const CANCEL_REASONS = ['ACTIVITY', 'FACTS_CHANGED', 'EXCLUDED', 'RULES_CHANGED'] as const
export const CancelReason = z.enum(CANCEL_REASONS)
export type CancelReason = z.infer<typeof CancelReason>

const common = {
  userId: UserId,
  /** Where the person was when this was written, for who administers it. */
  organizationId: OrganizationId.optional(),
  productId: ProductId,
  /** The pools whose seats are concerned. */
  metrics: z.array(Code).min(1),
  reason: ReclaimReason,
  /** Since when there is that reason: last seen, given the seat, suspended, left. */
  since: Instant,
  /** By the rule alone; notices that came late move it. */
  dueAt: Instant,
  openedAt: Instant,
  /** Which notices were given, and when. */
  notices: z.array(z.strictObject({ days: z.int(), at: Instant })),
  /** Counts the writes of the row. */
  version: z.int().positive(),
}

/** What was taken, so that it can be given back. */
const Taken = z.strictObject({
  direct: z.array(ByHand),
  /** Modules that were withheld from roles. */
  withheld: z.array(Code),
})

/**
 * The seats of one product that one person seems not to need, and what became of them. There is one case per person and
 * product, the last one; those before it are told by events.
 */
export const ReclaimCase = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('candidate'), ...common }),
  z.strictObject({ state: z.literal('notified'), ...common }),
  z.strictObject({
    state: z.literal('kept'),
    ...common,
    endedAt: Instant,
    by: z.string(),
    quietUntil: Instant,
  }),
  z.strictObject({ state: z.literal('canceled'), ...common, endedAt: Instant, because: CancelReason }),
  z.strictObject({
    state: z.literal('reclaimed'),
    ...common,
    endedAt: Instant,
    undoUntil: Instant,
    /** For which a person is left alone that gets the seats back. */
    cooldownDays: z.int().min(0),
    taken: Taken,
  }),
  z.strictObject({
    state: z.literal('restored'),
    ...common,
    endedAt: Instant,
    by: z.string(),
    quietUntil: Instant,
  }),
])
export type ReclaimCase = z.infer<typeof ReclaimCase>

const RECLAIM_STATES = ['candidate', 'notified', 'kept', 'canceled', 'reclaimed', 'restored'] as const
export const ReclaimState = z.enum(RECLAIM_STATES)

/** A case that may still end in the seats being taken. */
export type OpenCase = Extract<ReclaimCase, { state: 'candidate' | 'notified' }>

export const isOpen = (one: ReclaimCase): one is OpenCase =>
  one.state === 'candidate' || one.state === 'notified'

/** What all states have in common, one version on. */
export function commonOf(one: ReclaimCase) {
  const { userId, organizationId, productId, metrics, reason, since, dueAt, openedAt, notices, version } = one
  return {
    userId,
    ...(organizationId && { organizationId }),
    productId,
    metrics,
    reason,
    since,
    dueAt,
    openedAt,
    notices,
    version: version + 1,
  }
}

/** When the seats of a case are taken at the earliest: when they are due, and when its notices said. */
export const reclaimAtOf = ({ notices }: Pick<ReclaimCase, 'notices'>, dueAt: Instant): Instant =>
  latest([dueAt, ...notices.map(({ at, days }) => plusMilliseconds(at, days * DAY))]) ?? dueAt

/** A case as the API shows it. */
export const ReclaimCaseView = z
  .strictObject({
    ...common,
    state: ReclaimState,
    /** When the seats are taken, if nothing comes between. */
    reclaimAt: Instant.optional(),
    endedAt: Instant.optional(),
    /** Who kept the seats, or gave them back. */
    by: z.string().optional(),
    because: CancelReason.optional(),
    /** Until then the person is left alone. */
    quietUntil: Instant.optional(),
    /** Until then it can be undone. */
    undoUntil: Instant.optional(),
  })
  .omit({ version: true })
  .meta({ id: 'ReclaimCase' })
export type ReclaimCaseView = z.infer<typeof ReclaimCaseView>

export function reclaimCaseView(one: ReclaimCase): ReclaimCaseView {
  const { version: _, ...common } = commonOf(one)
  switch (one.state) {
    case 'candidate':
    case 'notified':
      return { ...common, state: one.state, reclaimAt: reclaimAtOf(one, one.dueAt) }
    case 'kept':
    case 'restored':
      return { ...common, state: one.state, endedAt: one.endedAt, by: one.by, quietUntil: one.quietUntil }
    case 'canceled':
      return { ...common, state: one.state, endedAt: one.endedAt, because: one.because }
    case 'reclaimed':
      return { ...common, state: one.state, endedAt: one.endedAt, undoUntil: one.undoUntil }
  }
}
