import { standings } from '../../shared/domain/holdings.ts'
import type { NoticeAbout } from '../../shared/domain/notice.ts'
import { isOpen } from '../../shared/domain/reclaim-case.ts'
import { deadlinesOf } from '../../shared/domain/reminders.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { findLicense } from '../../shared/store/address.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { readCase } from '../../shared/store/reclaim.ts'
import type { NotificationServices } from './services.ts'

/**
 * Is what a notice says still so? A license that was renewed, suspended or removed since ends at another time or not at
 * all; a seat may have been kept. What happened has happened.
 */
export async function isStillTrue(
  about: NoticeAbout,
  tenantId: TenantId | undefined,
  now: Instant,
  { table, verifier }: Pick<NotificationServices, 'table' | 'verifier'>,
): Promise<boolean> {
  switch (about.kind) {
    case 'expiry-reminder':
    case 'trial-reminder':
    case 'maintenance-reminder': {
      // The staff is told of a tenant's licenses where nobody there could be.
      const owner = tenantId ?? (await findLicense(table, about.licenseId))?.tenantId
      if (owner === undefined) return true
      const holdings = await readHoldings(table, owner, about.productId)
      return deadlinesOf(standings(holdings, now, verifier.isGenuine).values()).some(
        ({ kind, license, endsAt }) =>
          about.kind === `${kind}-reminder` && license.id === about.licenseId && endsAt === about.endsAt,
      )
    }
    case 'seat-reclaim': {
      if (tenantId === undefined) return true
      const found = await readCase(table, tenantId, about.userId, about.productId)
      return found !== undefined && found.openedAt === about.openedAt && isOpen(found)
    }
    default:
      return true
  }
}
