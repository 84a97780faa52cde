import type { Activation } from '../../shared/domain/activation.ts'
import { MACHINES } from '../../shared/domain/activation.ts'
import type { MachinePool } from '../../shared/domain/activation-pool.ts'
import type { MachineTerms } from '../../shared/domain/activation-terms.ts'
import { UNLIMITED } from '../../shared/domain/overdraft.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { readMachines } from '../../shared/store/activation.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { MachineAsking } from '../machine-situation.ts'
import type { CommitRequest } from '../services.ts'

/** The machines a refusal names; the tenant's list has all. */
const SHOWN = 5

/** The machines that are looked at for these, the oldest. */
const LOOKED_AT = 1_000

/** Every place is taken: how many there are, and, for whom it concerns, which machines were longest not heard of. */
export async function exhausted(
  { caller }: CommitRequest,
  { tenantId, productId }: MachineAsking,
  { size: { capacity, limit } }: MachineTerms,
  { used }: MachinePool,
  table: Table,
): Promise<Refusal> {
  const overdraft = limit > capacity ? `, ${limit - capacity} of them overdraft` : ''
  const detail = `${used} of ${limit} places for machines are taken${overdraft}.`
  // A license key may be anybody's who has the application; who else uses it is the tenant's to know.
  if (caller.kind === 'license') return full(detail)
  const machines: Activation[] = []
  for await (const machine of readMachines(table, tenantId, productId)) {
    machines.push(machine)
    if (machines.length === LOOKED_AT) break
  }
  const idle = machines
    .toSorted((a, b) => (heardOf(a) < heardOf(b) ? -1 : 1))
    .slice(0, SHOWN)
    .map((one) => `${[one.id, one.name ?? one.hostname].filter(Boolean).join(' ')} (${heardOf(one)})`)
  const among = machines.length === LOOKED_AT ? ` of the ${LOOKED_AT} oldest` : ''
  return full(`${detail} Longest not heard of${among}: ${idle.join(', ')}.`)

  function full(said: string): Refusal {
    return refuse('ACTIVATIONS_EXHAUSTED', said, {
      pool: {
        metric: MACHINES,
        units: 1,
        capacity: shown(capacity),
        limit: shown(limit),
        used,
        waiting: 0,
      },
    })
  }
}

const heardOf = ({ pulse, activatedAt }: Activation) => pulse.lastAt ?? activatedAt
const shown = (units: number) => (units >= UNLIMITED ? 'unlimited' : units)
