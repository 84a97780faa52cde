import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { operations } from '../../functions/routes.ts'
import { MOST_ORGANIZATIONS } from '../../shared/domain/organization.ts'
import type { RefusalCode } from '../../shared/domain/refusal.ts'
import { MOST_WEBHOOKS } from '../../shared/domain/webhook.ts'
import {
  newGroupId,
  newOrganizationId,
  OrganizationId,
  PlanId,
  ProductId,
  TenantId,
  TransferId,
  WebhookId,
} from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import type { Item } from '../../shared/store/codec.ts'
import { groupItem } from '../../shared/store/group.ts'
import {
  type Key,
  organizationKey,
  planKey,
  productKey,
  tenantKey,
  webhookCountKey,
  webhookKey,
} from '../../shared/store/keys.ts'
import { organizationItem } from '../../shared/store/organization.ts'
import { fileTimer } from '../../shared/store/timer.ts'
import { putOnce, TRANSACTION_LIMIT, transact } from '../../shared/store/transact.ts'
import { readTransfer } from '../../shared/store/transfer.ts'
import { writeRow } from '../../shared/store/write.ts'
import { createTenant } from '../support/resources.ts'
import { expected } from '../support/scenario.ts'
import type { World } from './calls.ts'
import type { Sent } from './requests.ts'

/** Makes of a world, and of a request that would succeed in it, those in which it is refused. */
type Spoil = (world: World, sent: Sent) => Promise<Sent> | Sent

const withBody =
  (fields: object): Spoil =>
  (_, sent) => ({ ...sent, body: { ...Object(sent.body), ...fields } })

const tenantOf = ({ tenancy }: World, { params }: Sent) =>
  TenantId.parse(params?.['tenantId'] ?? tenancy.known.tenantId)

/** Changes fields of one row behind the API. */
async function set(
  { api: { table } }: World,
  key: Key,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  const names = Object.keys(fields)
  await table.client.send(
    new UpdateCommand({
      TableName: table.name,
      Key: key,
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`)}`,
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, fields[name]])),
    }),
  )
}

/** Puts so many rows into the table. */
async function fill({ api: { table } }: World, count: number, itemOf: () => Item): Promise<void> {
  const items = Array.from({ length: count }, itemOf)
  for (let from = 0; from < items.length; from += TRANSACTION_LIMIT) {
    const some = items.slice(from, from + TRANSACTION_LIMIT)
    await transact(table, Object.fromEntries(some.map((item, index) => [index, putOnce(item)])))
  }
}

const archive =
  (keyOf: (world: World, sent: Sent) => Key): Spoil =>
  async (world, sent) => {
    await set(world, keyOf(world, sent), { archivedAt: readClock() })
    return sent
  }

const product = archive(({ tenancy }) => productKey(ProductId.parse(tenancy.known.productId)))
const plan = archive(({ tenancy }) => planKey(PlanId.parse(tenancy.known.planId)))
const organization = archive((world, sent) =>
  organizationKey(
    tenantOf(world, sent),
    OrganizationId.parse(sent.params?.['organizationId'] ?? world.tenancy.known.organizationId),
  ),
)

/** What has to be archived for an operation to be refused; the tenant unless said otherwise. */
const ARCHIVED: Readonly<Record<string, Spoil>> = {
  editProduct: product,
  archiveProduct: product,
  createPlan: product,
  editPlan: plan,
  archivePlan: plan,
  publishRelease: product,
  editOrganization: organization,
  archiveOrganization: organization,
  reserveSeats: organization,
  // Vendor staff names who is to have it.
  async requestTransfer(world, sent) {
    const { id } = await createTenant(world.api)
    await set(world, tenantKey(id), { archivedAt: readClock() })
    return { ...sent, body: { receiver: id } }
  },
  async approveTransfer(world, sent) {
    const transfer = await readTransfer(world.api.table, TransferId.parse(sent.params?.['transferId']))
    if (transfer?.receiving === undefined) throw new Error('nobody has taken it up')
    await set(world, tenantKey(transfer.receiving.tenantId), { archivedAt: readClock() })
    return sent
  },
  // Into the one that is archived.
  async editUser(world, sent) {
    const organizationId = OrganizationId.parse(world.tenancy.known.parentId)
    await set(world, organizationKey(tenantOf(world, sent), organizationId), { archivedAt: readClock() })
    return { ...sent, body: { organizationId } }
  },
}

/** Another person and another group of the directory, whose names are taken. */
async function twins(world: World, sent: Sent): Promise<void> {
  for (const [path, body] of [
    ['/scim/v2/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'taken' }],
    ['/scim/v2/Groups', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'taken' }],
  ] as const)
    expected(201, await world.api.call('POST', path, { token: sent.token, body }))
}

