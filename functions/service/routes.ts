import * as z from 'zod'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { Flag } from '../../shared/platform/http/shapes.ts'
import { Instant } from '../../shared/platform/time.ts'

export const serviceRoutes = {
  getHealth: {
    method: 'GET',
    path: '/v1/health',
    access: 'public',
    query: z.strictObject({ strict: Flag.default(false) }),
    success: {
      status: 200,
      body: z.strictObject({
        /** `late`: the API answers, and a job has not done its work for a while. */
        status: z.enum(['ok', 'late']),
        stage: z.string(),
        now: Instant,
        jobs: z.array(
          z.strictObject({
            job: z.string(),
            /** `waiting`: it had no success yet, as on a stage that was just deployed. */
            status: z.enum(['ok', 'late', 'waiting']),
            lastSuccessAt: Instant.optional(),
            ageSeconds: z.int().optional(),
          }),
        ),
      }),
    },
    errors: ['JOBS_LATE'],
    summary: 'Is the service up, does its table answer, and when did each job last do its work?',
    description:
      'Answers 200 as long as requests are served, so that whoever routes traffic by it goes on doing so: a late job refuses nobody. With `strict=true` it answers 503 while a job is late, for a monitor that knows no more than the status.',
  },
  getOpenApi: {
    method: 'GET',
    path: '/v1/openapi.json',
    access: 'public',
    success: { status: 200, body: z.looseObject({ openapi: z.string() }) },
    errors: [],
    summary: 'This API as an OpenAPI 3.1 document',
    cacheSeconds: 300,
  },
} as const satisfies RouteTable
