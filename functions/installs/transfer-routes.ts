import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { LicenseFile } from '../../shared/domain/license-file.ts'
import { LicenseView } from '../../shared/domain/license-view.ts'
import { Side, TRANSFER_STATES } from '../../shared/domain/transfer.ts'
import { TransferView } from '../../shared/domain/transfer-view.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason } from '../../shared/platform/http/shapes.ts'
import { LicenseId, TenantId, TransferId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

const TransferParams = z.strictObject({ transferId: TransferId })
const parties = ['vendor:admin', 'vendor:issuer', 'tenant:admin'] as const
const readers = [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter'] as const

const ListQuery = z.strictObject({ ...PageQuery.shape, state: z.enum(TRANSFER_STATES).optional() })
const Why = z.strictObject({ reason: Reason.optional() }).default({})

/** Why a license cannot move now: asked when it is requested, with the last approval, and when it is carried out. */
const unmovable = [
  'TRANSFER_NOT_ALLOWED',
  'TRANSITION_NOT_ALLOWED',
  'LICENSE_MISMATCH',
  'LICENSE_TAMPERED',
  'ARCHIVED',
] as const

/** What either side, or vendor staff in its stead, does about a transfer. */
const step = {
  method: 'POST',
  access: parties,
  params: TransferParams,
  success: { status: 200, body: TransferView },
} as const

export const transferRoutes = {
  requestTransfer: {
    method: 'POST',
    path: '/v1/licenses/{licenseId}/transfers',
    access: parties,
    params: z.strictObject({ licenseId: LicenseId }),
    body: z
      .strictObject({
        /** Vendor staff may name the receiving tenant; without, and for a tenant always, there is a code. */
        receiver: TenantId.optional(),
        /** When it lapses; 14 days from now unless said otherwise, at most 90. */
        lapsesAt: Instant.optional(),
        /** Both sides see it. */
        reason: Reason.optional(),
      })
      .default({}),
    success: {
      status: 201,
      body: z.strictObject({ transfer: TransferView, transferCode: z.string().optional() }),
    },
    errors: [...unmovable, 'TRANSFERS_EXHAUSTED', 'IN_USE'],
    summary: 'Request the transfer of a license to another tenant; its code is shown once',
    description:
      'Hand the code to the receiver, whose administrator takes it up: tenants are not named to each other. What extends the license moves with it. A perpetual license, or one whose plan asks for approval, moves once both sides have approved; any other once the receiving side has.',
  },
  takeUpTransfer: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/transfers',
    access: parties,
    params: z.strictObject({ tenantId: TenantId }),
    body: z.strictObject({ transferCode: z.string().min(1).max(200) }),
    success: { status: 200, body: TransferView },
    errors: ['TRANSFER_OVER', 'TRANSFER_NOT_ALLOWED', 'ARCHIVED'],
    summary: 'Take up the code of a transfer: see what would come, then approve or refuse it',
  },
  listTenantTransfers: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/transfers',
    access: readers,
    params: z.strictObject({ tenantId: TenantId }),
    query: ListQuery,
    success: { status: 200, body: pageOf(TransferView) },
    errors: [],
    summary: 'The transfers that the tenant gives or receives by, newest first',
  },
  listTransfers: {
    method: 'GET',
    path: '/v1/transfers',
    access: VENDOR_ROLES,
    query: ListQuery,
    success: { status: 200, body: pageOf(TransferView) },
    errors: [],
    summary: 'All transfers, newest first',
  },
  getTransfer: {
    method: 'GET',
    path: '/v1/transfers/{transferId}',
    access: readers,
    params: TransferParams,
    success: { status: 200, body: TransferView },
    errors: [],
    summary: 'Read a transfer: what moves, what it waits for, and what stays usable offline',
  },
  approveTransfer: {
    ...step,
    path: '/v1/transfers/{transferId}/approve',
    body: z
      .strictObject({
        /** Of vendor staff: in whose stead; of each side that has not approved, unless said otherwise. */
        side: Side.optional(),
        /** Vendor staff say why they approve in the stead of others. */
        reason: Reason.optional(),
      })
      .default({}),
    errors: [...unmovable, 'TRANSFER_OVER', 'TRANSFER_OUTDATED', 'TRANSFER_TOO_LARGE'],
    summary: 'Approve a transfer; after the last approval it is carried out',
    description:
      'With the last approval it is APPROVED, and within a minute or so EXECUTED, or FAILED where something was changed meanwhile; `because` says what. Executed, the old license is revoked and its key and file are good for nothing; the receiver holds a new one with what was left of the old.',
  },
  refuseTransfer: {
    ...step,
    path: '/v1/transfers/{transferId}/refuse',
    body: Why,
    errors: ['TRANSFER_OVER'],
    summary: 'Refuse a transfer; both sides see the reason',
  },
  cancelTransfer: {
    ...step,
    path: '/v1/transfers/{transferId}/cancel',
    body: Why,
    errors: ['TRANSFER_OVER', 'TRANSITION_NOT_ALLOWED'],
    summary: 'Take back a transfer that one has requested',
  },
  collectTransfer: {
    method: 'POST',
    path: '/v1/transfers/{transferId}/collect',
    access: ['tenant:admin'],
    params: TransferParams,
    success: {
      status: 200,
      body: z.strictObject({
        licenses: z.array(z.strictObject({ license: LicenseView, key: z.string(), file: LicenseFile })),
      }),
    },
    errors: ['TRANSITION_NOT_ALLOWED', 'LICENSE_TAMPERED'],
    summary: 'What was received: licenses, keys and files; an event says who was shown the keys',
    description: 'For the receiving side, once it is executed and as long as the keys were not replaced.',
  },
} as const satisfies RouteTable
