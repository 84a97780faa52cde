import { eventTypeNames, eventTypes } from '../../shared/domain/event-types.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { TenantId, WebhookId } from '../../shared/platform/ids.ts'
import type { Endpoint } from '../../shared/store/webhook-delivery.ts'
import { getDelivery, listDeliveries, replayDeliveries, replayDelivery } from './deliveries.ts'
import {
  createWebhook,
  deleteWebhook,
  editWebhook,
  getWebhook,
  listWebhooks,
  pingWebhook,
  revealSecret,
  rotateSecret,
} from './endpoints.ts'
import type { webhooksRoutes } from './routes.ts'
import type { WebhookServices } from './services.ts'

/** The endpoints of tenants and of the vendor are alike: what differs is whose they are. */
export const webhooksHandlers: Handlers<typeof webhooksRoutes, WebhookServices> = {
  createWebhook: (call, services) => createWebhook(call, call.params.tenantId, services),
  listWebhooks: (call, services) => listWebhooks(call, call.params.tenantId, services),
  getWebhook: (call, services) => getWebhook(call, tenants(call), services),
  editWebhook: (call, services) => editWebhook(call, tenants(call), services),
  deleteWebhook: (call, services) => deleteWebhook(call, tenants(call), services),
  rotateWebhookSecret: (call, services) => rotateSecret(call, tenants(call), services),
  revealWebhookSecret: (call, services) => revealSecret(call, tenants(call), services),
  testWebhook: (call, services) => pingWebhook(call, tenants(call), services),
  listWebhookDeliveries: (call, services) => listDeliveries(call, tenants(call), services),
  getWebhookDelivery: (call, services) => getDelivery(call, tenants(call), services),
  replayWebhookDelivery: (call, services) => replayDelivery(call, tenants(call), services),
  replayWebhookDeliveries: (call, services) => replayDeliveries(call, tenants(call), services),

  createVendorWebhook: (call, services) => createWebhook(call, 'vendor', services),
  listVendorWebhooks: (call, services) => listWebhooks(call, 'vendor', services),
  getVendorWebhook: (call, services) => getWebhook(call, vendors(call), services),
  editVendorWebhook: (call, services) => editWebhook(call, vendors(call), services),
  deleteVendorWebhook: (call, services) => deleteWebhook(call, vendors(call), services),
  rotateVendorWebhookSecret: (call, services) => rotateSecret(call, vendors(call), services),
  revealVendorWebhookSecret: (call, services) => revealSecret(call, vendors(call), services),
  testVendorWebhook: (call, services) => pingWebhook(call, vendors(call), services),
  listVendorWebhookDeliveries: (call, services) => listDeliveries(call, vendors(call), services),
  getVendorWebhookDelivery: (call, services) => getDelivery(call, vendors(call), services),
  replayVendorWebhookDelivery: (call, services) => replayDelivery(call, vendors(call), services),
  replayVendorWebhookDeliveries: (call, services) => replayDeliveries(call, vendors(call), services),

  async listEventTypes() {
    return { items: eventTypeNames.map((type) => ({ type, meaning: eventTypes[type] })) }
  },
}

const tenants = ({ params }: { params: { tenantId: TenantId; webhookId: WebhookId } }): Endpoint => ({
  owner: params.tenantId,
  id: params.webhookId,
})
const vendors = ({ params }: { params: { vendorWebhookId: WebhookId } }): Endpoint => ({
  owner: 'vendor',
  id: params.vendorWebhookId,
})
