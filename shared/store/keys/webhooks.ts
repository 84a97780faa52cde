import type { WebhookOwner } from '../../domain/webhook.ts'
import type { EventId, WebhookId } from '../../platform/ids.ts'
import { key, part } from './key.ts'

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
