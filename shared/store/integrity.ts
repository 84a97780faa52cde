import { createHash } from 'node:crypto'
import { type Found, INTEGRITY_CHECKS, IntegrityEvent, IntegrityScan } from '../domain/integrity.ts'
import { digitsOf, FindingId, type TenantId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import { entity } from './codec.ts'
import { integrityEventKey, integrityEventsKey, integrityKey } from './keys.ts'
import { readItem, readRange } from './read.ts'
import { type Put, putOnce, type Table } from './transact.ts'

export const integrityScanEntity = entity('integrity-scan', 3, IntegrityScan, 1)
export const integrityEventEntity = entity('integrity-event', 2, IntegrityEvent, 1)

export async function readLastScan(table: Table, tenantId: TenantId): Promise<IntegrityScan | undefined> {
  const item = await readItem(table, integrityKey(tenantId))
  return item && integrityScanEntity.decode(item)
}

/** Notes a scan, unless a later one was noted already. */
export const noteScan = (tenantId: TenantId, scan: IntegrityScan): Put => ({
  kind: 'put',
  item: integrityScanEntity.encode(integrityKey(tenantId), scan),
  condition: 'attribute_not_exists(pk) OR startedAt <= :started',
  values: { ':started': scan.startedAt },
})

/** All that was ever found of a tenant. */
export async function readIntegrityEvents(table: Table, tenantId: TenantId): Promise<IntegrityEvent[]> {
  const items = await readRange(table, { pk: integrityEventsKey(tenantId) })
  return items.map(integrityEventEntity.decode)
}

export async function readIntegrityEvent(
  table: Table,
  tenantId: TenantId,
  id: FindingId,
): Promise<IntegrityEvent | undefined> {
  const item = await readItem(table, integrityEventKey(tenantId, id))
  return item && integrityEventEntity.decode(item)
}

/** The id of what was found: the same each time the same is found, and another where it differs otherwise. */
export function findingId(tenantId: TenantId, { check, subject, differs }: Found): FindingId {
  const text = JSON.stringify([tenantId, check, subject.type, subject.id, differs])
  return FindingId.parse(`itg_${digitsOf(createHash('sha256').update(text).digest().subarray(0, 26))}`)
}

export const newIntegrityEvent = (tenantId: TenantId, found: Found, now: Instant): IntegrityEvent => ({
  id: findingId(tenantId, found),
  tenantId,
  check: found.check,
  subject: { ...found.subject },
  detail: INTEGRITY_CHECKS[found.check],
  differs: [...found.differs],
  since: now,
  state: 'open',
})

/** Writes it on condition that it is as it was read, or not there. */
export function replaceIntegrityEvent(event: IntegrityEvent, read: IntegrityEvent | undefined): Put {
  const item = integrityEventEntity.encode(integrityEventKey(event.tenantId, event.id), event)
  if (read === undefined) return putOnce(item)
  return {
    kind: 'put',
    item,
    condition: '#state = :state AND #since = :since',
    names: { '#state': 'state', '#since': 'since' },
    values: { ':state': read.state, ':since': read.since },
  }
}
