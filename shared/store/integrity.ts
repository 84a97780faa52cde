import { createHash } from 'node:crypto'
import { type Found, INTEGRITY_CHECKS, IntegrityEvent, IntegrityScan } from '../domain/integrity.ts'
import { digitsOf, FindingId, type TenantId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import { type CorruptItemError, entity, readableOf } from './codec.ts'
import { integrityEventKey, integrityEventsKey, integrityKey } from './keys.ts'
import { readItem, readRange } from './read.ts'
import { type Put, putOnce, type Table } from './transact.ts'

export const integrityScanEntity = entity('integrity-scan', 3, IntegrityScan, 1)
export const integrityEventEntity = entity('integrity-event', 2, IntegrityEvent, 1)

type Tell = (error: CorruptItemError) => void

/** @param tell is told of a row that is none: the next scan takes its place */
export async function readLastScan(
  table: Table,
  tenantId: TenantId,
  tell: Tell,
): Promise<IntegrityScan | undefined> {
  const item = await readItem(table, integrityKey(tenantId))
  return item && readableOf([item], integrityScanEntity, tell)[0]
}

/** Notes a scan, unless a later one was noted already. */
export const noteScan = (tenantId: TenantId, scan: IntegrityScan): Put => ({
  kind: 'put',
  item: integrityScanEntity.encode(integrityKey(tenantId), scan),
  condition: 'attribute_not_exists(startedAt) OR startedAt <= :started',
  values: { ':started': scan.startedAt },
})

/**
 * All that was ever found of a tenant, and the ids of rows that are none: whoever made one so must not hide by it what is
 * found next.
 */
export async function readIntegrityEvents(
  table: Table,
  tenantId: TenantId,
  tell: Tell,
): Promise<{ events: IntegrityEvent[]; garbled: ReadonlySet<string> }> {
  const items = await readRange(table, { pk: integrityEventsKey(tenantId) })
  const events = readableOf(items, integrityEventEntity, tell)
  const garbled = new Set(items.map(({ sk }) => String(sk)))
  for (const { id } of events) garbled.delete(id)
  return { events, garbled }
}

/** @param tell is told of a row that is none */
export async function readIntegrityEvent(
  table: Table,
  tenantId: TenantId,
  id: FindingId,
  tell: Tell,
): Promise<IntegrityEvent | undefined> {
  const item = await readItem(table, integrityEventKey(tenantId, id))
  return item && readableOf([item], integrityEventEntity, tell)[0]
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

/** Writes it on condition that it is as it was read, or not there; whatever is there takes the place of a garbled one. */
export function replaceIntegrityEvent(
  event: IntegrityEvent,
  read: IntegrityEvent | 'garbled' | undefined,
): Put {
  const item = integrityEventEntity.encode(integrityEventKey(event.tenantId, event.id), event)
  if (read === 'garbled') return { kind: 'put', item }
  if (read === undefined) return putOnce(item)
  return {
    kind: 'put',
    item,
    condition: '#state = :state AND #since = :since',
    names: { '#state': 'state', '#since': 'since' },
    values: { ':state': read.state, ':since': read.since },
  }
}
