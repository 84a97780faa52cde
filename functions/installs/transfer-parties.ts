import type { Caller } from '../../shared/domain/access.ts'
import { notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { checkNotArchived } from '../../shared/domain/revision.ts'
import { type Party, stateAt, type Transfer, type Who } from '../../shared/domain/transfer.ts'
import { type TransferView, transferView } from '../../shared/domain/transfer-view.ts'
import type { TenantId, TransferId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { readTransfer } from '../../shared/store/transfer.ts'
import { exposureOf } from '../moving/exposure.ts'
import type { InstallServices } from './services.ts'

/** A transfer, and who the caller is in it; one that the caller is no side of does not exist. */
export async function loadTransfer(
  id: TransferId,
  caller: Caller,
  { table }: InstallServices,
): Promise<{ transfer: Transfer; who: Who } | Refusal> {
  const transfer = await readTransfer(table, id)
  const who = transfer && whoOf(caller, transfer)
  return transfer && who ? { transfer, who } : notFound
}

export function whoOf(caller: Caller, { giving, receiving }: Transfer): Who | undefined {
  if (caller.kind === 'vendor') return 'vendor'
  if (caller.kind !== 'tenant') return undefined
  if (caller.tenantId === giving.tenantId) return 'giving'
  return caller.tenantId === receiving?.tenantId ? 'receiving' : undefined
}

/** What someone sees of a transfer now, with what is outstanding where that concerns them. */
export async function seenBy(
  transfer: Transfer,
  who: Who,
  now: Instant,
  services: InstallServices,
): Promise<TransferView> {
  const isOpen = ['REQUESTED', 'APPROVED'].includes(stateAt(transfer, now)) && who !== 'receiving'
  return transferView(transfer, who, now, isOpen ? await exposureOf(transfer, now, services) : undefined)
}

export function listed(
  transfer: Transfer,
  caller: Caller,
  state: TransferView['state'] | undefined,
  now: Instant,
): TransferView | undefined {
  const who = whoOf(caller, transfer)
  const isWanted = who !== undefined && (state === undefined || stateAt(transfer, now) === state)
  return isWanted ? transferView(transfer, who, now) : undefined
}

/** The tenant as a side of a transfer. */
export async function partyOf(
  tenantId: TenantId,
  { table }: InstallServices,
  field?: string,
): Promise<Party | Refusal> {
  const tenant = await readTenant(table, tenantId)
  if (tenant !== undefined) return checkNotArchived(tenant) ?? { tenantId, name: tenant.name }
  if (field === undefined) return notFound
  return refuse('INVALID_REQUEST', `There is no ${tenantId}.`, {
    errors: [{ field, message: 'does not exist' }],
  })
}
