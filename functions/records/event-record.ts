import type { Event } from '../../shared/domain/event.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { type RawRecord, StreamRecord } from '../../shared/store/stream-event.ts'

/** Events have partitions of their own: `T#<tenant>#EVENTS`, and that of the vendor. */
export const isEventRecord = ({ dynamodb }: RawRecord): boolean => dynamodb.Keys.pk.S.endsWith('#EVENTS')

/** @throws ZodError or CorruptItemError when this is no event that this program wrote */
export const readEventRecord = (raw: RawRecord): Event =>
  eventEntity.decode(StreamRecord.parse(raw).dynamodb.NewImage)
