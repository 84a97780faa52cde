import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Email } from '../../shared/domain/email.ts'
import { Organization, OrganizationDraft } from '../../shared/domain/organization.ts'
import { Code } from '../../shared/domain/terms.ts'
import { PersonView, UserDraft, UserStatus, UserView } from '../../shared/domain/user.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { Flag, PageQuery, pageOf, Reason, wholeNumber } from '../../shared/platform/http/shapes.ts'
import { OrganizationId, TenantId, UserId } from '../../shared/platform/ids.ts'
import { Countable } from '../../shared/platform/time.ts'
import { bulkRoutes } from './bulk-routes.ts'
import { csvRoutes } from './csv-routes.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })
const OrganizationParams = z.strictObject({ tenantId: TenantId, organizationId: OrganizationId })
const UserParams = z.strictObject({ tenantId: TenantId, userId: UserId })

const readers = [...VENDOR_ROLES, 'tenant:admin', 'org:admin', 'tenant:reporter', 'tenant:app'] as const
const keepers = ['vendor:admin', 'tenant:admin', 'org:admin'] as const

const OrganizationEdit = z.strictObject({
  name: OrganizationDraft.shape.name.optional(),
  /** `null`: directly below the tenant. */
  parentId: OrganizationId.nullable().optional(),
})

const UserEdit = z.strictObject({
  name: UserDraft.shape.name.optional(),
  email: Email.nullable().optional(),
  externalId: UserDraft.shape.externalId.unwrap().nullable().optional(),
  organizationId: OrganizationId.nullable().optional(),
  roles: UserDraft.shape.roles.unwrap().optional(),
  status: z.enum(['active', 'suspended']).optional(),
  usageLocation: UserDraft.shape.usageLocation.unwrap().nullable().optional(),
  reclaimExempt: z.boolean().optional(),
  onLeaveUntil: Countable.nullable().optional(),
  leftDirectoryAt: Countable.nullable().optional(),
})

const SEATS = ['SEATS_EXHAUSTED', 'SEAT_BLOCKED', 'TOO_MUCH_AT_ONCE'] as const

