import type { EventDraft } from '../../shared/domain/event.ts'
import type { LicenseFile } from '../../shared/domain/license-file.ts'
import type { LicenseView } from '../../shared/domain/license-view.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Transfer, Who } from '../../shared/domain/transfer.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { fileOf, loadLicense, viewOf } from '../known-license.ts'
import type { CommitRequest } from '../services.ts'
import type { InstallServices } from './services.ts'

type Collected = { licenses: { license: LicenseView; key: string; file: LicenseFile }[] }

/**
 * Hands the receiving side its licenses: whoever approves last may be the other side, which is not to see a key. A key
 * that the vendor has replaced since, or of a license that is over, is not shown.
 */
export async function collect(
  call: CommitRequest,
  { transfer, who }: { transfer: Transfer; who: Who },
  services: InstallServices,
): Promise<Collected | Refusal | Replayed> {
  if (transfer.state !== 'executed')
    return refuse('TRANSITION_NOT_ALLOWED', 'There is nothing to collect: it is not carried out.')
  if (who !== 'receiving') return refuse('FORBIDDEN', 'What was received is for the receiving side.')
  const licenses: Collected['licenses'] = []
  const events: EventDraft[] = []
  for (const { successor } of transfer.licenses) {
    const license = successor && (await loadLicense(services, successor))
    if (license === undefined) throw new Error(`${transfer.id} is executed and a license has no successor`)
    if (isRefusal(license)) return license
    const { id, keyGeneration, tenantId, revokedAt } = license
    if (revokedAt !== undefined || keyGeneration !== 1)
      return refuse('TRANSITION_NOT_ALLOWED', `${id} is revoked, or its key was replaced since.`)
    const file = fileOf(license, services)
    if (isRefusal(file)) return file
    const [view, key] = await Promise.all([
      viewOf(license, services, call.now),
      services.keyOf(id, keyGeneration),
    ])
    licenses.push({ license: view, key, file })
    events.push({
      type: 'license-key.revealed',
      tenantId,
      subject: { type: 'license', id },
      reason: `Collected (${transfer.id}).`,
    })
  }
  return services.commit(call, { writes: {}, events, reply: { licenses }, refusals: {} })
}
