import type { EventDraft } from '../../shared/domain/event.ts'
import { SIDES, type Transfer, type Who } from '../../shared/domain/transfer.ts'
import { transferView } from '../../shared/domain/transfer-view.ts'
import type { Instant } from '../../shared/platform/time.ts'

/**
 * A step of a transfer in the log of each side that is known by then, as that side sees the transfer. Whose credential
 * it was is for the log of its own tenant; the other one names the side.
 *
 * @param who nobody, where it follows from what somebody did before
 */
export function stepEvents(
  type: EventDraft['type'],
  transfer: Transfer,
  who: Who | undefined,
  reason: string | undefined,
  now: Instant,
): EventDraft[] {
  return SIDES.flatMap((side): EventDraft[] => {
    const party = transfer[side]
    if (party === undefined) return []
    // What moves is told by the events of the licenses.
    const { licenses: _, ...after } = transferView(transfer, side, now)
    return [
      {
        type,
        tenantId: party.tenantId,
        subject: { type: 'transfer', id: transfer.id },
        after,
        ...(reason && { reason }),
        ...otherSide(who, side),
      },
    ]
  })
}

/** The actor of an event in the log of a tenant that it is not of. */
function otherSide(who: Who | undefined, log: Who): Pick<EventDraft, 'actor'> {
  return who === undefined || who === 'vendor' || who === log
    ? {}
    : { actor: { kind: 'tenant', subject: `${who} side` } }
}