export const peopleRoutes = {
  ...bulkRoutes,
  ...csvRoutes,
  createOrganization: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/organizations',
    access: keepers,
    params: TenantParams,
    body: OrganizationDraft,
    success: { status: 201, body: Organization },
    errors: ['NOT_FOUND', 'ARCHIVED', 'ORGANIZATION_MISPLACED', 'IN_USE'],
    summary: 'Create an organization: a part of the tenant, below another or directly below the tenant',
    versioned: true,
  },
  listOrganizations: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/organizations',
    access: readers,
    params: TenantParams,
    query: PageQuery,
    success: { status: 200, body: pageOf(Organization) },
    errors: [],
    summary: 'The organizations of the tenant that are not archived, oldest first',
    description: 'They are a tree, by `parentId`. An `org:admin` gets the organizations it administers.',
  },
  getOrganization: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/organizations/{organizationId}',
    access: readers,
    params: OrganizationParams,
    success: { status: 200, body: Organization },
    errors: [],
    summary: 'Read an organization',
    versioned: true,
  },
  editOrganization: {
    method: 'PATCH',
    path: '/v1/tenants/{tenantId}/organizations/{organizationId}',
    access: keepers,
    params: OrganizationParams,
    body: OrganizationEdit,
    success: { status: 200, body: Organization },
    errors: ['ARCHIVED', 'ORGANIZATION_MISPLACED'],
    summary: 'Rename an organization, or put it below another',
    versioned: true,
  },
  archiveOrganization: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/organizations/{organizationId}/archive',
    access: keepers,
    params: OrganizationParams,
    success: { status: 200, body: Organization },
    errors: ['ARCHIVED', 'IN_USE'],
    summary: 'Archive an organization with nobody in it and none below it',
    versioned: true,
  },
  createUser: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users',
    access: keepers,
    params: TenantParams,
    body: UserDraft,
    success: { status: 201, body: PersonView },
    errors: ['NOT_FOUND', 'ARCHIVED', 'PERSON_EXISTS', ...SEATS],
    summary: 'Create a person; its roles give it seats at once',
    description:
      'Where no seat is free the role is kept and the seat pending, or the request refused, as the seat policy of the tenant says. E-mail addresses, whatever their case, and external ids are unique in the tenant.',
    versioned: true,
  },
  listUsers: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/users',
    access: readers,
    params: TenantParams,
    query: z.strictObject({
      ...PageQuery.shape,
      organizationId: OrganizationId.optional(),
      /** With those of the organizations below it. */
      includeBelow: Flag.optional(),
      withRole: Code.optional(),
      status: UserStatus.optional(),
      /** With `module`: those who have a seat of it. */
      product: z.string().min(1).max(64).optional(),
      module: Code.optional(),
      /** Not seen for so many days, or never. */
      inactiveDays: wholeNumber(0, 3650).optional(),
      email: Email.optional(),
      externalId: z.string().min(1).max(200).optional(),
    }),
    success: { status: 200, body: pageOf(UserView) },
    errors: [],
    summary: 'People, by organization, role, status, seat or activity; archived ones only if asked for',
    description:
      'Filters are joined by and. The list follows changes within a second or so; a person’s own page at once.',
  },
  getUser: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/users/{userId}',
    access: readers,
    params: UserParams,
    success: { status: 200, body: PersonView },
    errors: [],
    summary: 'A person: its seats and why each is there, and what is pending and why',
    versioned: true,
  },
  editUser: {
    method: 'PATCH',
    path: '/v1/tenants/{tenantId}/users/{userId}',
    access: keepers,
    params: UserParams,
    body: UserEdit,
    success: { status: 200, body: PersonView },
    errors: ['ARCHIVED', 'PERSON_EXISTS', 'SEAT_COOLDOWN', ...SEATS],
    summary: 'Edit, move, suspend or reactivate a person; its seats follow in the same operation',
    description: 'A field that is given replaces the whole field; `null` takes it away.',
    versioned: true,
  },
  archiveUser: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/archive',
    access: keepers,
    params: UserParams,
    body: z.strictObject({ reason: Reason.optional() }),
    success: { status: 200, body: PersonView },
    errors: ['TOO_MUCH_AT_ONCE'],
    summary: 'Archive a person who left: it holds nothing from now on, and its history stays',
    versioned: true,
  },
  restoreUser: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/restore',
    access: keepers,
    params: UserParams,
    body: z.strictObject({ reason: Reason.optional() }),
    success: { status: 200, body: PersonView },
    errors: SEATS,
    summary: 'Take an archived person back; its roles give it seats as they would a new one',
    versioned: true,
  },
  reportActivity: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/activity',
    access: ['vendor:admin', 'tenant:admin', 'tenant:app', 'tenant:scim'],
    params: TenantParams,
    body: z.strictObject({
      records: z
        .array(
          z.strictObject({
            userId: UserId.optional(),
            email: Email.optional(),
            externalId: z.string().min(1).max(200).optional(),
            /** Now, if absent. */
            at: Countable.optional(),
          }),
        )
        .min(1)
        .max(500),
    }),
    success: {
      status: 200,
      body: z.strictObject({
        /** People who are now known to have been seen later than before. */
        recorded: z.int(),
        unchanged: z.int(),
        /** Places in `records` of those who are nobody here. */
        unknown: z.array(z.int()),
      }),
    },
    errors: ['CONTENDED'],
    summary: 'Say who was seen; kept to the hour, so one write per person and hour',
    description:
      'A record names a person by userId, email or externalId. Repeating it is harmless, so it keeps no Idempotency-Key; it leaves no event.',
    safe: true,
  },
} as const satisfies RouteTable
