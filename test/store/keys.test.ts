import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProductId, TenantId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'
import * as keys from '../../shared/store/keys.ts'
import { IDS, INSTANTS } from './sample-ids.ts'

const { tenants, products, plans, licenses, tokens, events, activations } = IDS
const { organizations, users, transfers, bulks, findings, webhooks, groups } = IDS
const instants = INSTANTS
/** Tenants, and the vendor itself. */
const owners = [...tenants, undefined]
const webhookOwners = [...tenants, 'vendor'] as const
const LOGS = [...tenants, 'vendor', 'checkpoints'] as const
const NUMBERS = [0, 9, 10]
/** Words that stand in keys, and texts that look like parts of others. */
const CODES = ['users', 'TENANT', 'LICENSE', 'USAGE', 'H', 'EVENTS', 'a.b', 'a_b']
/** Of an identity provider: its name is part of who asks. */
const ISSUER = `https://login.example.test/${'realm/'.repeat(20)}`
const TEXTS = [...CODES, '', 'a', 'a#b', 'a%23b', 'a#', '#', 'a b', 'ü', 'ADDRESS', ...tenants, ...licenses]

const each = <A>(as: readonly A[], make: (a: A) => keys.Key) => as.map(make)
const each2 = <A, B>(as: readonly A[], bs: readonly B[], make: (a: A, b: B) => keys.Key) =>
  as.flatMap((a) => bs.map((b) => make(a, b)))
/** For what lies under a tenant's product. */
const own = <C>(cs: readonly C[], make: (tenant: TenantId, product: ProductId, c: C) => keys.Key) =>
  tenants.flatMap((tenant) => each2(products, cs, (product, c) => make(tenant, product, c)))
const own2 = <C, D>(
  cs: readonly C[],
  ds: readonly D[],
  make: (tenant: TenantId, product: ProductId, c: C, d: D) => keys.Key,
) =>
  tenants.flatMap((tenant) =>
    products.flatMap((product) => each2(cs, ds, (c, d) => make(tenant, product, c, d))),
  )

