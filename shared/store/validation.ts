import * as z from 'zod'
import { ValidationRun } from '../domain/validation-run.ts'
import { TenantId } from '../platform/ids.ts'
import { entity } from './codec.ts'
import { validationKey } from './keys.ts'
import { readItem } from './read.ts'
import type { Table, Update } from './transact.ts'

/** Minutes between two validations of a tenant's licenses, unless it is set otherwise. */
const DEFAULT_INTERVAL = 60
/** Names of what failed that are kept of a validation. */
export const MOST_FAILED = 50

export const ValidationSchedule = z.strictObject({
  tenantId: TenantId,
  intervalMinutes: z.int().positive(),
  lastRun: ValidationRun.optional(),
  /** Errors of all runs. */
  errorCount: z.int().min(0),
})
export type ValidationSchedule = z.infer<typeof ValidationSchedule>

export const validationEntity = entity('validation-schedule', 1, ValidationSchedule)

export async function readValidation(table: Table, tenantId: TenantId): Promise<ValidationSchedule> {
  const item = await readItem(table, validationKey(tenantId))
  return item ? validationEntity.decode(item) : { tenantId, intervalMinutes: DEFAULT_INTERVAL, errorCount: 0 }
}

/** Sets the interval, and nothing of what runs wrote. */
export const setValidationInterval = (tenantId: TenantId, minutes: number): Update => ({
  kind: 'update',
  key: validationKey(tenantId),
  update: `SET ${ROW}, intervalMinutes = :minutes, errorCount = if_not_exists(errorCount, :none)`,
  names: NAMES,
  values: { ...rowOf(tenantId), ':minutes': minutes, ':none': 0 },
})

/**
 * Notes what came of a run, unless a later one was noted already: of two at once the later counts. A lost answer's
 * repetition finds the run noted, and counts its errors no second time.
 */
export const noteRun = (tenantId: TenantId, run: ValidationRun): Update => ({
  kind: 'update',
  key: validationKey(tenantId),
  update: `SET ${ROW}, intervalMinutes = if_not_exists(intervalMinutes, :default), lastRun = :run ADD errorCount :errors`,
  condition: 'attribute_not_exists(lastRun) OR lastRun.#at < :at',
  names: { ...NAMES, '#at': 'at' },
  values: {
    ...rowOf(tenantId),
    ':default': DEFAULT_INTERVAL,
    ':run': run,
    ':errors': run.errors,
    ':at': run.at,
  },
})

// What the codec writes into an item, for rows that come to be by an update.
const ROW = 'entity = :entity, #schema = :schema, tenantId = :tenant'
const NAMES = { '#schema': 'schema' }
const rowOf = (tenantId: TenantId) => ({
  ':entity': validationEntity.name,
  ':schema': validationEntity.version,
  ':tenant': tenantId,
})
