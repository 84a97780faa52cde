import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { ReclaimCaseView, ReclaimReason, ReclaimState } from '../../shared/domain/reclaim-case.ts'
import { Exclusion } from '../../shared/domain/reclaim-outlook.ts'
import { ReclaimRules } from '../../shared/domain/reclaim-rule.ts'
import { Code } from '../../shared/domain/terms.ts'
import { PersonView } from '../../shared/domain/user.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason, rawBody } from '../../shared/platform/http/shapes.ts'
import { ProductId, TenantId, UserId } from '../../shared/platform/ids.ts'
import { Countable, Day, Instant } from '../../shared/platform/time.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })
const UserParams = z.strictObject({ tenantId: TenantId, userId: UserId })
const ProductName = z.string().min(1).max(64)
const Month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'a month, such as 2026-11')
const Token = z.string().max(500)
const page = { status: 200, body: rawBody('text/html; charset=utf-8'), media: ['text/html'] } as const

const readers = [...VENDOR_ROLES, 'tenant:admin', 'org:admin', 'tenant:reporter', 'tenant:app'] as const
const keepers = ['vendor:admin', 'tenant:admin', 'org:admin'] as const

/** What would become of a person's seats of a product, and why. */
const Prospect = z.strictObject({
  userId: UserId,
  name: z.string(),
  productId: ProductId,
  metrics: z.array(Code),
  reason: ReclaimReason,
  since: Instant,
  /** When they are taken, at the earliest. */
  reclaimAt: Instant,
  /** What is done next: `open` and `notify` tell the person, `wait` waits for the next notice. */
  next: z.enum(['open', 'notify', 'reclaim', 'cancel', 'wait']),
  /** Why they are not taken all the same. */
  excludedBy: Exclusion.optional(),
})

const Savings = z.strictObject({
  month: Month,
  productId: ProductId,
  metric: Code,
  reclaimed: z.int(),
  /** Of those, given back. */
  restored: z.int(),
})

export const reclaimRoutes = {
  getReclaimRules: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/reclamation/rules',
    access: readers,
    params: TenantParams,
    success: { status: 200, body: ReclaimRules },
    errors: [],
    summary: 'When idle seats come back, as the tenant says',
  },
  setReclaimRules: {
    method: 'PUT',
    path: '/v1/tenants/{tenantId}/reclamation/rules',
    access: ['vendor:admin', 'tenant:admin'],
    params: TenantParams,
    body: ReclaimRules,
    success: { status: 200, body: ReclaimRules },
    errors: ['NOT_FOUND', 'ARCHIVED'],
    summary: 'Say when idle seats come back: for the tenant, a product, an organization, or a product there',
    description:
      'The most specific rule wins: that of the nearest organization first. Where the tenant has none, the licenses’ own (`reclaim` of the plan’s rules) holds; where there is neither, nothing is taken.',
  },
  previewReclamation: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/reclamation/preview',
    access: readers,
    params: TenantParams,
    body: z.strictObject({
      /** What these would do, instead of the tenant’s own. */
      rules: ReclaimRules.shape.rules.optional(),
      /** As of then, if nobody is seen until then; now, if absent. */
      at: Countable.optional(),
      limit: z.int().min(1).max(100).default(50),
      cursor: PageQuery.shape.cursor,
    }),
    success: {
      status: 200,
      body: z.strictObject({
        at: Instant,
        /** The last day on which anybody was seen. */
        lastActiveDay: Day.optional(),
        items: z.array(Prospect),
        nextCursor: z.string().optional(),
      }),
    },
    errors: ['INVALID_CURSOR'],
    summary: 'Dry run: whose seats would be taken, when and why, and who is spared; longest not seen first',
    description:
      'The same decision that the job makes. A page may hold fewer than `limit` though there are more; go on with `nextCursor`.',
    safe: true,
  },
  listReclaimCases: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/reclamation/cases',
    access: readers,
    params: TenantParams,
    query: z.strictObject({ ...PageQuery.shape, state: ReclaimState.optional() }),
    success: { status: 200, body: pageOf(ReclaimCaseView) },
    errors: [],
    summary:
      'Seats that are about to be taken, were taken, kept or given back: the last case of each person and product',
  },
  getReclaimSavings: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/reclamation/savings',
    access: readers,
    params: TenantParams,
    query: z.strictObject({ from: Month.optional(), to: Month.optional() }),
    success: { status: 200, body: z.strictObject({ items: z.array(Savings) }) },
    errors: [],
    summary: 'Seats that came back, by month (UTC), product and metric, and those given back again',
  },
  keepSeats: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/seats/keep',
    access: keepers,
    params: UserParams,
    body: z.strictObject({ product: ProductName, reason: Reason.optional() }),
    success: { status: 200, body: ReclaimCaseView },
    errors: ['NOT_RECLAIMING'],
    summary:
      'Keep the seats of a product that are about to be taken from a person; it is left alone for a while',
  },
  restoreSeats: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/seats/restore',
    access: keepers,
    params: UserParams,
    body: z.strictObject({
      product: ProductName,
      /** Where no seat is free: wait for one, instead of being refused. */
      wait: z.boolean().default(false),
      reason: Reason.optional(),
    }),
    success: { status: 200, body: PersonView },
    errors: ['UNDO_OVER', 'SEATS_EXHAUSTED', 'SEAT_BLOCKED', 'TOO_MUCH_AT_ONCE'],
    summary: 'Undo: give a person the seats back that were reclaimed',
  },
  getKeepLink: {
    method: 'GET',
    path: '/v1/keep-seats',
    access: 'public',
    query: z.strictObject({ token: Token }),
    success: {
      status: 200,
      body: z.strictObject({
        state: z.enum(['open', 'kept', 'over']),
        /** When the seats are taken otherwise. */
        reclaimAt: Instant.optional(),
      }),
    },
    errors: ['NOT_FOUND'],
    summary: 'What a link to keep one’s seats is still good for; looking does nothing',
  },
  useKeepLink: {
    method: 'POST',
    path: '/v1/keep-seats',
    access: 'public',
    body: z.strictObject({ token: Token }),
    success: { status: 200, body: z.strictObject({ state: z.literal('kept'), quietUntil: Instant }) },
    errors: ['NOT_FOUND', 'NOT_RECLAIMING'],
    summary: 'Keep one’s seats, by the link of a notice: once, and only for the case it was sent for',
    description: 'Using it again does nothing more, so it keeps no Idempotency-Key.',
    safe: true,
  },
  getKeepPage: {
    method: 'GET',
    path: '/v1/keep-seats/page',
    access: 'public',
    query: z.strictObject({ token: Token }),
    success: page,
    errors: ['NOT_FOUND'],
    summary: 'The page of a link to keep one’s seats; looking does nothing',
  },
  useKeepPage: {
    method: 'POST',
    path: '/v1/keep-seats/page',
    access: 'public',
    query: z.strictObject({ token: Token }),
    success: page,
    errors: ['NOT_FOUND'],
    summary: 'Keep one’s seats by the button of that page',
    description: 'Doing it again does nothing more, so it keeps no Idempotency-Key.',
    safe: true,
  },
} as const satisfies RouteTable
