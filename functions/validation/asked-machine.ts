import { type Activation, hashesOf, MACHINES, sameMachine } from '../../shared/domain/activation.ts'
import { isNodeLocked, machineTerms } from '../../shared/domain/activation-terms.ts'
import type { Component } from '../../shared/domain/fingerprint.ts'
import { isDead } from '../../shared/domain/heartbeat.ts'
import type { Holdings, Standing } from '../../shared/domain/holdings.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import type { ActivationId } from '../../shared/platform/ids.ts'
import { Remembered } from '../../shared/platform/remembered.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { readActivations } from '../../shared/store/activation.ts'
import { readFingerprints } from '../../shared/store/activation-fingerprints.ts'
import { hashedComponents } from '../fingerprint-hash.ts'
import type { VerifyingServices } from '../verified.ts'

// Which activation a machine has changes seldom, and its row tells: a wrong memory costs reads, never a wrong answer.
const remembered = new Remembered<string, ActivationId>(50_000)

type Fingerprints = {
  readonly fingerprint?: string | undefined
  readonly fingerprints?: readonly Component[] | undefined
}

/** The components of the machine that asks; none where it does not name them. */
export const partsOf = ({ fingerprint, fingerprints = [] }: Fingerprints): Component[] => [
  ...fingerprints,
  ...(fingerprint === undefined ? [] : [{ value: fingerprint }]),
]

/**
 * The activation of the machine that asks. Looked up only if a fingerprint is sent and the license counts machines;
 * one that was bound to machines at issue is held against those instead. In steady state one consistent read.
 */
export async function askedMachine(
  { license, base, counts }: Standing,
  holdings: Holdings,
  { fingerprint, fingerprints }: Fingerprints,
  now: Instant,
  { table, verifier, secrets }: VerifyingServices,
): Promise<{ activation: Activation | undefined } | undefined> {
  const parts = partsOf({ fingerprint, fingerprints })
  const countsMachines = isNodeLocked({ license, base }) && Object.hasOwn(license.limits, MACHINES)
  if (parts.length === 0 || !countsMachines || license.fingerprints !== undefined) return undefined
  // What is not in force is told by the findings of the license itself.
  const terms = machineTerms(holdings, counts ? license.id : undefined, now, verifier.isGenuine)
  // A scope of its own a license has only while it counts: in another's no machine of it is found.
  if (isRefusal(terms) || !(counts || terms.scope === 'product')) return undefined
  const { tenantId, productId } = holdings
  const { scope, match } = terms
  const given = hashesOf({ components: hashedComponents(parts, tenantId, secrets) })

  async function among(ids: readonly ActivationId[]) {
    const found = (await readActivations(table, tenantId, ids)).filter((one) => one.scope === scope)
    const living = found.filter(({ pulse }) => !isDead(pulse, now))
    return sameMachine(living, match, given) ?? sameMachine(found, match, given)
  }

  const place = [tenantId, productId, scope, ...given].join(' ')
  const known = remembered.get(place)
  const before = known && (await among([known]))
  if (before !== undefined) return { activation: before }
  const taken = await readFingerprints(table, tenantId, productId, scope, given)
  const owners = taken.flatMap(({ activationId, seenUntil }) =>
    seenUntil === undefined ? [activationId] : [],
  )
  const activation = owners.length === 0 ? undefined : await among([...new Set(owners)])
  if (activation !== undefined) remembered.set(place, activation.id)
  return { activation }
}
