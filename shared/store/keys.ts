import type { LogName } from '../domain/checkpoint.ts'
import type { Visitor } from '../domain/visits.ts'
import type { WebhookOwner } from '../domain/webhook.ts'
import type {
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
} from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'

/**
 * Every key of the table is built here, from branded ids. `#` separates the parts, so no part may contain one. The
 * access patterns behind them are listed in README.md.
 */
export type Key = { pk: string; sk: string }

function part(text: string): string {
  if (text.includes('#')) throw new RangeError(`a key part must not contain '#': ${text}`)
  return text
}

const key = (pk: readonly string[], sk: readonly string[]): Key => ({
  pk: pk.map(part).join('#'),
  sk: sk.map(part).join('#'),
})

export const productKey = (id: ProductId) => key(['PRODUCT', id], ['PRODUCT'])
export const RELEASE_PREFIX = 'RELEASE#'
export const releaseKey = (id: ProductId, version: string) =>
  key(['PRODUCT', id], ['RELEASE', encodeURIComponent(version)])
/** Encoded, because requests name products by what may be no code at all. */
export const productCodeKey = (code: string) => key(['PRODUCTCODE', encodeURIComponent(code)], ['ADDRESS'])
export const planKey = (id: PlanId) => key(['PLAN', id], ['PLAN'])
export const tokenKey = (id: TokenId) => key(['TOKEN', id], ['TOKEN'])

export const tenantKey = (id: TenantId) => key(['T', id], ['TENANT'])
/** Counts what was issued to a tenant, so that archiving it notices. */
export const tenantFenceKey = (id: TenantId) => key(['T', id], ['FENCE'])
/** Customer ids are the vendor's: they may hold anything, so they are encoded. */
export const customerKey = (customerId: string) =>
  key(['CUSTOMER', encodeURIComponent(customerId)], ['ADDRESS'])

/** All that a tenant holds of every product: below its own partition, product by product. */
export const holdingsPrefix = (productId?: ProductId) => (productId ? `H#${part(productId)}#` : 'H#')
export const licenseKey = (tenant: TenantId, product: ProductId, id: LicenseId) =>
  key(['T', tenant], ['H', product, 'LICENSE', id])
/** A counter with an allowance has a row for each period, named by its beginning. */
/** That the tenant manages seats of a pool here: what validations read has it. */
export const managedSeatsKey = (tenant: TenantId, product: ProductId, metric: string) =>
  key(['T', tenant], ['H', product, 'SEATS', metric])
export const usageKey = (tenant: TenantId, product: ProductId, metric: string, from?: Instant) =>
  key(['T', tenant], ['H', product, 'USAGE', metric, ...(from ? [from] : [])])

/** The pools of a tenant's product have a partition of their own: they are written far more often than licenses. */
export const poolsKey = (tenant: TenantId, product: ProductId) => `T#${part(tenant)}#POOLS#${part(product)}`
export const poolKey = (tenant: TenantId, product: ProductId, metric: string) =>
  key(['T', tenant, 'POOLS', product], [metric])
/** A queue has a partition of its own, in which its tickets lie in their order. */
export const queueKey = (tenant: TenantId, product: ProductId, metric: string) =>
  ['T', tenant, 'QUEUE', product, metric].map(part).join('#')
export const ticketKey = (tenant: TenantId, product: ProductId, metric: string, order: string, ref: string) =>
  key(['T', tenant, 'QUEUE', product, metric], [order, ref])
export const heldTicketKey = (tenant: TenantId, product: ProductId, metric: string, ref: string) =>
  key(['T', tenant, 'HELD', product, metric], [ref])
export const leaseDenialsKey = (tenant: TenantId, product: ProductId, metric: string) =>
  ['T', tenant, 'DENIALS', product, metric].map(part).join('#')
/** Who was denied is the application's word for it: it may hold anything, so it is encoded. */
export const leaseDenialKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  minute: string,
  who: string,
) => key(['T', tenant, 'DENIALS', product, metric], [minute, encodeURIComponent(who)])
export const leaseDetailKey = (tenant: TenantId, product: ProductId, metric: string, ref: string) =>
  key(['T', tenant, 'LEASES', product], [metric, ref])
/** A license that was borrowed, by the id of its token. */
export const borrowingKey = (tenant: TenantId, product: ProductId, metric: string, jti: string) =>
  key(['T', tenant, 'BORROWED', product], [metric, jti])
