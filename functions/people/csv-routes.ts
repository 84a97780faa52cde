import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Code } from '../../shared/domain/terms.ts'
import { UserStatus } from '../../shared/domain/user.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { Flag, wholeNumber } from '../../shared/platform/http/shapes.ts'
import { OrganizationId, TenantId, UserId } from '../../shared/platform/ids.ts'
import { IMPORT_LIMIT } from '../import-lines.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })

export const csvRoutes = {
  importUsers: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/import',
    access: ['vendor:admin', 'tenant:admin', 'org:admin'],
    params: TenantParams,
    query: z.strictObject({ dryRun: Flag.default(false) }),
    body: z.union([
      z.strictObject({ rows: z.array(z.unknown()).min(1).max(IMPORT_LIMIT) }),
      z.string().min(1),
    ]),
    textBody: ['text/csv'],
    bodyLimit: 5 * 1024 * 1024,
    success: {
      status: 200,
      body: z.strictObject({
        dryRun: z.boolean(),
        rows: z.int(),
        imported: z.int(),
        /** Rows whose external id or e-mail address somebody has: they are not touched. */
        alreadyHere: z.int(),
        /** Of those imported, who waits for a seat. */
        waiting: z.int(),
        /** Rows left because the time of the request was over; send the same import again to go on. */
        remaining: z.int(),
        /** Who the first 1,000 of them became. */
        people: z.array(z.strictObject({ line: z.int(), userId: UserId })),
      }),
    },
    errors: ['IMPORT_INVALID'],
    summary: 'Import people from CSV or JSON: all rows, or a report of the bad ones by line',
    description:
      'Columns: name, email, externalId, organization (the names from the top: `School/Physics`), roles (separated by `;`), status, usageLocation. Each row needs an email or an externalId; importing it twice makes one person.',
  },
  exportUsers: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/users/export',
    access: [...VENDOR_ROLES, 'tenant:admin', 'org:admin', 'tenant:reporter'],
    params: TenantParams,
    query: z.strictObject({
      limit: wholeNumber(1, 1_000).default(1_000),
      cursor: z.string().max(2_000).optional(),
      organizationId: OrganizationId.optional(),
      withRole: Code.optional(),
      status: UserStatus.optional(),
    }),
    success: {
      status: 200,
      body: z.strictObject({
        /** The names of the columns, as the first line of CSV (RFC 4180). */
        header: z.string(),
        /** A line for each person, with its end. */
        items: z.array(z.string()),
        nextCursor: z.string().optional(),
      }),
    },
    errors: [],
    summary: 'People as lines of CSV, page by page: the header, then the items of all pages',
    description:
      'The columns of an import, and id, lastActiveAt and seats, which an import leaves alone. A cell that a spreadsheet would take for a formula begins with a quote, which an import takes off. An organization stands for those below it, too.',
  },
} as const satisfies RouteTable
