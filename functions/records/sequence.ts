import { readClock } from '../../shared/platform/time.ts'
import { sequenceEvents } from '../logs/sequence-events.ts'
import type { EventStep } from './event-steps.ts'

/** Events get their places in the audit log of their tenant, or of the vendor: in the order in which they happened. */
export const sequence: EventStep = async (events, { table }) => {
  await sequenceEvents(table, events, readClock())
}