/** What departments have of a tenant's pools: those of a product are read together. */
export const poolSharesKey = (tenant: TenantId, product: ProductId, metric: string) =>
  key(['T', tenant, 'SHARES'], [product, metric])
/** What leases held of a pool, by when they did. */
export const leaseUsesKey = (tenant: TenantId, product: ProductId, metric: string) =>
  ['T', tenant, 'LEASE-USE', product, metric].map(part).join('#')
export const leaseUseKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  from: Instant,
  ref: string,
) => key(['T', tenant, 'LEASE-USE', product, metric], [from, ref])

/** The machines of a tenant, over all products: they are listed together and found by their id alone. */
export const activationsKey = (tenant: TenantId) => `T#${part(tenant)}#ACTIVATIONS`
export const activationKey = (tenant: TenantId, id: ActivationId): Key => ({
  pk: activationsKey(tenant),
  sk: part(id),
})
/** A component of a machine, by its keyed hash: unique within its scope. */
export const fingerprintKey = (tenant: TenantId, product: ProductId, scope: string, hash: string) =>
  key(['T', tenant, 'FINGERPRINTS', product], [scope, hash])

/** The organizations of a tenant are read together: they are a tree. */
export const organizationsKey = (tenant: TenantId) => `T#${part(tenant)}#ORGANIZATIONS`
export const ORGANIZATION_PREFIX = 'ORGANIZATION#'
export const organizationKey = (tenant: TenantId, id: OrganizationId) =>
  key(['T', tenant, 'ORGANIZATIONS'], ['ORGANIZATION', id])
/** Counts the changes of the tree, so that two of them at once do not make a cycle. */
export const organizationTreeKey = (tenant: TenantId) => key(['T', tenant, 'ORGANIZATIONS'], ['TREE'])

/** A person's page is one partition: who it is, what it has, and what it is there for. */
export const userKey = (tenant: TenantId, id: UserId) => key(['T', tenant, 'USER', id], ['USER'])
export const SEAT_PREFIX = 'SEAT#'
export const seatKey = (tenant: TenantId, id: UserId, product: ProductId, metric: string) =>
  key(['T', tenant, 'USER', id], ['SEAT', product, metric])
export const userRoleKey = (tenant: TenantId, id: UserId, role: string) =>
  key(['T', tenant, 'USER', id], ['ROLE', role])
export const userEmailKey = (tenant: TenantId, email: string) =>
  key(['T', tenant, 'EMAIL', encodeURIComponent(email)], ['ADDRESS'])
export const externalIdKey = (tenant: TenantId, externalId: string) =>
  key(['T', tenant, 'EXTERNAL', encodeURIComponent(externalId)], ['ADDRESS'])

export const userNameKey = (tenant: TenantId, userName: string) =>
  key(['T', tenant, 'USERNAME', encodeURIComponent(userName)], ['ADDRESS'])

/** The groups of a tenant's directory are read together; who is in one has a partition of its own. */
export const groupsKey = (tenant: TenantId) => `T#${part(tenant)}#GROUPS`
export const GROUP_PREFIX = 'GROUP#'
export const groupKey = (tenant: TenantId, id: GroupId) => key(['T', tenant, 'GROUPS'], ['GROUP', id])
export const groupMembersKey = (tenant: TenantId, id: GroupId) => `T#${part(tenant)}#GROUP#${part(id)}`
export const groupMemberKey = (tenant: TenantId, id: GroupId, user: UserId) =>
  key(['T', tenant, 'GROUP', id], [user])
/** A group is one of its name, and of its external id. */
export const groupNameKey = (tenant: TenantId, kind: 'NAME' | 'EXTERNAL', text: string) =>
  key(['T', tenant, 'GROUPS'], [kind, encodeURIComponent(text)])

/** A bulk change of people: what it is, whom it concerns in chunks, and what became of each. */
export const bulkKey = (tenant: TenantId, id: BulkId) => key(['T', tenant, 'BULK', id], ['BULK'])
export const bulkChunkKey = (tenant: TenantId, id: BulkId, chunk: number) =>
  key(['T', tenant, 'BULK', id], ['CHUNK', String(chunk).padStart(6, '0')])
export const BULK_ROW_PREFIX = 'ROW#'
export const bulkRowKey = (tenant: TenantId, id: BulkId, user: UserId) =>
  key(['T', tenant, 'BULK', id], ['ROW', user])

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

