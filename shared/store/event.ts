import { Event } from '../domain/event.ts'
import { entity, type Item } from './codec.ts'
import { eventKey } from './keys.ts'

export const eventEntity = entity('event', 1, Event)
export const eventItem = (event: Event): Item => eventEntity.encode(eventKey(event.tenantId, event.id), event)
