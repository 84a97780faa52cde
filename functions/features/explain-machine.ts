import type { Activation } from '../../shared/domain/activation.ts'
import { ActivationView } from '../../shared/domain/activation.ts'
import { machineTerms } from '../../shared/domain/activation-terms.ts'
import { explainMachine, type MachineFacts } from '../../shared/domain/explain-machine.ts'
import { becameOf, endOf } from '../../shared/domain/explain-record.ts'
import type { Explanation } from '../../shared/domain/explanation.ts'
import type { Component } from '../../shared/domain/fingerprint.ts'
import { type Holdings, standings } from '../../shared/domain/holdings.ts'
import { isRefusal, notFound, type Refusal } from '../../shared/domain/refusal.ts'
import type { ActivationId, TenantId } from '../../shared/platform/ids.ts'
import { readActivation, readMachines } from '../../shared/store/activation.ts'
import { readMachinePool } from '../../shared/store/activation-pool.ts'
import { readLastEvents } from '../../shared/store/event.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { AskedProduct } from '../asked-product.ts'
import { planActivation, planMove } from '../machine-plan.ts'
import { lookAt, ownersOf, type Situation } from '../machine-situation.ts'
import { type Named, refusedHere } from '../places.ts'
import { EVENTS } from './explain-lease.ts'
import { type AskedBy, type ExplainServices, licenseOf, sightOf } from './explain-sight.ts'

/** A machine by its fingerprints: would it be activated, or is it? */
export async function aboutMachine(
  asked: AskedBy,
  place: AskedProduct,
  fingerprints: readonly Component[],
  services: ExplainServices,
): Promise<Explanation> {
  return explain(asked, place, { fingerprints }, services)
}

/** An activation by its id; with fingerprints, whether its place would go to their machine. */
export async function aboutActivation(
  asked: AskedBy,
  tenantId: TenantId,
  activationId: ActivationId,
  fingerprints: readonly Component[] | undefined,
  services: ExplainServices,
): Promise<Explanation | Refusal> {
  const { table } = services
  const { caller } = asked
  const activation = await readActivation(table, tenantId, activationId)
  const isOwn = (one: AskedProduct) => caller.kind !== 'license' || caller.productId === one.productId
  if (activation !== undefined)
    return isOwn(activation) ? explain(asked, activation, { activation, fingerprints }, services) : notFound
  // Of one that is over only the record knows; what is in nobody's record never was.
  const events = await readLastEvents(table, tenantId, EVENTS)
  const was = ActivationView.safeParse(endOf(events, activationId)?.before)
  if (!was.success || !isOwn(was.data)) return notFound
  const became = becameOf(events, activationId, caller.kind !== 'license') ?? ''
  const file = was.data.offline ? '; its offline file verifies until its licenses end' : ''
  return explain(asked, was.data, { became: `${became}${file}` }, services)
}

type About = {
  readonly activation?: Activation
  readonly fingerprints?: readonly Component[] | undefined
  readonly became?: string
}

async function explain(
  asked: AskedBy,
  { tenantId, productId }: AskedProduct,
  { activation, fingerprints, became }: About,
  services: ExplainServices,
): Promise<Explanation> {
  const { table, verifier } = services
  const { caller, now } = asked
  const licenseId = licenseOf(caller)
  const sight = await sightOf(asked, { tenantId, productId }, table)
  const pool = await readMachinePool(table, tenantId, productId)
  const holdings = await readHoldings(table, tenantId, productId)
  const asking = { tenantId, productId, ...(licenseId && { licenseId }) }
  const situation = fingerprints && (await lookAt(asking, fingerprints, now, services))
  const isKnown = situation !== undefined && !isRefusal(situation)
  const facts: MachineFacts = {
    standings: [...standings(holdings, now, verifier.isGenuine).values()],
    terms: machineTerms(holdings, licenseId, now, verifier.isGenuine),
    pool,
    activation,
    asked: isKnown ? await askedOf(situation, activation, table, asked) : undefined,
    machines: sight.others ? await machinesOf(table, holdings) : [],
    became,
    elsewhere: isKnown
      ? await elsewhereOf(asked, situation, { userId: activation?.userId, machine: fingerprints }, services)
      : undefined,
  }
  return explainMachine(facts, sight, now)
}

/** Why it would not be activated where it is, or get a place there. */
function elsewhereOf(
  asked: AskedBy,
  situation: Situation,
  named: Named,
  services: ExplainServices,
): Promise<Refusal | undefined> {
  const { same } = ownersOf(situation, asked.now)
  return refusedHere(asked, situation.terms.givers, asked.country, { ...named, activation: same }, services)
}

async function askedOf(
  situation: Situation,
  moving: Activation | undefined,
  table: Table,
  { now }: AskedBy,
): Promise<MachineFacts['asked']> {
  const { components, owners } = situation
  const place =
    moving === undefined ? await planActivation(situation, table, now) : planMove(situation, moving, now)
  return { components, owners, place }
}

export async function machinesOf(
  table: Table,
  { tenantId, productId }: Pick<Holdings, 'tenantId' | 'productId'>,
): Promise<Activation[]> {
  const machines: Activation[] = []
  for await (const machine of readMachines(table, tenantId, productId)) machines.push(machine)
  return machines
}