/** What becomes of a person's seats of a product that it does not seem to need lies with the person. */
export const RECLAIM_PREFIX = 'RECLAIM#'
export const reclaimCaseKey = (tenant: TenantId, id: UserId, product: ProductId) =>
  key(['T', tenant, 'USER', id], ['RECLAIM', product])
/** What a person asked for lies with it, too. */
export const seatRequestKey = (tenant: TenantId, id: UserId, product: ProductId, module: string) =>
  key(['T', tenant, 'USER', id], ['REQUEST', product, module])
export const reclaimRulesKey = (tenant: TenantId) => key(['T', tenant], ['RECLAIM-RULES'])
/** Seats that were reclaimed, by month, product and metric. */
export const reclaimedOfTenant = (tenant: TenantId) => `T#${part(tenant)}#RECLAIMED`
export const reclaimedKey = (tenant: TenantId, month: string, product: ProductId, metric: string) =>
  key(['T', tenant, 'RECLAIMED'], [month, product, metric])
/** What somebody is told, by an id that says whom and of what occasion. What the vendor's staff is told is the vendor's. */
export const noticesOf = (tenant: TenantId | undefined) =>
  tenant ? `T#${part(tenant)}#NOTICES` : 'VENDOR#NOTICES'
export const noticeKey = (tenant: TenantId | undefined, id: string): Key => ({
  pk: noticesOf(tenant),
  sk: part(id),
})
export const noticeSettingsKey = (tenant: TenantId | undefined) =>
  key(tenant ? ['T', tenant] : ['VENDOR'], ['NOTICE-SETTINGS'])
/** Addresses that mail goes to and that said something of it, or that it does not reach. */
export const mailAddressesKey = (tenant: TenantId | undefined) =>
  tenant ? `T#${part(tenant)}#MAIL-ADDRESSES` : 'VENDOR#MAIL-ADDRESSES'
export const mailAddressKey = (tenant: TenantId | undefined, email: string): Key => ({
  pk: mailAddressesKey(tenant),
  sk: encodeURIComponent(email),
})
/** What is to be sent to one address lies together, with the sending that is under way. */
export const outboxOf = (tenant: TenantId | undefined, box: string) =>
  tenant ? `T#${part(tenant)}#OUTBOX#${part(box)}` : `VENDOR#OUTBOX#${part(box)}`
export const OUTBOX_PREFIX = 'NOTICE#'
export const outboxKey = (
  tenant: TenantId | undefined,
  box: string,
  since: Instant,
  notice: string,
): Key => ({
  pk: outboxOf(tenant, box),
  sk: ['NOTICE', part(since), part(notice)].join('#'),
})
export const sendingKey = (tenant: TenantId | undefined, box: string): Key => ({
  pk: outboxOf(tenant, box),
  sk: 'SENDING',
})
/** That something becomes due, by kind and whose it is. */
export const timerKey = (kind: string, subject: readonly string[]) =>
  key(['TIMER', kind, ...subject], ['TIMER'])

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

/** How often a tenant's licenses are validated, and what came of it last. */
export const validationKey = (tenant: TenantId) => key(['T', tenant], ['VALIDATION'])
/** What was last told of the use of a tenant's pools. */
export const capacityLevelsKey = (tenant: TenantId) => key(['T', tenant], ['CAPACITY-LEVELS'])
/** When all that a tenant has was last held against what was signed and recorded. */
export const integrityKey = (tenant: TenantId) => key(['T', tenant], ['INTEGRITY'])
/** What was found then, or at use. */
export const integrityEventsKey = (tenant: TenantId) => `T#${part(tenant)}#INTEGRITY`
export const integrityEventKey = (tenant: TenantId, id: FindingId): Key => ({
  pk: integrityEventsKey(tenant),
  sk: part(id),
})
/** What was recorded last of each of a tenant's licenses: read together. */
export const licenseRecordsKey = (tenant: TenantId) => `T#${part(tenant)}#RECORDED`
export const licenseRecordKey = (tenant: TenantId, id: LicenseId): Key => ({
  pk: licenseRecordsKey(tenant),
  sk: part(id),
})

/** Where licenses of a tenant were used outside of what they cover, by license and visitor, as callers name them. */
export const visitsOfTenant = (tenant: TenantId) => `T#${part(tenant)}#PLACES`
export const visitsKey = (tenant: TenantId, license: LicenseId, visitor: Visitor) =>
  key(['T', tenant, 'PLACES'], [license, visitor.type, encodeURIComponent(visitor.id)])

