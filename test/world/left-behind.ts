// What a tenant has that nobody gets by asking for it at once: it is put into the table as time, or a job, would.
import * as z from 'zod'
import type { ReclaimCase } from '../../shared/domain/reclaim-case.ts'
import type { SeatRequest } from '../../shared/domain/seat-request.ts'
import {
  OrganizationId,
  type ProductId,
  type TenantId,
  UserId,
  WebhookId,
} from '../../shared/platform/ids.ts'
import { HOUR, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { newIntegrityEvent, replaceIntegrityEvent } from '../../shared/store/integrity.ts'
import { newNotice } from '../../shared/store/notice.ts'
import { addNotice } from '../../shared/store/outbox.ts'
import { writeCase } from '../../shared/store/reclaim.ts'
import { writeRequest } from '../../shared/store/seat-request.ts'
import type { Table } from '../../shared/store/transact.ts'
import { putDelivery } from '../../shared/store/webhook-delivery.ts'
import { writeRow } from '../../shared/store/write.ts'
import type { ApiClient } from '../support/api.ts'
import { eventsOf } from '../support/events.ts'
import { expected } from '../support/scenario.ts'

type Whose = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly organizationId: string
}

/** People whose seats are idle, each of whom asked for one besides. */
export async function leaveIdle(
  table: Table,
  { tenantId, productId, ...whose }: Whose,
  users: readonly string[],
  reason: string,
): Promise<void> {
  const now = readClock()
  const organizationId = OrganizationId.parse(whose.organizationId)
  for (const userId of users.map((id) => UserId.parse(id))) {
    const idle: ReclaimCase = {
      state: 'candidate',
      userId,
      organizationId,
      productId,
      metrics: ['users'],
      reason: 'NEVER_SEEN',
      since: now,
      dueAt: plusMilliseconds(now, HOUR),
      openedAt: now,
      notices: [],
      version: 1,
    }
    await writeRow(table, writeCase(tenantId, undefined, idle))
    const request: SeatRequest = {
      state: 'open',
      userId,
      organizationId,
      productId,
      module: 'learn',
      reason,
      requestedAt: now,
      lapsesAt: plusMilliseconds(now, HOUR),
      version: 1,
    }
    await writeRow(table, writeRequest(tenantId, undefined, request))
  }
}

/** Two findings of an integrity scan; their ids. */
export async function leaveFindings(table: Table, tenantId: TenantId, licenseId: string): Promise<string[]> {
  const now = readClock()
  const findings = ['first', 'second'].map((stored) =>
    newIntegrityEvent(
      tenantId,
      {
        check: 'license-changed',
        subject: { type: 'license', id: licenseId },
        differs: [{ field: 'reason', stored }],
      },
      now,
    ),
  )
  for (const one of findings) await writeRow(table, replaceIntegrityEvent(one, undefined))
  return findings.map(({ id }) => id)
}

/** Two notices for somebody, to be sent later. */
export async function leaveNotices(table: Table, tenantId: TenantId, name: string): Promise<void> {
  const at = readClock()
  for (const occasion of ['first', 'second']) {
    const about = { kind: 'job-failed', job: name, at } as const
    const draft = { about, occasion: [occasion], at, until: plusMilliseconds(at, HOUR) }
    await addNotice(table, newNotice(draft, tenantId, { email: 'ada@example.edu', name }), at)
  }
}

/** An endpoint at which nobody listens: the connection is refused at once. */
export const NOWHERE = 'http://127.0.0.1:9/'

/** An endpoint of a tenant, and an event that was put before it. */
export async function seenWebhook(api: ApiClient, tenantId: TenantId, token: string) {
  const body = { url: NOWHERE, eventTypes: ['webhook.*'] }
  const answer = await api.call('POST', `/v1/tenants/${tenantId}/webhooks`, { token, body })
  const { id } = z.object({ id: WebhookId }).parse(expected(201, answer))
  const event = (await eventsOf(api.table, id, tenantId))[0]
  if (event === undefined) throw new Error('an endpoint that was added without an event')
  const delivery = { eventId: event.id, type: event.type, log: tenantId, attempts: 0, failures: 0 }
  const now = readClock()
  await writeRow(
    api.table,
    putDelivery(
      { owner: tenantId, id },
      { ...delivery, state: 'waiting', createdAt: now, dueAt: plusMilliseconds(now, HOUR) },
    ),
  )
  return { webhookId: id, eventId: event.id }
}
