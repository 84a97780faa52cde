import { expect, test } from 'vitest'
import { activationFindings } from '../../shared/domain/activation-findings.ts'
import { beaten } from '../../shared/domain/heartbeat.ts'
import { DRIFT, newPulse } from '../../shared/domain/heartbeat-terms.ts'
import { Rules } from '../../shared/domain/terms.ts'
import { ActivationId } from '../../shared/platform/ids.ts'
import { MINUTE, plusMilliseconds } from '../../shared/platform/time.ts'
import { at } from '../support/licenses.ts'

const START = at('2026-03-01T00:00:00Z')
const later = (minutes: number) => plusMilliseconds(START, minutes * MINUTE)
const pulse = (required: boolean) =>
  newPulse(
    Rules.parse({ heartbeat: { window: 'PT10M', revive: 'within-window', required } }).heartbeat,
    START,
  )
const drift = DRIFT / MINUTE
const [optional, required] = [pulse(false), pulse(true)]
const alive = beaten(required, START)
const AGAIN = 'Activate it again'
const BEAT = 'Send a heartbeat'

test.each([
  ['nothing, where it is not asked', undefined, 0, []],
  ['that it is not activated', { pulse: undefined }, 0, ['NO_ACTIVATION Activate it (']],
  ['nothing of one that lives', { pulse: alive }, 9, []],
  ['nothing before the first heartbeat, where that is not required', { pulse: optional }, 9999, []],
  ['that it has sent none yet, where it is', { pulse: required }, 9, [`HEARTBEAT_NOT_STARTED ${BEAT}`]],
  ['that it is dead, and may come back', { pulse: alive }, 10 + drift, [`HEARTBEAT_DEAD ${BEAT}`]],
  ['that it is dead, and may just come back', { pulse: alive }, 19, [`HEARTBEAT_DEAD ${BEAT}`]],
  ['that it is dead for good', { pulse: alive }, 20 + drift, [`HEARTBEAT_DEAD ${AGAIN}`]],
])('of a machine is found: %s', (_, asked, minutes, expected) => {
  const id = ActivationId.parse(`act_${'1'.padStart(26, '0')}`)
  const machine = asked && { activation: asked.pulse && { id, pulse: asked.pulse } }
  const found = activationFindings(machine, later(minutes))
  expect(found.map(({ code }) => code)).toEqual(expected.map((one) => one.split(' ')[0]))
  for (const [index, one] of expected.entries())
    expect(found[index]?.cure).toContain(one.slice(one.indexOf(' ') + 1))
})
