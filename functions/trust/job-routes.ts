import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason } from '../../shared/platform/http/shapes.ts'
import { Instant } from '../../shared/platform/time.ts'

const JobStatus = z.enum(['ok', 'late', 'waiting'])

const JobView = z
  .strictObject({
    job: z.string(),
    everyMinutes: z.int(),
    purpose: z.string(),
    /** What users lose while it does not run: the text of its alarm. */
    errorImpact: z.string(),
    /** `waiting`: it has not had a success yet. */
    status: JobStatus,
    lastSuccessAt: Instant.optional(),
    ageSeconds: z.int().optional(),
  })
  .meta({ id: 'Job' })

/** `<kind>#<subject>` as base64url: it names a timer, and nothing that a caller must not know. */
const SetAsideId = z.base64url().min(4).max(600)

const SetAside = z
  .strictObject({
    id: SetAsideId,
    /** What was due, and whose it is. */
    kind: z.string(),
    subject: z.array(z.string()),
    dueAt: Instant.optional(),
    /** Why it failed the last time, and how often before it was given up; absent where its row cannot be read. */
    failed: z.strictObject({ times: z.int(), reason: z.string(), at: Instant }).optional(),
  })
  .meta({ id: 'SetAsideWork' })

const SetAsideParams = z.strictObject({ setAsideId: SetAsideId })

export const jobRoutes = {
  listJobs: {
    method: 'GET',
    path: '/v1/jobs',
    access: VENDOR_ROLES,
    success: { status: 200, body: z.strictObject({ items: z.array(JobView) }) },
    errors: [],
    summary: 'The jobs: when they run and what for, and when each last did its work',
  },
  listSetAside: {
    method: 'GET',
    path: '/v1/jobs/dead',
    access: VENDOR_ROLES,
    query: PageQuery,
    success: { status: 200, body: pageOf(SetAside) },
    errors: [],
    summary: 'What was due and failed too often, with the reason: it waits for somebody to look at it',
  },
  retrySetAside: {
    method: 'POST',
    path: '/v1/jobs/dead/{setAsideId}/retry',
    access: ['vendor:admin'],
    params: SetAsideParams,
    success: { status: 200, body: SetAside },
    errors: ['NOT_SET_ASIDE'],
    summary: 'Have it tried again, at the next run of its job',
  },
  discardSetAside: {
    method: 'POST',
    path: '/v1/jobs/dead/{setAsideId}/discard',
    access: ['vendor:admin'],
    params: SetAsideParams,
    body: z.strictObject({ reason: Reason }),
    success: { status: 200, body: SetAside },
    errors: ['NOT_SET_ASIDE'],
    summary: 'Give it up for good',
  },
} as const satisfies RouteTable