/** The keys of every kind of item, for all that is above. */
const ITEM_KEYS = {
  productKey: each(products, keys.productKey),
  productCodeKey: each(TEXTS, keys.productCodeKey),
  releaseKey: each2(products, TEXTS, keys.releaseKey),
  planKey: each(plans, keys.planKey),
  tokenKey: each(tokens, keys.tokenKey),
  tenantKey: each(tenants, keys.tenantKey),
  transferKey: each(transfers, keys.transferKey),
  openTransferKey: each(licenses, keys.openTransferKey),
  tenantTransferKey: each2(tenants, transfers, keys.tenantTransferKey),
  tenantFenceKey: each(tenants, keys.tenantFenceKey),
  customerKey: each(TEXTS, keys.customerKey),
  licenseKey: own(licenses, keys.licenseKey),
  usageKey: own2(CODES, [...instants, undefined], keys.usageKey),
  poolKey: own(CODES, keys.poolKey),
  pageKey: own2(CODES, [0, 7], keys.pageKey),
  ticketKey: own2(CODES, CODES, (tenant, product, metric, order) =>
    keys.ticketKey(tenant, product, metric, order, 'ref'),
  ),
  heldTicketKey: own2(CODES, CODES, keys.heldTicketKey),
  leaseDenialKey: own2(CODES, ['2026-01-01T00:00', '2026-01-01T00:01'], (tenant, product, metric, minute) =>
    keys.leaseDenialKey(tenant, product, metric, minute, 'user a#b'),
  ),
  leaseDetailKey: own2(CODES, CODES, keys.leaseDetailKey),
  poolSharesKey: own(CODES, keys.poolSharesKey),
  borrowingKey: own2(CODES, CODES, keys.borrowingKey),
  leaseUseKey: own2(CODES, instants, (tenant, product, metric, from) =>
    keys.leaseUseKey(tenant, product, metric, from, 'ref'),
  ),
  activationKey: each2(tenants, activations, keys.activationKey),
  fingerprintKey: own2(CODES, CODES, keys.fingerprintKey),
  licenseAddressKey: each(licenses, keys.licenseAddressKey),
  keyAddressKey: each(CODES, keys.keyAddressKey),
  referenceKey: each(TEXTS, keys.referenceKey),
  eventKey: each2([...tenants, undefined], events, keys.eventKey),
  auditHeadKey: each(LOGS, keys.auditHeadKey),
  auditLeafKey: each2(LOGS, NUMBERS, keys.auditLeafKey),
  auditPlaceKey: each2(LOGS, events, keys.auditPlaceKey),
  auditTileKey: LOGS.flatMap((log) =>
    each2(NUMBERS, NUMBERS, (level, index) => keys.auditTileKey(log, level, index)),
  ),
  auditSignedKey: each(LOGS, keys.auditSignedKey),
  auditCheckKey: each(LOGS, keys.auditCheckKey),
  auditCheckpointKey: each2(LOGS, NUMBERS, keys.auditCheckpointKey),
  auditUnanchoredKey: each2(LOGS, NUMBERS, keys.auditUnanchoredKey),
  usageRecordKey: each2(tenants, TEXTS, keys.usageRecordKey),
  usageBlockKey: [0, 1].flatMap((shard) =>
    own2(CODES, [...instants, undefined], (tenant, product, metric, from) =>
      keys.usageBlockKey(tenant, product, metric, shard, from),
    ),
  ),
  usageDayKey: [0, 1].flatMap((shard) =>
    own2(CODES, instants, (tenant, product, metric, day) =>
      keys.usageDayKey(tenant, product, metric, shard, day),
    ),
  ),
  usageCorrectionKey: own(TEXTS, keys.usageCorrectionKey),
  organizationKey: each2(tenants, organizations, keys.organizationKey),
  organizationTreeKey: each(tenants, keys.organizationTreeKey),
  userKey: each2(tenants, users, keys.userKey),
  seatKey: own2(users, CODES, (tenant, product, user, metric) => keys.seatKey(tenant, user, product, metric)),
  userRoleKey: tenants.flatMap((tenant) =>
    each2(users, CODES, (user, role) => keys.userRoleKey(tenant, user, role)),
  ),
  userEmailKey: each2(tenants, TEXTS, keys.userEmailKey),
  externalIdKey: each2(tenants, TEXTS, keys.externalIdKey),
  pendingSeatKey: (['QUEUE', 'BLOCKED'] as const).flatMap((line) =>
    own2(CODES, users, (tenant, product, metric, user) =>
      keys.pendingSeatKey(tenant, product, metric, line, instants[0], user),
    ),
  ),
  judgedPoolKey: own(CODES, keys.judgedPoolKey),
  managedSeatsKey: own(CODES, keys.managedSeatsKey),
  reservationKey: own2(CODES, organizations, keys.reservationKey),
  seatPolicyKey: each(tenants, keys.seatPolicyKey),
  userNameKey: each2(tenants, TEXTS, keys.userNameKey),
  groupKey: each2(tenants, groups, keys.groupKey),
  groupMemberKey: tenants.flatMap((tenant) =>
    each2(groups, users, (group, user) => keys.groupMemberKey(tenant, group, user)),
  ),
  groupNameKey: (['NAME', 'EXTERNAL'] as const).flatMap((kind) =>
    each2(tenants, TEXTS, (tenant, text) => keys.groupNameKey(tenant, kind, text)),
  ),
  reclaimCaseKey: own(users, (tenant, product, user) => keys.reclaimCaseKey(tenant, user, product)),
  reclaimRulesKey: each(tenants, keys.reclaimRulesKey),
  reclaimedKey: own2(['2026-01', '2026-02'], CODES, (tenant, product, month, metric) =>
    keys.reclaimedKey(tenant, month, product, metric),
  ),
  seatRequestKey: own2(users, CODES, (tenant, product, user, module) =>
    keys.seatRequestKey(tenant, user, product, module),
  ),
  noticeKey: each2(owners, CODES, keys.noticeKey),
  noticeSettingsKey: each(owners, keys.noticeSettingsKey),
  mailAddressKey: each2(owners, TEXTS, keys.mailAddressKey),
  outboxKey: owners.flatMap((owner) =>
    each2(CODES, CODES, (box, notice) => keys.outboxKey(owner, box, instants[0], notice)),
  ),
  sendingKey: each2(owners, CODES, keys.sendingKey),
  validationKey: each(tenants, keys.validationKey),
  capacityLevelsKey: each(tenants, keys.capacityLevelsKey),
  integrityKey: each(tenants, keys.integrityKey),
  integrityEventKey: each2(tenants, findings, keys.integrityEventKey),
  recordedRowKey: each2(tenants, organizations, (tenant, id) =>
    keys.recordedRowKey(tenant, 'organization', id),
  ),
  licenseRecordKey: each2(tenants, licenses, keys.licenseRecordKey),
  webhookKey: each2(webhookOwners, webhooks, keys.webhookKey),
  webhookHealthKey: each2(webhookOwners, webhooks, keys.webhookHealthKey),
  webhookCountKey: each(webhookOwners, keys.webhookCountKey),
  deliveryKey: webhookOwners.flatMap((owner) =>
    each2(webhooks, events, (webhook, event) => keys.deliveryKey(owner, webhook, event)),
  ),
  attemptKey: webhookOwners.flatMap((owner) =>
    webhooks.flatMap((webhook) =>
      each2(events, [1, 2, 10_000], (event, number) => keys.attemptKey(owner, webhook, event, number)),
    ),
  ),
  timerKey: each2(CODES, users, (kind, user) => keys.timerKey(kind, [user])),
  visitsKey: (['user', 'machine'] as const).flatMap((type) =>
    tenants.flatMap((tenant) =>
      each2(licenses, TEXTS, (license, id) => keys.visitsKey(tenant, license, { type, id })),
    ),
  ),
  bulkKey: each2(tenants, bulks, keys.bulkKey),
  bulkChunkKey: tenants.flatMap((tenant) =>
    each2(bulks, [0, 1], (bulk, chunk) => keys.bulkChunkKey(tenant, bulk, chunk)),
  ),
  bulkRowKey: tenants.flatMap((tenant) =>
    each2(bulks, users, (bulk, user) => keys.bulkRowKey(tenant, bulk, user)),
  ),
  seatCountKey: own2(CODES, [...organizations, '-'] as const, keys.seatCountKey),
  peopleCountKey: each2(tenants, [...organizations, '-'] as const, keys.peopleCountKey),
  replyKey: each2(TEXTS, TEXTS, keys.replyKey),
  countKey: each2(TEXTS, instants, keys.countKey),
  runKey: each2(CODES, instants, keys.runKey),
  lastSuccessKey: each(CODES, keys.lastSuccessKey),
}
/** What names a partition, or the beginning of a sort key, and no item. */
const PLACES = [
  'holdingsPrefix',
  'RELEASE_PREFIX',
  'poolsKey',
  'pagesKey',
  'queueKey',
  'leaseDenialsKey',
  'leaseUsesKey',
  'activationsKey',
  'transfersKey',
  'organizationsKey',
  'ORGANIZATION_PREFIX',
  'SEAT_PREFIX',
  'BULK_ROW_PREFIX',
  'pendingSeatsKey',
  'reservationsKey',
  'groupsKey',
  'GROUP_PREFIX',
  'groupMembersKey',
  'RECLAIM_PREFIX',
  'reclaimCasesOf',
  'reclaimedOfTenant',
  'seatRequestsOf',
  'webhooksOf',
  'deliveriesOf',
  'dueDeliveriesOf',
  'attemptsOf',
  'timersOf',
  'noticesOf',
  'mailAddressesKey',
  'outboxOf',
  'OUTBOX_PREFIX',
  'integrityEventsKey',
  'licenseRecordsKey',
  'visitsOfTenant',
  'seatCountsKey',
  'ownedByRole',
  'ownedByPool',
  'activityOf',
  'eventLog',
  'auditLogOf',
  'AUDIT_LEAF_PREFIX',
  'AUDIT_PLACE_PREFIX',
  'LICENSE_RECORD_PREFIX',
  'RECORDED_ROW_PREFIX',
  'AUDIT_TILE_PREFIX',
  'AUDIT_CHECKPOINT_PREFIX',
  'AUDIT_UNANCHORED',
  'LAST_SUCCESSES',
  'ownedByTenant',
  'ownedByProduct',
  'KIND',
]

