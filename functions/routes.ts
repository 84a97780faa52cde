import type { Route, RouteTable } from '../shared/platform/http/contract.ts'
import { accessRoutes } from './access/routes.ts'
import { activationsRoutes } from './activations/routes.ts'
import { auditRoutes } from './audit/routes.ts'
import { catalogRoutes } from './catalog/routes.ts'
import { featuresRoutes } from './features/routes.ts'
import { installsRoutes } from './installs/routes.ts'
import { leasesRoutes } from './leases/routes.ts'
import { licensesRoutes } from './licenses/routes.ts'
import { notificationsRoutes } from './notifications/routes.ts'
import { peopleRoutes } from './people/routes.ts'
import { poolsRoutes } from './pools/routes.ts'
import { releasesRoutes } from './releases/routes.ts'
import { scimRoutes } from './scim/routes.ts'
import { seatsRoutes } from './seats/routes.ts'
import { serviceRoutes } from './service/routes.ts'
import { tenantsRoutes } from './tenants/routes.ts'
import { trustRoutes } from './trust/routes.ts'
import { usageRoutes } from './usage/routes.ts'
import { validationRoutes } from './validation/routes.ts'
import { webhooksRoutes } from './webhooks/routes.ts'

/** The one route table: every operation of the API by context. One Lambda function serves a context. */
export const contexts = {
  access: accessRoutes,
  catalog: catalogRoutes,
  tenants: tenantsRoutes,
  licenses: licensesRoutes,
  installs: installsRoutes,
  validation: validationRoutes,
  leases: leasesRoutes,
  pools: poolsRoutes,
  activations: activationsRoutes,
  usage: usageRoutes,
  features: featuresRoutes,
  releases: releasesRoutes,
  people: peopleRoutes,
  seats: seatsRoutes,
  scim: scimRoutes,
  trust: trustRoutes,
  webhooks: webhooksRoutes,
  notifications: notificationsRoutes,
  audit: auditRoutes,
  /** No routes: the table's stream calls it. */
  records: {},
  service: serviceRoutes,
} as const satisfies Readonly<Record<string, RouteTable>>

export type ContextName = keyof typeof contexts

export type Operation = Route & { readonly operationId: string; readonly context: ContextName }

/** The same table as a list. */
export const operations: readonly Operation[] = Object.entries(contexts).flatMap(([context, table]) =>
  Object.entries<Route>(table).map(([operationId, route]) => ({
    ...route,
    operationId,
    context: contextName(context),
  })),
)

function contextName(name: string): ContextName {
  if (isContextName(name)) return name
  throw new RangeError(`no context ${name}`)
}

function isContextName(name: string): name is ContextName {
  return name in contexts
}
