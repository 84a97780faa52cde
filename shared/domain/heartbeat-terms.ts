import { epochMilliseconds, type Instant, TimeZone } from '../platform/time.ts'
import { addDuration } from './calendar.ts'
import { FOREVER, NEVER, type Pulse } from './heartbeat.ts'
import type { Rules } from './terms.ts'

/** Milliseconds by which clocks may differ (market.md, 2.12). */
export const DRIFT = 30_000

const UTC = TimeZone.parse('UTC')

/** The pulse of a machine that is activated now. Without a rule heartbeats are taken, and nobody dies of their lack. */
export function newPulse(rule: Rules['heartbeat'], now: Instant): Pulse {
  const at = epochMilliseconds(now)
  if (rule === undefined) {
    return {
      required: false,
      life: FOREVER,
      revival: FOREVER,
      aliveUntil: NEVER,
      revivableUntil: NEVER,
      before: NEVER,
    }
  }
  const window = epochMilliseconds(addDuration(now, rule.window, UTC)) - at
  const life = window + DRIFT
  const revival = { never: life, 'within-window': life + window, always: FOREVER }[rule.revive]
  return {
    required: rule.required,
    life,
    revival,
    aliveUntil: rule.required ? at + life : NEVER,
    revivableUntil: rule.required ? at + revival : NEVER,
    before: NEVER,
  }
}
