import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Event } from '../../shared/domain/event.ts'
import { Overview } from '../../shared/domain/overview.ts'
import { Tenant, TenantDraft } from '../../shared/domain/tenant.ts'
import { VisitsView } from '../../shared/domain/visits.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { Flag, PageQuery, pageOf } from '../../shared/platform/http/shapes.ts'
import { LicenseId, TenantId } from '../../shared/platform/ids.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })
// An edit names what changes and the rest stays, so the defaults of a new tenant do not apply to it.
const TenantEdit = z
  .strictObject({
    ...TenantDraft.shape,
    timeZone: TenantDraft.shape.timeZone.unwrap(),
    contacts: TenantDraft.shape.contacts.unwrap(),
  })
  .partial()
const readers = [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter'] as const

export const tenantsRoutes = {
  createTenant: {
    method: 'POST',
    path: '/v1/tenants',
    access: ['vendor:admin', 'vendor:issuer'],
    body: TenantDraft,
    success: { status: 201, body: Tenant },
    errors: ['CODE_TAKEN'],
    summary: 'Create a tenant: a customer of the vendor',
    versioned: true,
  },
  listTenants: {
    method: 'GET',
    path: '/v1/tenants',
    access: VENDOR_ROLES,
    query: z.strictObject({ ...PageQuery.shape, archived: Flag.optional() }),
    success: { status: 200, body: pageOf(Tenant) },
    errors: [],
    summary: 'List tenants',
  },
  getTenant: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}',
    access: readers,
    params: TenantParams,
    success: { status: 200, body: Tenant },
    errors: [],
    summary: 'Read a tenant',
    versioned: true,
  },
  editTenant: {
    method: 'PATCH',
    path: '/v1/tenants/{tenantId}',
    access: ['vendor:admin', 'vendor:issuer'],
    params: TenantParams,
    body: TenantEdit,
    success: { status: 200, body: Tenant },
    errors: ['CODE_TAKEN', 'ARCHIVED'],
    summary: 'Edit a tenant; licenses already issued keep the customer they name',
    description: 'A field that is given replaces the whole field.',
    versioned: true,
  },
  archiveTenant: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/archive',
    access: ['vendor:admin'],
    params: TenantParams,
    success: { status: 200, body: Tenant },
    errors: ['ARCHIVED', 'IN_USE'],
    summary: 'Archive a tenant that holds no license in force',
    versioned: true,
  },
  getOverview: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/overview',
    access: [...readers, 'tenant:app'],
    params: TenantParams,
    success: { status: 200, body: Overview },
    errors: [],
    summary:
      'Where the tenant stands: operating mode, users against capacity, products and modules, licenses',
    description:
      'What is in use of a metric is what was given out here (seats, machines, units of leases), and where nothing ever was, what was reported.',
  },
  listVendorEvents: {
    method: 'GET',
    path: '/v1/events',
    access: VENDOR_ROLES,
    query: z.strictObject({ ...PageQuery.shape, order: z.enum(['newest', 'oldest']).default('newest') }),
    success: { status: 200, body: pageOf(Event) },
    errors: [],
    summary: 'What changed that concerns no tenant: products, plans, releases, vendor tokens',
  },
  listEvents: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/events',
    access: readers,
    params: TenantParams,
    query: z.strictObject({ ...PageQuery.shape, order: z.enum(['newest', 'oldest']).default('newest') }),
    success: { status: 200, body: pageOf(Event) },
    errors: [],
    summary: 'What changed: who did what, before and after',
  },
  listPlaces: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/places',
    access: readers,
    params: TenantParams,
    query: z.strictObject({ ...PageQuery.shape, licenseId: LicenseId.optional() }),
    success: { status: 200, body: pageOf(VisitsView) },
    errors: [],
    summary:
      'Use from outside the countries of a license: for each user or machine the days, countries and evidence',
    description:
      'Kept for 400 days, or for the window of the travel allowance if that is longer. No network address is kept; a machine is named by a keyed hash.',
  },
} as const satisfies RouteTable
