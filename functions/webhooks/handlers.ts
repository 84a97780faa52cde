import { eventTypeNames, eventTypes } from '../../shared/domain/event-types.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
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
  getWebhook: (call, services) => getWebhook(call, call.params.tenantId, services),
  editWebhook: (call, services) => editWebhook(call, call.params.tenantId, services),
  deleteWebhook: (call, services) => deleteWebhook(call, call.params.tenantId, services),
  rotateWebhookSecret: (call, services) => rotateSecret(call, call.params.tenantId, services),
  revealWebhookSecret: (call, services) => revealSecret(call, call.params.tenantId, services),
  testWebhook: (call, services) => pingWebhook(call, call.params.tenantId, services),
  listWebhookDeliveries: (call, services) => listDeliveries(call, call.params.tenantId, services),
  getWebhookDelivery: (call, services) => getDelivery(call, call.params.tenantId, services),
  replayWebhookDelivery: (call, services) => replayDelivery(call, call.params.tenantId, services),
  replayWebhookDeliveries: (call, services) => replayDeliveries(call, call.params.tenantId, services),

  createVendorWebhook: (call, services) => createWebhook(call, 'vendor', services),
  listVendorWebhooks: (call, services) => listWebhooks(call, 'vendor', services),
  getVendorWebhook: (call, services) => getWebhook(call, 'vendor', services),
  editVendorWebhook: (call, services) => editWebhook(call, 'vendor', services),
  deleteVendorWebhook: (call, services) => deleteWebhook(call, 'vendor', services),
  rotateVendorWebhookSecret: (call, services) => rotateSecret(call, 'vendor', services),
  revealVendorWebhookSecret: (call, services) => revealSecret(call, 'vendor', services),
  testVendorWebhook: (call, services) => pingWebhook(call, 'vendor', services),
  listVendorWebhookDeliveries: (call, services) => listDeliveries(call, 'vendor', services),
  getVendorWebhookDelivery: (call, services) => getDelivery(call, 'vendor', services),
  replayVendorWebhookDelivery: (call, services) => replayDelivery(call, 'vendor', services),
  replayVendorWebhookDeliveries: (call, services) => replayDeliveries(call, 'vendor', services),

  async listEventTypes() {
    return { items: eventTypeNames.map((type) => ({ type, meaning: eventTypes[type] })) }
  },
}
