import * as z from 'zod'
import { LicenseId, type OrganizationId, ProductId, UserId } from '../platform/ids.ts'
import { DAY, type Instant, Instant as InstantShape, plusMilliseconds } from '../platform/time.ts'
import type { Event } from './event.ts'
import { type EventType, isEventType } from './event-types.ts'
import type { NoticeDraft } from './notice.ts'

/** How long what happened is news: after that it can be read in the log. */
const NEWS = 7 * DAY

/** What is known of the things an event names; it names them by id. */
export type Names = {
  product(id: ProductId): string
  person(id: UserId): {
    readonly name: string
    readonly email?: string | undefined
    readonly organizationId?: OrganizationId | undefined
  }
}

type Draft = Omit<NoticeDraft, 'at' | 'until' | 'occasion'> & {
  readonly occasion?: readonly string[]
  readonly until?: Instant
}

const Licensed = z.object({
  id: LicenseId,
  productId: ProductId,
  expiresAt: InstantShape.optional(),
})
const Pooled = z.object({
  productId: ProductId,
  metric: z.string(),
  used: z.number(),
  capacity: z.union([z.number(), z.literal('unlimited')]),
  threshold: z.number().optional(),
  cureUntil: InstantShape.optional(),
})
const Reclaimed = z.object({
  productId: ProductId,
  openedAt: InstantShape,
  days: z.int(),
  reclaimAt: InstantShape,
})
const Requested = z.object({ productId: ProductId, module: z.string(), wanted: z.string().optional() })
const Disabled = z.looseObject({
  url: z.string().optional(),
  because: z.string().optional(),
  lastFailure: z.string().optional(),
})
const Failed = z.looseObject({
  job: z.string().optional(),
  reason: z.string().optional(),
  detail: z.string().optional(),
})
const Undelivered = z.object({
  email: z.email(),
  why: z.enum(['bounce', 'complaint']),
  detail: z.string().optional(),
})

/** Events that somebody is told of, and the product and person that they name. */
export function namedIn(event: Event): { readonly products: ProductId[]; readonly people: UserId[] } {
  if (!isTold(event.type)) return { products: [], people: [] }
  const product = ProductId.safeParse(event.after?.['productId'])
  const person = UserId.safeParse(event.subject.id)
  return { products: product.success ? [product.data] : [], people: person.success ? [person.data] : [] }
}

const isTold = (type: string): boolean => Object.hasOwn(MADE, type)

/**
 * What people are told of an event; nothing of most. The ends of licenses are not among them: these are told by timers,
 * at their instants, and an event of a license only has its timer looked at (functions/records/notices-of-events.ts).
 */
export function noticesOf(event: Event, names: Names): NoticeDraft[] {
  const draft = isEventType(event.type) ? MADE[event.type]?.(event, names) : undefined
  if (draft === undefined) return []
  const { at, id } = event
  return [{ occasion: [id], at, until: plusMilliseconds(at, NEWS), ...draft }]
}

type Make = (event: Event, names: Names) => Draft | undefined

const license =
  (change: 'suspended' | 'reinstated' | 'revoked' | 'renewed' | 'transferred'): Make =>
  ({ after, reason, at }, names) => {
    const told = Licensed.safeParse(after)
    if (!told.success) return undefined
    const { id, productId, expiresAt } = told.data
    return {
      about: {
        kind: 'license-status',
        licenseId: id,
        product: names.product(productId),
        change,
        ...(expiresAt && { endsAt: expiresAt }),
        ...(reason && { reason }),
        at,
      },
    }
  }

const poolOf = (event: Event, names: Names) => {
  const { threshold, cureUntil, capacity, ...pool } = Pooled.parse(event.after)
  const most = capacity === 'unlimited' ? {} : { capacity }
  return { threshold, cureUntil, pool: { ...pool, ...most, product: names.product(pool.productId) } }
}

const excess =
  (state: 'begun' | 'cured' | 'overdue'): Make =>
  (event, names) => {
    const { pool, cureUntil } = poolOf(event, names)
    return { about: { kind: 'over-allocation', ...pool, state, ...(cureUntil && { cureUntil }) } }
  }

const integrity: Make = ({ type, subject, after, at }) => {
  const detail = Failed.parse(after ?? {}).detail
  const what = `${subject.type} ${subject.id}`
  return {
    about: {
      kind: 'integrity',
      what: type,
      subject: what,
      ...(detail && { detail: detail.slice(0, 500) }),
      at,
    },
    ...(isTampering(type, after) && { occasion: ['license-tampered', subject.id, at.slice(0, 10)] }),
  }
}

const Found = z.looseObject({ check: z.literal('license-tampered'), supersedes: z.undefined().optional() })

/**
 * That the row of a license is not what was signed is found at use and by scans: one occasion a day, whoever finds it
 * first. That it differs in another way than before is news.
 */
const isTampering = (type: string, after: Event['after']) =>
  type === 'license.tampered' || (type === 'integrity.found' && Found.safeParse(after).success)

const MADE: Readonly<Partial<Record<EventType, Make>>> = {
  'license.suspended': license('suspended'),
  'license.reinstated': license('reinstated'),
  'license.revoked': license('revoked'),
  'license.renewed': license('renewed'),
  'license.transferred': license('transferred'),
  'license.tampered': integrity,
  'integrity.found': integrity,
  'capacity.reached': (event, names) => {
    const { pool, threshold } = poolOf(event, names)
    return { about: { kind: 'capacity', ...pool, threshold: threshold ?? 100 } }
  },
  'capacity.over-allocated': excess('begun'),
  'capacity.cured': excess('cured'),
  'capacity.cure-overdue': excess('overdue'),
  'job.failed': ({ subject, after, at }) => {
    const { job, reason, detail } = Failed.parse(after ?? {})
    const why = detail ?? reason
    return {
      about: { kind: 'job-failed', job: job ?? subject.id, ...(why && { detail: why.slice(0, 500) }), at },
    }
  },
  'webhook.disabled': ({ subject, after, at }) => {
    const { url, because, lastFailure } = Disabled.parse(after ?? {})
    const reason = [because, lastFailure].filter(Boolean).join(': ').slice(0, 500)
    const endpoint = (url ?? subject.id).slice(0, 500)
    return { about: { kind: 'webhook-disabled', endpoint, ...(reason && { reason }), at } }
  },
  'seat-request.made': ({ subject, after, at }, names) => {
    const { productId, module, wanted: why } = Requested.parse(after)
    const userId = UserId.parse(subject.id)
    const { name, organizationId } = names.person(userId)
    const asked = { person: name, product: names.product(productId), module, at, ...(why && { reason: why }) }
    return { about: { kind: 'seat-request', userId, ...asked }, organizationId }
  },
  'reclamation.notified': ({ subject, after }, names) => {
    const { productId, openedAt, days, reclaimAt } = Reclaimed.parse(after)
    const userId = UserId.parse(subject.id)
    const { name, email, organizationId } = names.person(userId)
    return {
      about: {
        kind: 'seat-reclaim',
        userId,
        person: name,
        productId,
        product: names.product(productId),
        openedAt,
        at: reclaimAt,
      },
      occasion: [userId, productId, openedAt, String(days)],
      until: reclaimAt,
      organizationId,
      person: email === undefined ? undefined : { email, name },
    }
  },
  'mail.suppressed': ({ after, at }) => {
    const { email, why, detail } = Undelivered.parse(after)
    return { about: { kind: 'mail-undeliverable', address: email, why, ...(detail && { detail }), at } }
  },
}