const textOf = ({ pk, sk }: keys.Key) => `${pk}\n${sk}`

test('every key that keys.ts makes is looked at here', () => {
  expect(Object.keys(keys).toSorted()).toEqual([...Object.keys(ITEM_KEYS), ...PLACES].toSorted())
})

test('no two things share a key', () => {
  const owners = new Map<string, string>()
  for (const [kind, made] of Object.entries(ITEM_KEYS)) {
    for (const [index, key] of made.entries()) {
      const owner = owners.get(textOf(key))
      expect(owner, `${kind} ${index}: ${textOf(key)}`).toBeUndefined()
      owners.set(textOf(key), `${kind} ${index}`)
    }
  }
})

describe('a text that anybody chose', () => {
  const makers = {
    productCodeKey: keys.productCodeKey,
    customerKey: keys.customerKey,
    referenceKey: keys.referenceKey,
    userEmailKey: (text: string) => keys.userEmailKey(tenants[0], text),
    externalIdKey: (text: string) => keys.externalIdKey(tenants[0], text),
    userNameKey: (text: string) => keys.userNameKey(tenants[0], text),
    usageRecordKey: (text: string) => keys.usageRecordKey(tenants[0], text),
    usageCorrectionKey: (text: string) => keys.usageCorrectionKey(tenants[0], products[0], text),
    releaseKey: (text: string) => keys.releaseKey(products[0], text),
    'replyKey by key': (text: string) => keys.replyKey('tok', text),
    'replyKey by subject': (text: string) => keys.replyKey(text, 'key'),
    countKey: (text: string) => keys.countKey(text, 'window'),
    groupNameKey: (text: string) => keys.groupNameKey(tenants[0], 'NAME', text),
    leaseDenialKey: (text: string) =>
      keys.leaseDenialKey(
        tenants[0],
        products[0],
        'users',
        '2026-06-01T12:00',
        `process ${ISSUER}|sub ${text}`,
      ),
  }
  const text = fc.string({ unit: 'binary', maxLength: 100 })
  const near = fc.tuple(text, fc.constantFrom('', '#', '%23', '%', '/', ' ')).map(([a, b]) => a + b)

  test.each(Object.entries(makers))('%s: its own key, of as many parts as any other', (_, make) => {
    const parts = (key: keys.Key) => [key.pk.split('#').length, key.sk.split('#').length]
    const expected = parts(make('x'))
    fc.assert(
      fc.property(text, near, (one, other) => {
        expect(parts(make(one))).toEqual(expected)
        expect(textOf(make(one)) === textOf(make(other))).toBe(one === other)
      }),
    )
  })

  /** Characters that are let in, where that is not 100. A directory may ask for any text that a filter has room for. */
  const letIn: Readonly<Record<string, number>> = {
    groupNameKey: 200,
    userEmailKey: 1_000,
    externalIdKey: 1_000,
    userNameKey: 1_000,
  }
  // DynamoDB: at most 2,048 bytes in a partition key, 1,024 in a sort key. Characters of three bytes each.
  test.each(Object.entries(makers))(
    '%s: short enough for DynamoDB at the most that is let in',
    (name, make) => {
      const longest = name === 'replyKey by key' ? '%'.repeat(128) : '€'.repeat(letIn[name] ?? 100)
      const { pk, sk } = make(longest)
      expect(Buffer.byteLength(pk)).toBeLessThanOrEqual(2_048)
      expect(Buffer.byteLength(sk)).toBeLessThanOrEqual(1_024)
    },
  )
})

