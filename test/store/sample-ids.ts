import {
  ActivationId,
  BulkId,
  EventId,
  FindingId,
  GroupId,
  LicenseId,
  OrganizationId,
  PlanId,
  ProductId,
  TenantId,
  TokenId,
  TransferId,
  UserId,
  WebhookId,
} from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

const two = <T>(schema: { parse(text: string): T }, prefix: string): [T, T] => [
  schema.parse(`${prefix}_${'0'.repeat(26)}`),
  schema.parse(`${prefix}_${'1'.repeat(26)}`),
]

/** Two ids of each kind. */
export const IDS = {
  tenants: two(TenantId, 'ten'),
  products: two(ProductId, 'prd'),
  plans: two(PlanId, 'pln'),
  licenses: two(LicenseId, 'lic'),
  tokens: two(TokenId, 'tok'),
  events: two(EventId, 'evt'),
  activations: two(ActivationId, 'act'),
  organizations: two(OrganizationId, 'org'),
  users: two(UserId, 'usr'),
  transfers: two(TransferId, 'trf'),
  bulks: two(BulkId, 'blk'),
  findings: two(FindingId, 'itg'),
  webhooks: two(WebhookId, 'whk'),
  groups: two(GroupId, 'grp'),
}

export const INSTANTS: [Instant, Instant] = [
  Instant.parse('2026-01-01T00:00:00Z'),
  Instant.parse('2026-01-02T00:00:00Z'),
]
