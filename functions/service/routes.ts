import * as z from 'zod'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { Instant } from '../../shared/platform/time.ts'

export const serviceRoutes = {
  getHealth: {
    method: 'GET',
    path: '/v1/health',
    access: 'public',
    success: {
      status: 200,
      body: z.strictObject({ status: z.literal('ok'), stage: z.string(), now: Instant }),
    },
    errors: [],
    summary: 'Is the service up and does its table answer?',
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
