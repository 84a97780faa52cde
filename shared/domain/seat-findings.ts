import { type Finding, finding } from './finding.ts'
import type { Pending } from './seat.ts'
import type { User } from './user.ts'

/** What a validation knows of the person who asks: its status, and how it stands to the seats of the product. */
export type SeatHolder = Pick<User, 'status'> & {
  /** Has it a seat of the product, of whatever pool? A combined one stands for those of single modules. */
  readonly holds: boolean
  /** What it waits for of the product. */
  readonly pending: readonly Pick<Pending, 'metric' | 'reason' | 'because'>[]
}

/** Where the tenant manages the product's seats here: the person who asks, if there is one. */
export type AskedSeat = { readonly holder: SeatHolder | undefined }

/** May this person use a license for named users? Nothing where nobody is named, or seats are not managed here. */
export function seatFindings(asked: AskedSeat | undefined): Finding[] {
  if (asked === undefined) return []
  const { holder } = asked
  if (holder !== undefined && holder.status !== 'active') {
    return [
      finding(
        'USER_INACTIVE',
        'user',
        `The person who asks is ${holder.status}.`,
        holder.status === 'suspended' ? 'End the suspension.' : 'Restore the person.',
      ),
    ]
  }
  if (holder?.holds) return []
  const [pending] = holder?.pending ?? []
  if (pending === undefined) {
    return [
      finding(
        'SEAT_REQUIRED',
        'user',
        'The person who asks has no seat of the product.',
        'Give the person a role that has a seat, or a seat by hand; name it by its id or external id.',
      ),
    ]
  }
  const [why, cure] = whyPending(pending)
  return [
    finding(
      'SEAT_PENDING',
      `metric:${pending.metric}`,
      `The person who asks waits for a seat (${pending.reason}): ${why}.`,
      cure,
    ),
  ]
}

function whyPending({ metric, reason, because }: SeatHolder['pending'][number]): [why: string, cure: string] {
  const other = because ?? 'another module'
  switch (reason) {
    case 'NO_CAPACITY':
      return [`all ${metric} are taken`, `Free a seat of ${metric}, or buy more.`]
    case 'NOT_LICENSED':
      return [`no license in force gives ${metric}`, `Buy a license that gives ${metric}.`]
    case 'MUTUALLY_EXCLUSIVE':
      return [`it excludes that of ${other}`, `Take the seat of ${other} from the person first.`]
    case 'MISSING_DEPENDENCY':
      return [`it requires that of ${other}`, `Give the person a seat of ${other} first.`]
    case 'NOT_ALLOWED_HERE':
      return [
        `no license gives ${metric} where the person works`,
        'Correct where the person works, or ask the vendor to cover that country.',
      ]
  }
}
