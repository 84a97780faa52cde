import * as z from 'zod'
import { decodeEntry, type Entry, encodeEntry } from '../shared/domain/lease-entry.ts'
import { Code } from '../shared/domain/terms.ts'
import { ProductId, TenantId } from '../shared/platform/ids.ts'
import { open, seal } from './sealed.ts'

const EntryText = z.base64url().transform((text, context): Entry => {
  try {
    return decodeEntry(Buffer.from(text, 'base64url'))
  } catch {
    context.addIssue({ code: 'custom', message: 'no entry' })
    return z.NEVER
  }
})

/**
 * What a lease id says, so that nothing is read to use it: where the lease lies, and its entry in each pool as it was
 * written last. The entry changes with every heartbeat, and so does the id.
 */
const LeaseAddress = z.tuple([
  TenantId,
  ProductId,
  /** The reference of its entries. */
  z.string(),
  /** Its bit among those who share it; 0 where it is not shared. */
  z.int(),
  z
    .array(
      z
        // 1: on a page.
        .tuple([Code, EntryText, z.literal(1).optional()])
        .transform(([metric, entry, page]): [string, Entry] => [
          metric,
          page === undefined ? entry : { ...entry, paged: true },
        ]),
    )
    .min(1),
])

export type LeaseAddress = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly ref: string
  readonly sharer: number
  readonly entries: readonly (readonly [metric: string, entry: Entry])[]
}

export function sealLeaseId({ tenantId, productId, ref, sharer, entries }: LeaseAddress, key: Uint8Array) {
  const texts = entries.map(([metric, entry]) => [
    metric,
    Buffer.from(encodeEntry(entry)).toString('base64url'),
    ...(entry.paged ? [1] : []),
  ])
  return seal('lse', [tenantId, productId, ref, sharer, texts], key)
}

export function openLeaseId(id: string, key: Uint8Array): LeaseAddress | undefined {
  const opened = open('lse', LeaseAddress, id, key)
  if (opened === undefined) return undefined
  const [tenantId, productId, ref, sharer, entries] = opened
  return { tenantId, productId, ref, sharer, entries }
}

/** Where a ticket lies: its key in the queue of one metric. */
const TicketAddress = z.tuple([TenantId, ProductId, Code, z.string(), z.string()])

export type TicketAddress = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly metric: string
  readonly order: string
  readonly ref: string
}

export function sealTicketId({ tenantId, productId, metric, order, ref }: TicketAddress, key: Uint8Array) {
  return seal('tkt', [tenantId, productId, metric, order, ref], key)
}

export function openTicketId(id: string, key: Uint8Array): TicketAddress | undefined {
  const opened = open('tkt', TicketAddress, id, key)
  if (opened === undefined) return undefined
  const [tenantId, productId, metric, order, ref] = opened
  return { tenantId, productId, metric, order, ref }
}
