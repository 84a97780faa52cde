import * as z from 'zod'
import { EventId, TenantId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import type { EventType } from './event-types.ts'

/** The record that something changed: who did what to what, before and after. Committed with the change itself. */
export const Event = z
  .strictObject({
    id: EventId,
    /** One of event-types.ts: what happened, in the past tense. A log may hold types that are no longer in use. */
    type: z.string().regex(/^[a-z-]+(\.[a-z-]+)+$/),
    at: Instant,
    /** Whose log it belongs to; absent for what concerns the vendor alone (products, plans). */
    tenantId: TenantId.optional(),
    actor: z.strictObject({
      kind: z.enum(['vendor', 'tenant', 'license', 'system']),
      subject: z.string(),
      role: z.string().optional(),
    }),
    subject: z.strictObject({ type: z.string(), id: z.string() }),
    before: z.record(z.string(), z.unknown()).optional(),
    after: z.record(z.string(), z.unknown()).optional(),
    /** What the person gave as the reason. */
    reason: z.string().optional(),
    requestId: z.string(),
  })
  .meta({ id: 'Event' })
export type Event = z.infer<typeof Event>

/**
 * What a decision says of its event; the commit adds who, when and the request. It names the actor itself where it
 * goes into the log of a tenant that must not learn whose credential it was.
 */
export type EventDraft = Pick<Event, 'subject'> & { readonly type: EventType } & Partial<
    Pick<Event, 'tenantId' | 'actor' | 'before' | 'after' | 'reason'>
  >
