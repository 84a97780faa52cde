import { standings } from '../../shared/domain/holdings.ts'
import type { NoticeAbout, NoticeDraft } from '../../shared/domain/notice.ts'
import {
  type Deadline,
  deadlinesOf,
  occasionOf,
  type Stage,
  stageAt,
  stagesOf,
} from '../../shared/domain/reminders.ts'
import { ProductId, TenantId } from '../../shared/platform/ids.ts'
import { earliest, type Instant } from '../../shared/platform/time.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { endTimer, moveTimer, type Timer } from '../../shared/store/timer.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Audience, notify } from '../notify.ts'
import type { NotificationServices } from './services.ts'

/** Reads an audience, of the vendor's staff where no tenant is named; remembered for a run. */
export type ReadAudience = (tenantId: TenantId | undefined) => Promise<Audience | undefined>

/**
 * Tells what ends of all that a tenant holds of a product, as far as it is time to, and files the timer for when it is
 * time again. It is told what is so now: who was renewed in time is not told, and who slept is told the latest only.
 *
 * @returns how many notices it made
 */
export async function remind(
  timer: Timer,
  now: Instant,
  readAudience: ReadAudience,
  services: NotificationServices,
): Promise<number> {
  const { table, verifier } = services
  const [tenantId, productId] = [TenantId.parse(timer.subject[0]), ProductId.parse(timer.subject[1])]
  const [audience, holdings, product] = await Promise.all([
    readAudience(tenantId),
    readHoldings(table, tenantId, productId),
    readProduct(table, productId),
  ])
  if (audience === undefined) {
    await writeRow(table, endTimer(timer))
    return 0
  }
  const { settings, timeZone } = audience
  const name = product?.name ?? productId
  let told = 0
  const lookAt: Instant[] = []
  for (const deadline of deadlinesOf(standings(holdings, now, verifier.isGenuine).values())) {
    const { stage, next } = stageAt(stagesOf(deadline, settings, timeZone), now)
    if (next !== undefined) lookAt.push(next)
    if (stage === undefined) continue
    told += await notify(table, audience, draftOf(deadline, stage, name, now), () => readAudience(undefined))
  }
  const [first, ...others] = lookAt
  await writeRow(table, first === undefined ? endTimer(timer) : moveTimer(timer, earliest(first, ...others)))
  return told
}

const KINDS = {
  expiry: 'expiry-reminder',
  trial: 'trial-reminder',
  maintenance: 'maintenance-reminder',
} as const

function draftOf(deadline: Deadline, stage: Stage, product: string, now: Instant): NoticeDraft {
  const { kind, license, endsAt, graceEndsAt } = deadline
  const about: NoticeAbout = {
    kind: KINDS[kind],
    licenseId: license.id,
    productId: license.productId,
    product,
    customer: license.customer.name,
    endsAt,
    phase: stage.phase,
    ...(graceEndsAt && { graceEndsAt }),
    renews: license.term === 'subscription',
  }
  return { about, occasion: occasionOf(deadline, stage), at: now, until: stage.until }
}
