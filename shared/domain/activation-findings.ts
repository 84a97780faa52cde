import { epochMilliseconds, type Instant } from '../platform/time.ts'
import type { Activation } from './activation.ts'
import { type Finding, finding } from './finding.ts'
import { stateAt } from './heartbeat.ts'

/** A machine that asks whether its license is valid, and its activation, if it has one. */
export type AskedMachine = { readonly activation: Pick<Activation, 'id' | 'pulse'> | undefined }

/** Is the machine that asks activated, and alive? Nothing is found of one that was not looked up. */
export function activationFindings(machine: AskedMachine | undefined, now: Instant): Finding[] {
  if (machine === undefined) return []
  const { activation } = machine
  if (activation === undefined) {
    return [
      finding(
        'NO_ACTIVATION',
        'machine',
        'This machine is not activated.',
        'Activate it (POST /v1/activations).',
      ),
    ]
  }
  const { id, pulse } = activation
  switch (stateAt(pulse, now)) {
    case 'DEAD':
      return [
        finding(
          'HEARTBEAT_DEAD',
          `activation:${id}`,
          'No heartbeat of this machine came in time; its place is anybody’s.',
          epochMilliseconds(now) < pulse.revivableUntil
            ? 'Send a heartbeat (POST /v1/activations/heartbeat) before another machine takes the place.'
            : 'Activate it again (POST /v1/activations).',
        ),
      ]
    case 'NOT_STARTED':
      if (!pulse.required) return []
      return [
        finding(
          'HEARTBEAT_NOT_STARTED',
          `activation:${id}`,
          'The license asks for heartbeats, and this machine has sent none.',
          'Send a heartbeat (POST /v1/activations/heartbeat).',
        ),
      ]
    case 'ALIVE':
    case 'REVIVED':
      return []
  }
}
