import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { Event } from '../../../shared/domain/event.ts'
import { newEventId, newTenantId, type TenantId } from '../../../shared/platform/ids.ts'
import { type Instant, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { eventItem } from '../../../shared/store/event.ts'
import type { Table } from '../../../shared/store/transact.ts'
import type { Api } from '../../support/api.ts'

/** Events of a tenant as commits make them, one a millisecond. */
export function eventsOf(tenantId: TenantId, count: number, from: Instant = readClock()): Event[] {
  return Array.from({ length: count }, (_, index) => {
    const at = plusMilliseconds(from, index)
    return {
      id: newEventId(at),
      type: index % 2 === 0 ? ('seat.assigned' as const) : ('seat.revoked' as const),
      at,
      tenantId,
      actor: { kind: 'vendor' as const, subject: `tok_${index % 3}`, role: 'vendor:admin' },
      subject: { type: 'user', id: `user ${index}` },
      after: { number: index, text: 'größe', nested: { list: [1, 2.5, true] } },
      requestId: `request-${index}`,
    }
  })
}

export const someTenant = () => newTenantId(readClock())

/** AWS: at most 25 items in a batch of writes. */
const BATCH = 25

/** Stores events as their commits did. */
export async function store({ client, name }: Table, events: readonly Event[]): Promise<void> {
  for (let start = 0; start < events.length; start += BATCH) {
    const requests = events
      .slice(start, start + BATCH)
      .map((event) => ({ PutRequest: { Item: eventItem(event) } }))
    await client.send(new BatchWriteCommand({ RequestItems: { [name]: requests } }))
  }
}

/** The public half of the key that signs checkpoints. */
export async function publicKeyOf(api: Api): Promise<Uint8Array> {
  const answer = await api.call('GET', '/v1/audit/key')
  return Buffer.from(z.object({ publicKey: z.string() }).parse(answer.body).publicKey, 'base64')
}
