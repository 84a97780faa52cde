import * as z from 'zod'
import type { Pool } from '../../shared/domain/pool.ts'
import { ProductId, TenantId } from '../../shared/platform/ids.ts'
import { fromEpochMilliseconds, type Instant } from '../../shared/platform/time.ts'
import { decodePool, type PoolAddress } from '../../shared/store/pool.ts'
import { type RawRecord, StreamRecord } from '../../shared/store/stream-event.ts'

/** A change of a pool, as its stream record tells it. */
export type PoolRecord = {
  /** The stream's own id of the record; see event-id.ts. */
  readonly recordId: string
  readonly address: PoolAddress
  /** Roughly when the change was made: what a change does not say of itself. */
  readonly recordedAt: Instant
  /** Undefined when the change made the pool. */
  readonly before: Pool | undefined
  readonly after: Pool
}

/** The parts of a pool's key, as keys.ts puts them together. */
const PoolPartition = z.tuple([z.literal('T'), TenantId, z.literal('POOLS'), ProductId])

/** @throws ZodError or CorruptItemError when this is no change of a pool that this program wrote */
export function readPoolRecord(raw: RawRecord): PoolRecord {
  const { eventID, dynamodb } = StreamRecord.parse(raw)
  const { ApproximateCreationDateTime, Keys, OldImage, NewImage } = dynamodb
  const [, tenantId, , productId] = PoolPartition.parse(Keys.pk.S.split('#'))
  return {
    recordId: eventID,
    address: { tenantId, productId, metric: Keys.sk.S },
    recordedAt: fromEpochMilliseconds(Math.round(ApproximateCreationDateTime * 1000)),
    before: OldImage && decodePool(OldImage),
    after: decodePool(NewImage),
  }
}
