import * as z from 'zod'
import { LicenseId, PlanId, ProductId, TenantId, TransferId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { Allocation, Code, Features, LicenseType, Limits, Name, Term } from './terms.ts'

/**
 * A license on its way from one tenant to another: requested, taken up by the receiver, approved by both sides (or by
 * vendor staff in their stead), and executed, by a job, soon after the last approval; or refused, canceled, or lapsed. What
 * is changed between the last approval and the job can be in its way: then it has failed, and says why.
 *
 * The giving side never names the receiver. It gets a code that it hands over by itself, and who takes the code up
 * becomes the receiver: nothing in the flow looks a tenant up for another tenant, so nothing can tell whether one
 * exists. Vendor staff, who know all tenants, may name the receiver instead.
 */
export const SIDES = ['giving', 'receiving'] as const
export const Side = z.enum(SIDES)
export type Side = z.infer<typeof Side>

/** Who acts: one of the sides, or vendor staff. */
export const Who = z.enum([...SIDES, 'vendor'])
export type Who = z.infer<typeof Who>

/** A tenant in a transfer; its name is what the other side learns of it. */
export const Party = z.strictObject({ tenantId: TenantId, name: Name })
export type Party = z.infer<typeof Party>

/** What of the old holder's use goes on without a connection, or until its next one; counted over the product. */
const Outstanding = z.strictObject({
  count: z.int(),
  /** Until when at most; null where it may never end. Absent where there is nothing. */
  until: Instant.nullable().optional(),
})

/** What the old holder could still use for some time after an execution. */
export const Exposure = z.strictObject({
  /** A copy of the license file verifies offline until then; null is for good. */
  filesVerifyUntil: Instant.nullable(),
  /** Units that are checked out; each ends with its next heartbeat. */
  leases: Outstanding,
  /** Units borrowed for offline use; nothing can take them back. */
  borrowed: Outstanding,
  /** Machines activated online; each ends with its next validation. */
  machines: z.int(),
  /** Machines activated by file, whose file verifies offline. */
  offlineMachines: Outstanding,
})
export type Exposure = z.infer<typeof Exposure>

/** A license as it was when its transfer was requested: what the receiving side is shown and both sides approve. */
export const MovingLicense = z.strictObject({
  licenseId: LicenseId,
  /** Of the license's file; another one now means that something else would move than was approved. */
  revision: z.int(),
  planId: PlanId,
  type: LicenseType,
  term: Term,
  allocation: Allocation,
  limits: Limits,
  features: Features,
  validFrom: Instant,
  expiresAt: Instant.optional(),
  graceEndsAt: Instant.optional(),
  maintenanceEndsAt: Instant.optional(),
  /** Its id with the receiving side, once it is executed. */
  successor: LicenseId.optional(),
})
export type MovingLicense = z.infer<typeof MovingLicense>

export const Approval = z.strictObject({ at: Instant, by: z.enum(['tenant', 'vendor']) })
const Common = {
  id: TransferId,
  product: z.strictObject({ id: ProductId, code: Code, name: Name }),
  /** The license that was asked for first, then those that extend it and move with it. */
  licenses: z.array(MovingLicense).min(1),
  giving: Party,
  receiving: Party.optional(),
  /** Keyed hash of the code's secret; absent where vendor staff named the receiver. */
  codeHash: z.string().optional(),
  /** Does the giving side, too, have to say so after it has seen who receives? */
  twoParty: z.boolean(),
  approvals: z.strictObject({ giving: Approval.optional(), receiving: Approval.optional() }),
  askedBy: z.enum(['giving', 'vendor']),
  reason: z.string().optional(),
  requestedAt: Instant,
  /** Open up to, not including, this instant. */
  lapsesAt: Instant,
  version: z.int().positive(),
}
export type Approval = z.infer<typeof Approval>
const Closed = { closedAt: Instant, closedBy: Who, because: z.string().optional() }
/** Both sides have approved, and so it is known who receives. */
const Approved = {
  receiving: Party,
  approvals: z.strictObject({ giving: Approval, receiving: Approval }),
}

/** A transfer as stored. That it lapsed is not: see `stateAt`. */
export const Transfer = z.discriminatedUnion('state', [
  z.strictObject({ ...Common, state: z.literal('requested') }),
  /** To be carried out; nobody can take it back any more, and it does not lapse. */
  z.strictObject({ ...Common, ...Approved, state: z.literal('approved') }),
  /** Something was in its way when it was to be carried out: the code of that, and what it was. */
  z.strictObject({
    ...Common,
    ...Approved,
    state: z.literal('failed'),
    closedAt: Instant,
    code: z.string(),
    because: z.string(),
  }),
  z.strictObject({ ...Common, ...Closed, state: z.literal('refused') }),
  z.strictObject({ ...Common, ...Closed, state: z.literal('canceled') }),
  z.strictObject({
    ...Common,
    ...Closed,
    state: z.literal('executed'),
    receiving: Party,
    /** As it was at that instant. */
    exposure: Exposure,
  }),
])
export type Transfer = z.infer<typeof Transfer>
export type OpenTransfer = Extract<Transfer, { state: 'requested' }>
export type ApprovedTransfer = Extract<Transfer, { state: 'approved' }>

export const TRANSFER_STATES = [
  'REQUESTED',
  'APPROVED',
  'EXECUTED',
  'FAILED',
  'REFUSED',
  'CANCELED',
  'LAPSED',
] as const
type TransferState = (typeof TRANSFER_STATES)[number]

/** A lapse is computed from the clock: no job has to run for it. */
export function stateAt(transfer: Transfer, now: Instant): TransferState {
  switch (transfer.state) {
    case 'requested':
      return now < transfer.lapsesAt ? 'REQUESTED' : 'LAPSED'
    case 'approved':
      return 'APPROVED'
    case 'executed':
      return 'EXECUTED'
    case 'failed':
      return 'FAILED'
    case 'refused':
      return 'REFUSED'
    case 'canceled':
      return 'CANCELED'
  }
}
