import { Borrowing } from '../domain/borrowing.ts'
import { DAY, EpochSeconds, epochSeconds } from '../platform/time.ts'
import { entity } from './codec.ts'
import { borrowingKey } from './keys.ts'
import type { PoolAddress } from './pool.ts'
import { readItem } from './read.ts'
import type { Action, Table } from './transact.ts'

export const borrowingEntity = entity('borrowing', 1, Borrowing)

const keyOf = ({ tenantId, productId, metric }: PoolAddress, jti: string) =>
  borrowingKey(tenantId, productId, metric, jti)

/** Written with the entry, and again when it comes back; forgotten a day after its end. */
export const putBorrowing = (address: PoolAddress, borrowing: Borrowing): Action => ({
  kind: 'put',
  item: borrowingEntity.encode(keyOf(address, borrowing.jti), borrowing, {
    ttl: EpochSeconds.parse(epochSeconds(borrowing.until) + DAY / 1000),
  }),
})

export async function readBorrowing(
  table: Table,
  address: PoolAddress,
  jti: string,
): Promise<Borrowing | undefined> {
  const item = await readItem(table, keyOf(address, jti))
  return item && borrowingEntity.decode(item)
}
