import * as z from 'zod'
import { type Activation, hashesOf } from '../domain/activation.ts'
import { ActivationId, type ProductId, type TenantId } from '../platform/ids.ts'
import { epochSeconds, Instant } from '../platform/time.ts'
import { entity } from './codec.ts'
import { fingerprintKey } from './keys.ts'
import { readItems } from './read.ts'
import type { Action, Table } from './transact.ts'

/** Takes a component of a machine for one activation, so that no other in its scope can have it. */
const TakenFingerprint = z.strictObject({
  hash: z.string(),
  activationId: ActivationId,
  /** The machine was deactivated; until then it is remembered as seen. Anybody may take the component. */
  seenUntil: Instant.optional(),
})
export type TakenFingerprint = z.infer<typeof TakenFingerprint>

export const fingerprintEntity = entity('fingerprint', 1, TakenFingerprint)

/** What is known of these components in a scope. */
export async function readFingerprints(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
  scope: string,
  hashes: readonly string[],
): Promise<TakenFingerprint[]> {
  const items = await readItems(
    table,
    hashes.map((hash) => fingerprintKey(tenantId, productId, scope, hash)),
  )
  return items.map(fingerprintEntity.decode)
}

/**
 * The writes that take the components of `taking` and let go those of `leaving`, on condition that they are taken by
 * whom they were. A component that passes from one to the other is one write: a transaction has no two on an item.
 *
 * @param seenUntil those let go are remembered as seen until then; forgotten if undefined
 */
export function passFingerprints(
  leaving: readonly Activation[],
  taking: Activation | undefined,
  seenUntil: Instant | undefined,
): Record<string, Action> {
  const writes: Record<string, Action> = {}
  for (const activation of leaving)
    for (const hash of hashesOf(activation))
      writes[labelOf(activation, hash)] = letGo(activation, hash, seenUntil)
  if (taking === undefined) return writes
  for (const hash of hashesOf(taking)) {
    const label = labelOf(taking, hash)
    const owner = leaving.find((one) => labelOf(one, hash) === label && hashesOf(one).includes(hash))
    writes[label] = take(taking, hash, owner?.id)
  }
  return writes
}

const labelOf = ({ scope }: Activation, hash: string) => `fingerprint ${scope} ${hash}`

function take(activation: Activation, hash: string, owner: ActivationId | undefined): Action {
  const { tenantId, productId, scope, id } = activation
  return {
    kind: 'put',
    item: fingerprintEntity.encode(fingerprintKey(tenantId, productId, scope, hash), {
      hash,
      activationId: id,
    }),
    ...(owner === undefined
      ? { condition: 'attribute_not_exists(pk) OR attribute_exists(seenUntil)' }
      : { condition: 'activationId = :owner', values: { ':owner': owner } }),
  }
}

function letGo(activation: Activation, hash: string, seenUntil: Instant | undefined): Action {
  const { tenantId, productId, scope, id } = activation
  const key = fingerprintKey(tenantId, productId, scope, hash)
  const condition = { condition: 'activationId = :owner', values: { ':owner': id } }
  if (seenUntil === undefined) return { kind: 'remove', key, ...condition }
  const left = { hash, activationId: id, seenUntil }
  return {
    kind: 'put',
    item: fingerprintEntity.encode(key, left, { ttl: epochSeconds(seenUntil) }),
    ...condition,
  }
}
