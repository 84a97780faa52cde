import { MOST_ORGANIZATIONS } from '../../shared/domain/organization.ts'
import { MOST_WEBHOOKS } from '../../shared/domain/webhook.ts'
import {
  newGroupId,
  newOrganizationId,
  newTenantId,
  OrganizationId,
  TenantId,
  WebhookId,
} from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { groupItem } from '../../shared/store/group.ts'
import { webhookCountKey, webhookKey } from '../../shared/store/keys.ts'
import { organizationItem } from '../../shared/store/organization.ts'
import { fileTimer } from '../../shared/store/timer.ts'
import { writeRow } from '../../shared/store/write.ts'
import { expected } from '../support/scenario.ts'
import { archived } from './archived.ts'
import type { World } from './calls.ts'
import { licenseRefusals } from './license-refusals.ts'
import { named, type Sent, send } from './requests.ts'
import { fill, type Refused, type Spoil, set, tenantOf, withBody } from './spoil.ts'

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
export const refusals: readonly Refused[] = [
  ...archived,
  ...licenseRefusals,
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
  ['correctUsage', 'NOT_FOUND', withBody({ tenantId: newTenantId(readClock()) })],
  ['editSeatPolicy', 'NOT_FOUND', (_, sent) => ({ ...sent, params: { tenantId: newTenantId(readClock()) } })],
  ['reserveSeats', 'SEATS_EXHAUSTED', withBody({ seats: 1_000 })],
  [
    'refuseSeatRequest',
    'SEAT_REQUEST_OVER',
    async ({ api }, sent) => {
      const [, operation] = named.find(([id]) => id === 'refuseSeatRequest') ?? []
      if (operation === undefined) throw new Error('there is no such operation')
      expected(operation.success.status, await send(api, operation, sent))
      return sent
    },
  ],
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
