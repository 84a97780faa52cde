import { type Activation, hashesOf, sameMachine } from '../shared/domain/activation.ts'
import { type MachinePool, promotable } from '../shared/domain/activation-pool.ts'
import { type MachineTerms, machineTerms } from '../shared/domain/activation-terms.ts'
import { type Component, inCommon, needed } from '../shared/domain/fingerprint.ts'
import { isDead } from '../shared/domain/heartbeat.ts'
import type { Holdings } from '../shared/domain/holdings.ts'
import { isRefusal, type Refusal, refuse } from '../shared/domain/refusal.ts'
import type { LicenseId, ProductId, TenantId } from '../shared/platform/ids.ts'
import type { Instant } from '../shared/platform/time.ts'
import { readActivations, readMachines } from '../shared/store/activation.ts'
import { readFingerprints, type TakenFingerprint } from '../shared/store/activation-fingerprints.ts'
import { readMachinePool } from '../shared/store/activation-pool.ts'
import { readHoldings } from '../shared/store/holdings.ts'
import type { Table } from '../shared/store/transact.ts'
import { hashedComponents } from './fingerprint-hash.ts'
import type { VerifyingServices } from './verified.ts'

/** Whose machine of which product a question is about, and under which license, if a license key asks. */
export type MachineAsking = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly licenseId?: LicenseId
}

/** All that a decision about a machine is made on. */
export type Situation = {
  readonly pool: MachinePool
  readonly holdings: Holdings
  readonly terms: MachineTerms
  /** The components of the machine, as they are stored. */
  readonly components: Activation['components']
  readonly known: readonly TakenFingerprint[]
  /** The activations that have one of these components. */
  readonly owners: readonly Activation[]
}

/** Reads the situation: the fence before the licenses (see store/fence.ts), the owners after the fingerprints. */
export async function lookAt(
  { tenantId, productId, licenseId }: MachineAsking,
  machine: readonly Component[],
  now: Instant,
  { table, verifier, secrets }: Pick<VerifyingServices, 'table' | 'verifier' | 'secrets'>,
): Promise<Situation | Refusal> {
  const pool = await readMachinePool(table, tenantId, productId)
  const holdings = await readHoldings(table, tenantId, productId)
  const terms = machineTerms(holdings, licenseId, now, verifier.isGenuine)
  if (isRefusal(terms)) return terms
  const components = hashedComponents(machine, tenantId, secrets)
  const known = await readFingerprints(table, tenantId, productId, terms.scope, hashesOf({ components }))
  const taken = known.filter(({ seenUntil }) => seenUntil === undefined)
  const owners = await readActivations(table, tenantId, [
    ...new Set(taken.map(({ activationId }) => activationId)),
  ])
  return { pool, holdings, terms, components, known, owners }
}

/** Whose machine this is: the same machine's activation, or the living and the dead that stand in its way. */
export function ownersOf(
  { owners, terms, components }: Pick<Situation, 'owners' | 'terms' | 'components'>,
  now: Instant,
): { same: Activation | undefined; living: Activation[]; dead: Activation[] } {
  const given = hashesOf({ components })
  const living = owners.filter(({ pulse }) => !isDead(pulse, now))
  return {
    same: sameMachine(living, terms.match, given),
    living,
    dead: owners.filter(({ pulse }) => isDead(pulse, now)),
  }
}

export function fingerprintTaken(living: readonly Activation[]): Refusal {
  const ids = living.map(({ id, name }) => (name === undefined ? id : `${id} (${name})`))
  return refuse('FINGERPRINT_TAKEN', `A component of this machine belongs to ${ids.join(', ')}.`)
}

/** Was this machine activated within the period that is remembered? `others` are its components known besides. */
export function isSeen(
  { known, terms, components }: Situation,
  leaving: readonly Activation[],
  now: Instant,
): boolean {
  const before = new Set([
    ...leaving.flatMap(hashesOf),
    ...known.flatMap(({ hash, seenUntil }) => (seenUntil !== undefined && seenUntil > now ? [hash] : [])),
  ])
  const given = hashesOf({ components })
  return inCommon([...before], given) >= needed(terms.match, given.length)
}

/**
 * Some dead machines whose place can be taken, more than needed where there are more, in random order: those who look
 * at the same time seldom reach for the same one. Nothing is read where no license ever asked for heartbeats.
 */
export async function findDead(
  table: Table,
  { tenantId, productId, licenses }: Holdings,
  most: number,
  now: Instant,
): Promise<Activation[]> {
  if (most <= 0 || licenses.every(({ rules }) => rules.heartbeat === undefined)) return []
  const dead: Activation[] = []
  for await (const activation of readMachines(table, tenantId, productId)) {
    if (isDead(activation.pulse, now)) dead.push(activation)
    if (dead.length >= most + SPARE) break
  }
  return shuffled(dead)
}

const SPARE = 16

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item)
}

/** The oldest overdraft grants that a change of the pool gives a place within the capacity. */
export async function findPromoted(
  table: Table,
  { tenantId, productId }: MachineAsking,
  pool: MachinePool,
  terms: Pick<MachineTerms, 'size'>,
  change: { used: number; overdrawn: number },
  leaving: readonly Activation[],
): Promise<Activation[]> {
  const most = promotable(pool, terms.size, change)
  const promoted: Activation[] = []
  if (most === 0) return promoted
  for await (const activation of readMachines(table, tenantId, productId)) {
    if (activation.overdraft && !leaving.some(({ id }) => id === activation.id)) promoted.push(activation)
    if (promoted.length === most) break
  }
  return promoted
}
