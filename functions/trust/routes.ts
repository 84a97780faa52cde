import * as z from 'zod'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { integrityRoutes } from './integrity-routes.ts'
import { jobRoutes } from './job-routes.ts'
import { validationRoutes } from './validation-routes.ts'

const Jwk = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  kid: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
})

export const trustRoutes = {
  ...validationRoutes,
  ...integrityRoutes,
  ...jobRoutes,
  getJwks: {
    method: 'GET',
    path: '/.well-known/jwks.json',
    access: 'public',
    success: { status: 200, body: z.strictObject({ keys: z.array(Jwk) }) },
    errors: [],
    summary: 'The public keys that verify license files and signed verdicts (RFC 7517)',
    cacheSeconds: 300,
  },
} as const satisfies RouteTable