describe('a part with # in it', () => {
  const makers: Record<string, (text: string) => unknown> = {
    'usageKey, metric': (text) => keys.usageKey(tenants[0], products[0], text),
    'poolKey, metric': (text) => keys.poolKey(tenants[0], products[0], text),
    'keyAddressKey, hash': keys.keyAddressKey,
    'countKey, window': (text) => keys.countKey('subject', text),
    'runKey, job': (text) => keys.runKey(text, Instant.parse('2026-01-01T00:00:00Z')),
  }
  test.each(Object.entries(makers))('%s: is refused', (_, make) => {
    expect(() => make('a#b')).toThrow("must not contain '#'")
    expect(() => make('#')).toThrow(RangeError)
  })
})

describe('what a range reads', () => {
  test('of the holdings of a product are its licenses and usage, of no other product', () => {
    const [own, other] = products
    const prefix = keys.holdingsPrefix(own)
    const held = (product: ProductId) => [
      ...each(licenses, (license) => keys.licenseKey(tenants[0], product, license)),
      ...each(CODES, (metric) => keys.usageKey(tenants[0], product, metric)),
    ]
    expect(held(own).every(({ sk }) => sk.startsWith(prefix))).toBe(true)
    expect(held(other).some(({ sk }) => sk.startsWith(prefix))).toBe(false)
    expect(held(other).every(({ sk }) => sk.startsWith(keys.holdingsPrefix()))).toBe(true)
    expect(keys.tenantKey(tenants[0]).sk.startsWith(keys.holdingsPrefix())).toBe(false)
  })

  test('of one tenant is nothing of another, and nothing of the vendor', () => {
    const [own, other] = tenants
    const of = (tenant: TenantId | undefined) => [
      keys.eventLog(tenant),
      ...(tenant === undefined
        ? []
        : [
            keys.tenantKey(tenant).pk,
            keys.poolsKey(tenant, products[0]),
            keys.pagesKey(tenant, products[0], 'users'),
            keys.queueKey(tenant, products[0], 'users'),
            keys.leaseDenialsKey(tenant, products[0], 'users'),
            keys.activationsKey(tenant),
            keys.transfersKey(tenant),
            keys.usageRecordKey(tenant, 'x').pk,
            keys.ownedByTenant(tenant, 'LICENSES'),
            keys.ownedByTenant(tenant, 'TOKENS'),
          ]),
    ]
    const all = [...of(own), ...of(other), ...of(undefined), ...Object.values(keys.KIND)]
    expect(new Set(all).size).toBe(all.length)
  })
})