const patchTo = (path: string) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [{ op: 'replace', path, value: 'taken' }],
})

const twinned =
  (body: object): Spoil =>
  async (world, sent) => {
    await twins(world, sent)
    return { ...sent, body: { ...Object(sent.body), ...body } }
  }

const disabled: Spoil = async (world, sent) => {
  const { tenantId, webhookId, vendorWebhookId } = { ...world.tenancy.known, ...sent.params }
  const key =
    sent.params?.['vendorWebhookId'] === undefined
      ? webhookKey(TenantId.parse(tenantId), WebhookId.parse(webhookId))
      : webhookKey('vendor', WebhookId.parse(vendorWebhookId))
  await set(world, key, { disabled: { because: 'owner', at: readClock() } })
  return sent
}

/** One level below another, as deep as they may be. */
async function deep(world: World, sent: Sent): Promise<Sent> {
  const path = `/v1/tenants/${tenantOf(world, sent)}/organizations`
  let parentId = world.tenancy.known.parentId
  for (;;) {
    const answer = await world.api.call('POST', path, {
      token: sent.token,
      body: { name: 'Below', parentId },
    })
    if (answer.status >= 400) return { ...sent, body: { name: 'Below', parentId } }
    parentId = OrganizationId.parse(Object(answer.body).id)
  }
}

const nowhere = withBody({ product: 'nowhere' })
const forbiddenUrl = withBody({ url: 'http://192.0.2.1/' })

/** Requests that are refused, each for a reason of the operation's own. */
export const refusals: readonly (readonly [operationId: string, code: RefusalCode, spoil: Spoil])[] = [
  ...operations
    .filter(({ errors }) => errors.includes('ARCHIVED'))
    .map(
      ({ operationId }) =>
        [
          operationId,
          'ARCHIVED',
          ARCHIVED[operationId] ?? archive((world, sent) => tenantKey(tenantOf(world, sent))),
        ] as const,
    ),
  ['createOrganization', 'ORGANIZATION_MISPLACED', deep],
  [
    'createOrganization',
    'IN_USE',
    async (world, sent) => {
      const [now, tenantId] = [readClock(), tenantOf(world, sent)]
      await fill(world, MOST_ORGANIZATIONS, () =>
        organizationItem({ id: newOrganizationId(now), tenantId, name: 'x', createdAt: now, revision: 1 }),
      )
      return sent
    },
  ],
  [
    'createScimGroup',
    'IN_USE',
    async (world, sent) => {
      const [now, tenantId] = [readClock(), tenantOf(world, sent)]
      await fill(world, 1_000, () =>
        groupItem({ id: newGroupId(now), tenantId, displayName: 'x', createdAt: now, revision: 1, given: 1 }),
      )
      return sent
    },
  ],
  ['replaceScimUser', 'PERSON_EXISTS', twinned({ userName: 'taken' })],
  ['patchScimUser', 'PERSON_EXISTS', twinned(patchTo('userName'))],
  ['replaceScimGroup', 'GROUP_EXISTS', twinned({ displayName: 'taken' })],
  ['patchScimGroup', 'GROUP_EXISTS', twinned(patchTo('displayName'))],
  [
    'editUser',
    'PERSON_EXISTS',
    async (world, sent) => {
      const [path, body] = [
        `/v1/tenants/${tenantOf(world, sent)}/users`,
        { name: 'x', email: 'taken@example.test' },
      ]
      expected(201, await world.api.call('POST', path, { token: sent.token, body }))
      return { ...sent, body: { email: body.email } }
    },
  ],
  ['activateMachine', 'NOT_FOUND', nowhere],
  [
    'activateOffline',
    'NOT_FOUND',
    (_, sent) => ({ ...sent, body: { request: { ...Object(sent.body).request, product: 'nowhere' } } }),
  ],
  ['previewReclamation', 'INVALID_CURSOR', withBody({ cursor: 'nonsense' })],
  [
    'createVendorWebhook',
    'WEBHOOKS_EXHAUSTED',
    async (world, sent) => {
      await set(world, webhookCountKey('vendor'), { endpoints: MOST_WEBHOOKS })
      return sent
    },
  ],
  ['editVendorWebhook', 'WEBHOOK_URL_REFUSED', forbiddenUrl],
  ['replayWebhookDelivery', 'WEBHOOK_DISABLED', disabled],
  ['replayVendorWebhookDelivery', 'WEBHOOK_DISABLED', disabled],
  ['replayVendorWebhookDeliveries', 'WEBHOOK_DISABLED', disabled],
  [
    'discardSetAside',
    'NOT_SET_ASIDE',
    async ({ api }, sent) => {
      const timer = { kind: 'seat-reclaim-review', subject: ['somebody'], dueAt: readClock() }
      await writeRow(api.table, fileTimer(timer))
      return sent
    },
  ],
]
