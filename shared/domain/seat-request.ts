import * as z from 'zod'
import { OrganizationId, ProductId, UserId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { Code } from './terms.ts'

const common = {
  userId: UserId,
  /** Where the person was when this was written, for who administers it. */
  organizationId: OrganizationId.optional(),
  productId: ProductId,
  module: Code,
  /** Why the person wants it. */
  reason: z.string(),
  requestedAt: Instant,
  /** Undecided until then, it lapses. */
  lapsesAt: Instant,
  /** Counts the writes of the row. */
  version: z.int().positive(),
}
const decided = { decidedAt: Instant, by: z.string(), because: z.string().optional() }

/**
 * That a person asked for a seat of a module, and what came of it. There is one per person and module, the last one; those
 * before it are told by events. Granted means that the seat is given by hand: at once, or once one is free.
 */
export const SeatRequest = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('open'), ...common }),
  z.strictObject({ state: z.literal('granted'), ...common, ...decided }),
  z.strictObject({ state: z.literal('refused'), ...common, ...decided }),
  z.strictObject({ state: z.literal('withdrawn'), ...common, ...decided }),
])
export type SeatRequest = z.infer<typeof SeatRequest>
export type OpenRequest = Extract<SeatRequest, { state: 'open' }>

export const SeatRequestState = z.enum(['open', 'lapsed', 'granted', 'refused', 'withdrawn'])
export type SeatRequestState = z.infer<typeof SeatRequestState>

/** Nothing is written when a request lapses: its state follows from the clock. */
export const requestStateAt = (request: SeatRequest, now: Instant): SeatRequestState =>
  request.state === 'open' && request.lapsesAt <= now ? 'lapsed' : request.state

/** A request as the API shows it. */
export const SeatRequestView = z
  .strictObject({ ...common, state: SeatRequestState, ...z.strictObject(decided).partial().shape })
  .omit({ version: true })
  .meta({ id: 'SeatRequest' })
export type SeatRequestView = z.infer<typeof SeatRequestView>

export function seatRequestView(request: SeatRequest, now: Instant): SeatRequestView {
  const { version: _, state: __, ...rest } = request
  return { ...rest, state: requestStateAt(request, now) }
}

/** An open request, decided or withdrawn. */
export function decidedRequest(
  { state: _, version, ...rest }: OpenRequest,
  state: Exclude<SeatRequest['state'], 'open'>,
  decision: { readonly decidedAt: Instant; readonly by: string; readonly because?: string | undefined },
): SeatRequest {
  const { because, ...others } = decision
  return { ...rest, ...others, ...(because && { because }), state, version: version + 1 }
}
