import type { OrganizationId, ProductId, TenantId, UserId } from '../../platform/ids.ts'
import type { Instant } from '../../platform/time.ts'
import { key, part } from './key.ts'

export const SEAT_PREFIX = 'SEAT#'
export const seatKey = (tenant: TenantId, id: UserId, product: ProductId, metric: string) =>
  key(['T', tenant, 'USER', id], ['SEAT', product, metric])
/** That the tenant manages seats of a pool here: what validations read has it. */
export const managedSeatsKey = (tenant: TenantId, product: ProductId, metric: string) =>
  key(['T', tenant], ['H', product, 'SEATS', metric])
export const ownedByPool = (tenant: TenantId, product: ProductId, metric: string) =>
  ['T', tenant, 'SEATS', product, metric].map(part).join('#')
/** Seats that people wait for: those whose turn comes by itself lie in the order in which it comes. */
export type Line = 'QUEUE' | 'BLOCKED'
export const pendingSeatsKey = (tenant: TenantId, product: ProductId, metric: string) =>
  ['T', tenant, 'PENDING', product, metric].map(part).join('#')
export const pendingSeatKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  line: Line,
  since: Instant,
  id: UserId,
) => key(['T', tenant, 'PENDING', product, metric], [line, since, id])
/** How far those who wait for a pool were decided on anew. */
export const judgedPoolKey = (tenant: TenantId, product: ProductId, metric: string) =>
  key(['T', tenant, 'PENDING', product, metric], ['JUDGED'])
export const reservationsKey = (tenant: TenantId) => `T#${part(tenant)}#RESERVATIONS`
export const reservationKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  organization: OrganizationId,
) => key(['T', tenant, 'RESERVATIONS'], [product, metric, organization])
export const seatPolicyKey = (tenant: TenantId) => key(['T', tenant], ['SEAT-POLICY'])
/** The counts of a tenant's seats and people, by organization: all together, for the dashboard. */
export const seatCountsKey = (tenant: TenantId) => `T#${part(tenant)}#SEAT-COUNTS`
export const seatCountKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  organization: OrganizationId | '-',
) => key(['T', tenant, 'SEAT-COUNTS'], [product, metric, organization])
export const peopleCountKey = (tenant: TenantId, organization: OrganizationId | '-') =>
  key(['T', tenant, 'SEAT-COUNTS'], ['PEOPLE', organization])
/** What becomes of a person's seats of a product that it does not seem to need lies with the person. */
export const RECLAIM_PREFIX = 'RECLAIM#'
export const reclaimCaseKey = (tenant: TenantId, id: UserId, product: ProductId) =>
  key(['T', tenant, 'USER', id], ['RECLAIM', product])
/** Cases of reclamation by what became of them and when. */
export const reclaimCasesOf = (tenant: TenantId) => `T#${part(tenant)}#RECLAIM-CASES`
export const reclaimRulesKey = (tenant: TenantId) => key(['T', tenant], ['RECLAIM-RULES'])
/** Seats that were reclaimed, by month, product and metric. */
export const reclaimedOfTenant = (tenant: TenantId) => `T#${part(tenant)}#RECLAIMED`
export const reclaimedKey = (tenant: TenantId, month: string, product: ProductId, metric: string) =>
  key(['T', tenant, 'RECLAIMED'], [month, product, metric])
/** What a person asked for lies with it, too. */
export const seatRequestKey = (tenant: TenantId, id: UserId, product: ProductId, module: string) =>
  key(['T', tenant, 'USER', id], ['REQUEST', product, module])
/** Requests for seats by what became of them and when they were made. */
export const seatRequestsOf = (tenant: TenantId) => `T#${part(tenant)}#SEAT-REQUESTS`
