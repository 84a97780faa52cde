import { standings } from '../../shared/domain/holdings.ts'
import type { ProductId, TenantId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { licenseEntity, readHoldings } from '../../shared/store/holdings.ts'
import { KIND } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { type Delivery, runJob } from '../job.ts'
import { observe } from '../observe.ts'
import type { TrustServices } from './handlers.ts'

/** Validates every license: notes status changes and tampering as events, each once. */
export function validateLicenses(delivery: Delivery, services: TrustServices): Promise<void> {
  const { table, verifier } = services
  return runJob('validateLicenses', delivery, services, async (run) => {
    const seen = new Set<string>()
    for await (const page of readPages(table, { index: 'kind', pk: KIND.licenses }, run.from)) {
      for (const { tenantId, productId } of page.items.map(licenseEntity.decode)) {
        const name = `${tenantId} ${productId}`
        if (seen.has(name)) continue
        seen.add(name)
        const { checked, changed } = await validateHoldings(tenantId, productId, run.requestId)
        run.count(checked, changed)
      }
      await run.note(page.next)
    }
  })

  async function validateHoldings(tenantId: TenantId, productId: ProductId, requestId: string) {
    const now = readClock()
    const all = [
      ...standings(await readHoldings(table, tenantId, productId), now, verifier.isGenuine).values(),
    ]
    const caller = { kind: 'system', subject: 'validateLicenses' } as const
    const changes = await observe(all, { caller, now, requestId }, services)
    return { checked: all.length, changed: changes.length }
  }
}
