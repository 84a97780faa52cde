import { whoOf } from '../../shared/domain/denial.ts'
import { actorOf, type Holder, holderOf, type Last } from '../../shared/domain/lease-last.ts'
import { fromEpochMilliseconds } from '../../shared/platform/time.ts'
import { explainDenial, readDenialsBefore } from '../../shared/store/lease-denial.ts'
import type { PoolAddress } from '../../shared/store/pool.ts'
import { readHeldTicket } from '../../shared/store/ticket.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { RowWrite } from './consume.ts'

/**
 * What a change says of the denials before it: who was denied and gets a place, or a ticket, soon after. It writes
 * nothing where the same holder was not denied shortly before, which two small reads tell.
 */
export async function denialMarks(
  table: Table,
  address: PoolAddress,
  last: Last,
): Promise<readonly RowWrite[]> {
  const holder = holderOf(last)
  const who = whoOf(holder, actorOf(last).subject, last.ref)
  if (who === undefined) return []
  const at = fromEpochMilliseconds(last.at)
  switch (last.op) {
    case 'out':
    case 'borrow': {
      const denials = await readDenialsBefore(table, address, who, at)
      return denials.map((denial) =>
        explainDenial(address, denial, { granted: at, grantedBy: howOf(denial.holder, holder) }),
      )
    }
    case 'join': {
      const denials = await readDenialsBefore(table, address, who, at)
      return denials.map((denial) => explainDenial(address, denial, { ticket: last.ref, queued: at }))
    }
    case 'claim': {
      const ticket = await readHeldTicket(table, address, last.ref)
      if (ticket === undefined) return []
      const denials = await readDenialsBefore(table, address, who, ticket.createdAt)
      return denials
        .filter((denial) => denial.ticket === last.ref)
        .map((denial) => explainDenial(address, denial, { granted: at, grantedBy: 'queued-then-served' }))
    }
    default:
      return []
  }
}

/** The same person on another machine went elsewhere. */
const howOf = (denied: Holder, granted: Holder) => (denied.machine === granted.machine ? 'retry' : 'failover')
