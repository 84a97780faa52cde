import { standings } from '../../shared/domain/holdings.ts'
import { newRunId, type ProductId, type TenantId } from '../../shared/platform/ids.ts'
import { type Instant, readClock } from '../../shared/platform/time.ts'
import { licenseEntity, readHoldings } from '../../shared/store/holdings.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { resumeRun, saveRun } from '../../shared/store/run.ts'
import { observe } from '../observe.ts'
import type { TrustServices } from './handlers.ts'

const JOB = 'validateLicenses'
/** Milliseconds to keep for noting how far the run came. */
const RESERVE = 5_000

/**
 * Validates every license: notes status changes and tampering as events, each once. A run is known by the time it was
 * scheduled for: a second delivery finds it finished, and one that ran out of time goes on where it stopped.
 */
export async function validateLicenses(
  scheduledAt: Instant,
  remaining: () => number,
  services: TrustServices,
): Promise<void> {
  const { table, verifier, log } = services
  const run = await resumeRun(table, JOB, scheduledAt)
  if (run.finishedAt !== undefined) return
  const requestId = newRunId(scheduledAt)
  const seen = new Set<string>()
  let { checked, changed, from } = run
  for await (const page of readPages(table, { index: 'kind', pk: KIND.licenses }, from)) {
    for (const { tenantId, productId } of page.items.map(licenseEntity.decode)) {
      const name = `${tenantId} ${productId}`
      if (seen.has(name)) continue
      seen.add(name)
      const done = await validateHoldings(tenantId, productId)
      checked += done.checked
      changed += done.changed
    }
    from = page.next
    await saveRun(table, JOB, scheduledAt, { checked, changed, ...(from && { from }) })
    // The scheduler delivers an invocation that failed again, and that one goes on from here.
    if (from !== undefined && remaining() < RESERVE)
      throw new Error(`${JOB} ran out of time after ${checked} licenses`)
  }
  await saveRun(table, JOB, scheduledAt, { checked, changed, finishedAt: readClock() })
  log('info', 'job', { requestId, job: JOB, counts: { checked, changed } })

  async function validateHoldings(tenantId: TenantId, productId: ProductId) {
    const now = readClock()
    const all = [
      ...standings(await readHoldings(table, tenantId, productId), now, verifier.isGenuine).values(),
    ]
    const changes = await observe(all, { caller: { kind: 'system', subject: JOB }, now, requestId }, services)
    return { checked: all.length, changed: changes.length }
  }
}