export const licenseAddressKey = (id: LicenseId) => key(['LICENSE', id], ['ADDRESS'])
export const keyAddressKey = (hash: string) => key(['KEY', hash], ['ADDRESS'])
export const referenceKey = (reference: string) =>
  key(['REFERENCE', encodeURIComponent(reference)], ['ADDRESS'])

export const transferKey = (id: TransferId) => key(['TRANSFER', id], ['TRANSFER'])
/** The one transfer of a license that is open. */
export const openTransferKey = (id: LicenseId) => key(['LICENSE', id], ['TRANSFER'])
/** The transfers that a tenant is a side of: they are found here by their ids. */
export const transfersKey = (tenant: TenantId) => `T#${part(tenant)}#TRANSFERS`
export const tenantTransferKey = (tenant: TenantId, id: TransferId): Key => ({
  pk: transfersKey(tenant),
  sk: part(id),
})

/** Partition of a tenant's events, or of the vendor's own. */
export const eventLog = (tenant: TenantId | undefined) =>
  tenant ? `T#${part(tenant)}#EVENTS` : 'VENDOR#EVENTS'
export const eventKey = (tenant: TenantId | undefined, id: EventId): Key => ({
  pk: eventLog(tenant),
  sk: part(id),
})
/** Partition of a log: a tenant's audit log, the vendor's own, or the one of all their checkpoints. */
export const auditLogOf = (log: LogName) =>
  log === 'vendor' ? 'VENDOR#AUDIT' : log === 'checkpoints' ? 'CHECKPOINTS#AUDIT' : `T#${part(log)}#AUDIT`
/** Numbers of leaves and sizes of logs, in an order that is that of their texts: all below 2^53 have 16 digits. */
const ordinal = (number: number) => String(number).padStart(16, '0')
const inLog = (log: LogName, ...sk: readonly string[]): Key => ({
  pk: auditLogOf(log),
  sk: sk.map(part).join('#'),
})
/** How large a log is, and what its tree comes to. */
export const auditHeadKey = (log: LogName) => inLog(log, 'HEAD')
export const AUDIT_LEAF_PREFIX = 'LEAF#'
export const auditLeafKey = (log: LogName, index: number) => inLog(log, 'LEAF', ordinal(index))
/** Where in a log something is, by its name: the id of an event, or the origin and size of a checkpoint. */
export const AUDIT_PLACE_PREFIX = 'PLACE#'
export const auditPlaceKey = (log: LogName, name: string) => inLog(log, 'PLACE', encodeURIComponent(name))
export const AUDIT_TILE_PREFIX = 'TILE#'
export const auditTileKey = (log: LogName, level: number, index: number) =>
  inLog(log, 'TILE', String(level).padStart(2, '0'), ordinal(index))
/** The last checkpoint that was signed, and all of them. */
export const auditSignedKey = (log: LogName) => inLog(log, 'SIGNED')
export const AUDIT_CHECKPOINT_PREFIX = 'CHECKPOINT#'
/** How far a log was held against all that. Not in its partition, which who checks it may not write. */
export const auditCheckKey = (log: LogName) => key(['LOG-CHECKS', log], ['CHECKED'])
export const auditCheckpointKey = (log: LogName, size: number) => inLog(log, 'CHECKPOINT', ordinal(size))
/** Checkpoints that are not yet in the log of all of them. */
export const AUDIT_UNANCHORED = 'CHECKPOINTS#UNANCHORED'
export const auditUnanchoredKey = (log: LogName, size: number): Key => ({
  pk: AUDIT_UNANCHORED,
  sk: `${part(log)}#${ordinal(size)}`,
})
export const usageRecordKey = (tenant: TenantId, id: string) =>
  key(['T', tenant, 'USAGE-RECORDS'], [encodeURIComponent(id)])
/** A shard of a counter of high rate has partitions of its own: for what it has in hand, and for its series. */
export const usageBlockKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  shard: number,
  from: Instant | undefined,
) => key(['T', tenant, 'USAGE-BLOCKS', product, metric, String(shard)], [from ?? 'ALL'])
export const usageDayKey = (
  tenant: TenantId,
  product: ProductId,
  metric: string,
  shard: number,
  day: Instant,
) => key(['T', tenant, 'USAGE-DAYS', product, metric, String(shard)], [day])
export const usageCorrectionKey = (tenant: TenantId, product: ProductId, id: string) =>
  key(['T', tenant, 'USAGE-CORRECTIONS', product], [encodeURIComponent(id)])
