import * as z from 'zod'
import { SIDES, Transfer } from '../domain/transfer.ts'
import { type LicenseId, TransferId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { entity, type Item } from './codec.ts'
import { type Key, KIND, openTransferKey, tenantTransferKey, transferKey } from './keys.ts'
import { readItem, readItems } from './read.ts'
import { fileTimer } from './timer.ts'
import { type Action, putOnce, putVersion, type Table } from './transact.ts'

export const transferEntity = entity('transfer', 2, Transfer, 1)

/** Leads from a tenant to a transfer that it is a side of. */
export const tenantTransferEntity = entity('tenant-transfer', 1, z.strictObject({ transferId: TransferId }))

/**
 * Takes a license for the transfer that is open, so that there is no second one until it is over or has lapsed. One that
 * both sides have approved does not lapse.
 */
const OpenTransferRow = z.strictObject({ transferId: TransferId, lapsesAt: Instant.optional() })
export const openTransferEntity = entity('open-transfer', 2, OpenTransferRow, 1)

const transferItem = (transfer: Transfer): Item =>
  transferEntity.encode(transferKey(transfer.id), transfer, { kindPk: KIND.transfers, kindSk: transfer.id })

/** A new transfer, found from its sides as far as they are known. */
export function newTransfer(transfer: Transfer): Record<string, Action> {
  const sides = SIDES.filter((side) => transfer[side] !== undefined)
  return {
    transfer: putOnce(transferItem(transfer)),
    ...Object.fromEntries(sides.flatMap((side) => Object.entries(sideOfTransfer(transfer, side)))),
  }
}

/** Replaces a transfer as it was read: fails if it was written since. */
export const replaceTransfer = (transfer: Transfer): Action =>
  putVersion(transferItem({ ...transfer, version: transfer.version + 1 }), transfer.version)

/** The transfer is found from this side, too. */
export function sideOfTransfer(transfer: Transfer, side: 'giving' | 'receiving'): Record<string, Action> {
  const party = transfer[side]
  if (party === undefined) return {}
  const key = tenantTransferKey(party.tenantId, transfer.id)
  return {
    [`${side} side`]: {
      kind: 'put',
      item: tenantTransferEntity.encode(key, { transferId: transfer.id }),
    },
  }
}

/** The license that was asked for stands for those that move with it. */
function takenBy({ id, licenses: [asked] }: Transfer): Key {
  if (asked === undefined) throw new Error(`${id} moves nothing`)
  return openTransferKey(asked.licenseId)
}

/** Takes a license for a transfer, unless it is taken by one that has not lapsed. */
export const takeForTransfer = (transfer: Transfer): Action => ({
  kind: 'put',
  item: openTransferEntity.encode(takenBy(transfer), {
    transferId: transfer.id,
    lapsesAt: transfer.lapsesAt,
  }),
  condition: 'attribute_not_exists(pk) OR lapsesAt <= :now',
  values: { ':now': transfer.requestedAt },
})

/** Both sides have approved: the license is taken until that is carried out. Fails if another one took it after a lapse. */
export const keepForTransfer = (transfer: Transfer): Action => ({
  kind: 'put',
  item: openTransferEntity.encode(takenBy(transfer), { transferId: transfer.id }),
  condition: 'attribute_not_exists(pk) OR transferId = :transfer',
  values: { ':transfer': transfer.id },
})

/** The transfer is over: the license may be requested again. Fails if another transfer took it after a lapse. */
export const releaseFromTransfer = (transfer: Transfer): Action => ({
  kind: 'remove',
  key: takenBy(transfer),
  condition: 'attribute_not_exists(pk) OR transferId = :transfer',
  values: { ':transfer': transfer.id },
})

/** That a transfer is to be carried out. */
export const TRANSFER_TIMER = 'transfer'

export const fileTransferTimer = ({ id }: Transfer, now: Instant): Action =>
  fileTimer({ kind: TRANSFER_TIMER, subject: [id], dueAt: now })

/** The transfer that has taken a license, lapsed or not. */
export async function readOpenTransfer(
  table: Table,
  licenseId: LicenseId,
): Promise<z.infer<typeof OpenTransferRow> | undefined> {
  const item = await readItem(table, openTransferKey(licenseId))
  return item && openTransferEntity.decode(item)
}

export async function readTransfer(table: Table, id: TransferId): Promise<Transfer | undefined> {
  const item = await readItem(table, transferKey(id))
  return item && transferEntity.decode(item)
}

/** The transfers behind rows of a tenant's list, in their order. */
export async function readTransfersOf(table: Table, rows: readonly Item[]): Promise<Transfer[]> {
  const ids = rows.map((row) => tenantTransferEntity.decode(row).transferId)
  const items = await readItems(table, ids.map(transferKey))
  const byId = new Map(items.map(transferEntity.decode).map((transfer) => [transfer.id, transfer]))
  return ids.map((id) => {
    const transfer = byId.get(id)
    if (transfer === undefined) throw new Error(`${id} is listed and does not exist`)
    return transfer
  })
}
