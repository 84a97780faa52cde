import * as z from 'zod'
import { IntegrityEvent, IntegrityScan } from '../../shared/domain/integrity.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { Flag, PageQuery, pageOf } from '../../shared/platform/http/shapes.ts'
import { FindingId, TenantId } from '../../shared/platform/ids.ts'
import { keepers, readers, TenantParams } from './validation-routes.ts'

export const integrityRoutes = {
  getIntegrity: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/integrity',
    access: readers,
    params: TenantParams,
    success: {
      status: 200,
      body: z.strictObject({
        /** Always: every use of a license holds its row against its signature. */
        enabled: z.literal(true),
        /** Critical events found since the last scan, or ever where there was none. */
        criticalEvents: z.int(),
        /** Those that are still so, whether somebody took note of them or not. */
        standingEvents: z.int(),
        lastScan: IntegrityScan.optional(),
        /** Of those that are still so, the newest hundred. */
        openEvents: z.array(IntegrityEvent),
      }),
    },
    errors: [],
    summary: 'Is what is stored what was signed and recorded? The last scan, and what is not',
  },
  listIntegrityEvents: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/integrity/events',
    access: readers,
    params: TenantParams,
    query: z.strictObject({ ...PageQuery.shape, state: IntegrityEvent.shape.state.optional() }),
    success: { status: 200, body: pageOf(IntegrityEvent) },
    errors: [],
    summary: 'All critical events, those that are over included: what differs, where and since when',
  },
  runIntegrityScan: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/integrity/scans',
    access: keepers,
    params: TenantParams,
    query: z.strictObject({ whole: Flag.optional() }),
    success: { status: 200, body: IntegrityScan },
    errors: [],
    summary:
      'Hold every license against its signature and its record, its addresses and keys, and the audit log',
    description:
      'Answers with what was found. `skipped` names what there was no time for, or no answer to; a scan in the background looks at it within minutes. Of the audit log it reads what came since it was last found to be right; with `whole=true` all of it, and `log` says how far it came.',
  },
  acknowledgeIntegrityEvent: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/integrity/events/{findingId}/acknowledge',
    access: ['vendor:admin', 'tenant:admin'],
    params: z.strictObject({ tenantId: TenantId, findingId: FindingId }),
    body: z.strictObject({ note: z.string().trim().min(1).max(1_000) }),
    success: { status: 200, body: IntegrityEvent },
    errors: ['INTEGRITY_EVENT_OVER'],
    summary: 'Take note of a critical event, with a note of your own',
    description:
      'It stays until it is mended. If something differs in another way later, that is a new event.',
  },
} as const satisfies RouteTable