export const replyKey = (subject: string, idempotencyKey: string) =>
  key(['REPLY', encodeURIComponent(subject)], [encodeURIComponent(idempotencyKey)])

const ownerOf = (owner: WebhookOwner) => (owner === 'vendor' ? ['VENDOR'] : ['T', owner])
/** An owner's endpoints, each with how it is, are read together. */
export const webhooksOf = (owner: WebhookOwner) => [...ownerOf(owner), 'WEBHOOKS'].map(part).join('#')
export const webhookKey = (owner: WebhookOwner, id: WebhookId) =>
  key([...ownerOf(owner), 'WEBHOOKS'], ['ENDPOINT', id])
export const webhookHealthKey = (owner: WebhookOwner, id: WebhookId) =>
  key([...ownerOf(owner), 'WEBHOOKS'], ['HEALTH', id])
export const webhookCountKey = (owner: WebhookOwner) => key([...ownerOf(owner), 'WEBHOOKS'], ['COUNT'])
/** Deliveries to an endpoint by their event: the order of time. */
export const deliveriesOf = (owner: WebhookOwner, id: WebhookId) =>
  [...ownerOf(owner), 'WEBHOOK', id, 'DELIVERIES'].map(part).join('#')
export const deliveryKey = (owner: WebhookOwner, id: WebhookId, event: EventId) =>
  key([...ownerOf(owner), 'WEBHOOK', id, 'DELIVERIES'], [event])
/** Those that wait, by when they are due. */
export const dueDeliveriesOf = (owner: WebhookOwner, id: WebhookId) =>
  [...ownerOf(owner), 'WEBHOOK', id, 'DUE'].map(part).join('#')
export const attemptsOf = (owner: WebhookOwner, id: WebhookId) =>
  [...ownerOf(owner), 'WEBHOOK', id, 'ATTEMPTS'].map(part).join('#')
export const attemptKey = (owner: WebhookOwner, id: WebhookId, event: EventId, number: number) =>
  key([...ownerOf(owner), 'WEBHOOK', id, 'ATTEMPTS'], [event, String(number).padStart(4, '0')])

export const countKey = (subject: string, window: string) =>
  key(['COUNT', encodeURIComponent(subject)], [window])
export const runKey = (job: string, scheduledAt: Instant) => key(['JOB', job], [scheduledAt])
/** When each job was last brought to its end: read together. */
export const LAST_SUCCESSES = 'JOBS#LAST-SUCCESS'
export const lastSuccessKey = (job: string) => key(['JOBS', 'LAST-SUCCESS'], [job])

export const ownedByTenant = (tenant: TenantId, what: 'LICENSES' | 'TOKENS' | 'USERS' | 'BULKS') =>
  `T#${part(tenant)}#${what}`
/** People with a role, and people with a seat of a pool. */
export const ownedByRole = (tenant: TenantId, role: string) => `T#${part(tenant)}#ROLE#${part(role)}`
export const ownedByPool = (tenant: TenantId, product: ProductId, metric: string) =>
  ['T', tenant, 'SEATS', product, metric].map(part).join('#')
/** Cases of reclamation by what became of them and when. */
export const reclaimCasesOf = (tenant: TenantId) => `T#${part(tenant)}#RECLAIM-CASES`
/** Requests for seats by what became of them and when they were made. */
export const seatRequestsOf = (tenant: TenantId) => `T#${part(tenant)}#SEAT-REQUESTS`
/** Timers of a kind by when they are due, in shards. */
export const timersOf = (kind: string, shard: number) => `TIMERS#${part(kind)}#${shard}`
/** A tenant's people by when they were last seen. */
export const activityOf = (tenant: TenantId) => `T#${part(tenant)}#ACTIVITY`
export const ownedByProduct = (product: ProductId, what: 'PLANS') => `PRODUCT#${part(product)}#${what}`
export const KIND = {
  products: 'PRODUCTS',
  plans: 'PLANS',
  tenants: 'TENANTS',
  licenses: 'LICENSES',
  transfers: 'TRANSFERS',
  tokens: 'TOKENS',
  /** Pools of seats that somebody waits for. */
  seatQueues: 'SEAT-QUEUES',
  /** Bulk changes that are under way. */
  bulks: 'BULKS',
  /** Timers whose work failed too often. */
  setAsideTimers: 'SET-ASIDE-TIMERS',
  /** Groups whose change has not reached everybody in them. */
  spreadingGroups: 'SPREADING-GROUPS',
} as const
