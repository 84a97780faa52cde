import type { LogName } from '../../domain/checkpoint.ts'
import type { EventId, TenantId } from '../../platform/ids.ts'
import { type Key, key, part } from './key.ts'

/** Partition of a tenant's events, or of the vendor's own. */
export const eventLog = (tenant: TenantId | undefined) =>
  tenant ? `T#${part(tenant)}#EVENTS` : 'VENDOR#EVENTS'
export const eventKey = (tenant: TenantId | undefined, id: EventId): Key => ({
  pk: eventLog(tenant),
  sk: part(id),
})
/** Partition of a log: a tenant's audit log, the vendor's own, or the one of all their checkpoints. */
export const auditLogOf = (log: LogName) =>
  log === 'vendor' ? 'VENDOR#AUDIT' : log === 'checkpoints' ? 'CHECKPOINTS#AUDIT' : `T#${part(log)}#AUDIT`
/** Numbers of leaves and sizes of logs, in an order that is that of their texts: all below 2^53 have 16 digits. */
const ordinal = (number: number) => String(number).padStart(16, '0')
const inLog = (log: LogName, ...sk: readonly string[]): Key => ({
  pk: auditLogOf(log),
  sk: sk.map(part).join('#'),
})
/** How large a log is, and what its tree comes to. */
export const auditHeadKey = (log: LogName) => inLog(log, 'HEAD')
export const AUDIT_LEAF_PREFIX = 'LEAF#'
export const auditLeafKey = (log: LogName, index: number) => inLog(log, 'LEAF', ordinal(index))
/** Where in a log something is, by its name: the id of an event, or the origin and size of a checkpoint. */
export const AUDIT_PLACE_PREFIX = 'PLACE#'
export const auditPlaceKey = (log: LogName, name: string) => inLog(log, 'PLACE', encodeURIComponent(name))
export const AUDIT_TILE_PREFIX = 'TILE#'
export const auditTileKey = (log: LogName, level: number, index: number) =>
  inLog(log, 'TILE', String(level).padStart(2, '0'), ordinal(index))
export const AUDIT_CHECKPOINT_PREFIX = 'CHECKPOINT#'
/** The last checkpoint that was signed, and all of them. */
export const auditSignedKey = (log: LogName) => inLog(log, 'SIGNED')
export const auditCheckpointKey = (log: LogName, size: number) => inLog(log, 'CHECKPOINT', ordinal(size))
/** Checkpoints that are not yet in the log of all of them. */
export const AUDIT_UNANCHORED = 'CHECKPOINTS#UNANCHORED'
export const auditUnanchoredKey = (log: LogName, size: number): Key => ({
  pk: AUDIT_UNANCHORED,
  sk: `${part(log)}#${ordinal(size)}`,
})
/** How far a log was held against all that. Not in its partition, which who checks it may not write. */
export const auditCheckKey = (log: LogName) => key(['LOG-CHECKS', log], ['CHECKED'])
