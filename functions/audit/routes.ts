import * as z from 'zod'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import {
  AuditKey,
  CheckpointQuery,
  ConsistencyQuery,
  Count,
  checkpointOf,
  consistencyOf,
  inclusionOf,
  TILES,
  Tile,
  tileOf,
} from './shapes.ts'
import { tenantLogRoutes } from './tenant-routes.ts'
import { vendorLogRoutes } from './vendor-routes.ts'

export const auditRoutes = {
  getAuditKey: {
    method: 'GET',
    path: '/v1/audit/key',
    access: 'public',
    query: z.strictObject({ log: z.union([TenantId, z.literal('vendor')]).optional() }),
    success: { status: 200, body: AuditKey },
    errors: [],
    summary: 'The key that signs the checkpoints of all audit logs, as verifiers pin it (C2SP signed-note)',
    cacheSeconds: 300,
  },
  ...tenantLogRoutes,
  ...vendorLogRoutes,

  getGlobalCheckpoint: {
    method: 'GET',
    path: '/v1/audit/checkpoints/checkpoint',
    access: 'public',
    query: CheckpointQuery,
    success: checkpointOf,
    errors: ['NOT_FOUND'],
    summary: 'The signed checkpoint of the log of all checkpoints, which everybody sees alike',
    description:
      'Its entries are the checkpoints of all logs: origin, size and root, a line each. So nobody can be shown a history of his own.',
  },
  getGlobalTile: {
    method: 'GET',
    path: '/v1/audit/checkpoints/tile/{tile+}',
    access: 'public',
    params: z.strictObject({ tile: Tile }),
    success: tileOf,
    errors: [],
    summary: 'A tile of hashes, or of entries, of the log of all checkpoints',
    description: TILES,
  },
  getGlobalInclusion: {
    method: 'GET',
    path: '/v1/audit/checkpoints/inclusion',
    access: 'public',
    query: z
      .strictObject({
        origin: z
          .string()
          .regex(/^[!-~]{1,255}$/)
          .optional(),
        /** Of the log that the checkpoint is of. */
        logSize: Count.optional(),
        index: Count.optional(),
        size: Count.optional(),
      })
      .refine(
        ({ origin, logSize, index }) =>
          index === undefined
            ? origin !== undefined && logSize !== undefined
            : origin === undefined && logSize === undefined,
        {
          error: 'name either origin and logSize, or index',
          path: ['logSize'],
        },
      ),
    success: inclusionOf,
    errors: ['NOT_FOUND'],
    summary: 'Proof that a checkpoint is in the log of all checkpoints',
  },
  getGlobalConsistency: {
    method: 'GET',
    path: '/v1/audit/checkpoints/consistency',
    access: 'public',
    query: ConsistencyQuery,
    success: consistencyOf,
    errors: ['NOT_FOUND'],
    summary: 'Proof that the log of all checkpoints at one size is the beginning of it at another',
  },
} as const satisfies RouteTable
