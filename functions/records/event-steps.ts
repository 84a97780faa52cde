import type { Event } from '../../shared/domain/event.ts'
import type { Log } from '../../shared/platform/log.ts'
import { countEvents } from '../../shared/platform/metrics.ts'
import type { Table } from '../../shared/store/transact.ts'
import { deliverToWebhooks } from './deliver-to-webhooks.ts'
import { followLicenses } from './follow-licenses.ts'
import { followRows } from './follow-rows.ts'
import { tellOfEvents } from './notices-of-events.ts'
import { sequence } from './sequence.ts'

export type EventServices = { readonly table: Table; readonly log: Log }

/**
 * Something that follows from events. It gets those of one log (a tenant's, or the vendor's), in the order of the stream.
 * If it fails they are delivered again, to all steps: it must do no harm twice.
 */
export type EventStep = (events: readonly Event[], services: EventServices) => Promise<void>

/** Each of them, whatever becomes of the others: a log that is broken keeps no notice back, nor the other way round. */
export const independently =
  (...steps: readonly EventStep[]): EventStep =>
  async (events, services) => {
    const failures: unknown[] = []
    for (const step of steps) {
      try {
        await step(events, services)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length === 1) throw failures[0]
    if (failures.length > 1)
      throw new AggregateError(failures, `${failures.length} steps failed: ${failures}`)
  }

export const eventSteps: readonly EventStep[] = [
  independently(sequence, followLicenses, followRows, tellOfEvents, deliverToWebhooks),
  // The last: what is delivered again because a step failed is counted once.
  async (events) => countEvents(events),
]
