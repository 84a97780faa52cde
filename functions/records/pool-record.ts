import * as z from 'zod'
import type { Pool } from '../../shared/domain/pool.ts'
import { Code } from '../../shared/domain/terms.ts'
import { ProductId, TenantId } from '../../shared/platform/ids.ts'
import { fromEpochMilliseconds, type Instant } from '../../shared/platform/time.ts'
import { decodePage, decodePool, type PoolAddress } from '../../shared/store/pool.ts'
import { type RawRecord, StreamRecord } from '../../shared/store/stream-event.ts'

/** A change of a pool, or of a page of one, as its stream record tells it. */
export type PoolRecord = {
  /** The stream's own id of the record; see event-id.ts. */
  readonly recordId: string
  readonly address: PoolAddress
  /** Of a page, that has entries of the pool and none of its counts. */
  readonly isPage: boolean
  /** Roughly when the change was made: what a change does not say of itself. */
  readonly recordedAt: Instant
  /** Undefined when the change made the pool. */
  readonly before: Pool | undefined
  readonly after: Pool
}

/** The parts of the key of a pool, or of a page of one, as keys.ts puts them together. */
const Partition = z.union([
  z.tuple([z.literal('T'), TenantId, z.literal('POOLS'), ProductId]),
  z.tuple([z.literal('T'), TenantId, z.literal('PAGES'), ProductId, Code]),
])

/** @throws ZodError or CorruptItemError when this is no change of a pool that this program wrote */
export function readPoolRecord(raw: RawRecord): PoolRecord {
  const { eventID, dynamodb } = StreamRecord.parse(raw)
  const { ApproximateCreationDateTime, Keys, OldImage, NewImage } = dynamodb
  const [, tenantId, , productId, metric] = Partition.parse(Keys.pk.S.split('#'))
  const isPage = metric !== undefined
  const decode = isPage ? decodePage : decodePool
  return {
    recordId: eventID,
    address: { tenantId, productId, metric: metric ?? Keys.sk.S },
    isPage,
    recordedAt: fromEpochMilliseconds(Math.round(ApproximateCreationDateTime * 1000)),
    before: OldImage && decode(OldImage),
    after: decode(NewImage),
  }
}
