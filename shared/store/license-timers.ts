import { createHash } from 'node:crypto'
import type { Holdings } from '../domain/holdings.ts'
import { nextChange } from '../domain/status.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import { DAY, HOUR, type Instant, plusMilliseconds } from '../platform/time.ts'
import { KIND } from './keys.ts'
import { fileTimer, type Timer } from './timer.ts'
import type { Table } from './transact.ts'
import { writeRow } from './write.ts'

/** That a tenant's licenses are to be validated. */
export const VALIDATION_TIMER = 'validation'
/** That all that a tenant has is to be held against what was signed and recorded. */
export const SCAN_TIMER = 'integrity-scan'
/** That a license of a tenant's product starts, expires, or its grace ends. */
export const TRANSITION_TIMER = 'license-transition'

const validationTimer = (tenantId: TenantId, dueAt: Instant): Timer => ({
  kind: VALIDATION_TIMER,
  subject: [tenantId],
  dueAt,
})
export const scanTimer = (tenantId: TenantId, dueAt: Instant): Timer => ({
  kind: SCAN_TIMER,
  subject: [tenantId],
  dueAt,
})
export const transitionTimer = (tenantId: TenantId, productId: ProductId, dueAt: Instant): Timer => ({
  kind: TRANSITION_TIMER,
  subject: [tenantId, productId],
  dueAt,
})

/** Files a timer if there is none; false if there is. */
const fileOnce = (table: Table, timer: Timer): Promise<boolean> =>
  writeRow(table, { ...fileTimer(timer), condition: 'attribute_not_exists(pk)' })

/**
 * Files a timer if there is none, or none that comes, for it was set aside; or moves it to an earlier time. False if it
 * comes as early already.
 */
export const fileEarlier = (table: Table, timer: Timer): Promise<boolean> =>
  writeRow(table, {
    ...fileTimer(timer),
    condition: 'attribute_not_exists(pk) OR dueAt > :dueAt OR kindPk = :aside',
    values: { ':dueAt': timer.dueAt, ':aside': KIND.setAsideTimers },
  })

/**
 * The timers that a tenant has for as long as it has licenses, filed if they are not there: the first validation within
 * an hour, the first scan within a day, at a time of the tenant's own, so that those of an import do not all come at once.
 */
export async function watchTenant(table: Table, tenantId: TenantId, now: Instant): Promise<number> {
  const spread = (createHash('sha256').update(tenantId).digest().readUInt32BE() % 1_000) / 1_000
  const filed = await Promise.all([
    fileOnce(table, validationTimer(tenantId, plusMilliseconds(now, Math.floor(spread * HOUR)))),
    fileOnce(table, scanTimer(tenantId, plusMilliseconds(now, Math.floor(spread * DAY)))),
  ])
  return filed.filter((isNew) => isNew).length
}

/** The next instant at which time alone may change the status of one of these licenses. */
export function nextTransition({ licenses }: Holdings, now: Instant): Instant | undefined {
  return licenses
    .filter(({ revokedAt }) => revokedAt === undefined)
    .map((license) => nextChange(license, now))
    .filter((instant) => instant !== undefined)
    .toSorted()[0]
}
