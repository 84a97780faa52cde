import * as z from 'zod'
import { ActivationId, LicenseId, ProductId, TenantId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { inCommon, type MatchRule, matches } from './fingerprint.ts'
import { deathOf, HEARTBEAT_STATES, Pulse, stateAt } from './heartbeat.ts'
import { Code } from './terms.ts'

/** The product whose machines are activated draws its places from the pool of this metric. */
export const MACHINES = 'machines'

/** What a person may want to know a machine by. */
export const Label = z.string().trim().min(1).max(200)

/** A machine that holds a place: one row for each place in use. */
export const Activation = z.strictObject({
  id: ActivationId,
  tenantId: TenantId,
  productId: ProductId,
  /** The license it was asked under. The place itself is the pool's, whichever license gives it. */
  licenseId: LicenseId,
  /** Within what its components are unique: `product`, `plan:pln_…` or `license:lic_…`. */
  scope: z.string(),
  /** Keyed hashes; what a component really is, is stored nowhere. */
  components: z
    .array(z.strictObject({ component: Code.optional(), hash: z.string() }))
    .min(1)
    .max(20),
  name: Label.optional(),
  platform: Label.optional(),
  hostname: Label.optional(),
  userId: z.string().max(100).optional(),
  /** Granted beyond the capacity. */
  overdraft: z.boolean(),
  /** Activated by file: it sends no heartbeats. */
  offline: z.boolean(),
  pulse: Pulse,
  activatedAt: Instant,
  /** The activation whose place it took over. */
  movedFrom: ActivationId.optional(),
  /** Counts the writes of this row, heartbeats aside. */
  version: z.int().positive(),
})
export type Activation = z.infer<typeof Activation>

/** An activation as the API shows it: names of its components, no hashes. */
export const ActivationView = z
  .strictObject({
    id: ActivationId,
    tenantId: TenantId,
    productId: ProductId,
    licenseId: LicenseId,
    components: z.array(Code),
    fingerprints: z.int(),
    name: Label.optional(),
    platform: Label.optional(),
    hostname: Label.optional(),
    userId: z.string().optional(),
    overdraft: z.boolean(),
    offline: z.boolean(),
    state: z.enum(HEARTBEAT_STATES),
    activatedAt: Instant,
    lastHeartbeatAt: Instant.optional(),
    /** From then on it counts as dead and its place is anybody's, unless a heartbeat comes before. */
    deadAt: Instant.optional(),
    movedFrom: ActivationId.optional(),
  })
  .meta({ id: 'Activation' })
export type ActivationView = z.infer<typeof ActivationView>

export function activationView(activation: Activation, now: Instant): ActivationView {
  const { scope: _, version: __, pulse, components, ...shown } = activation
  const deadAt = deathOf(pulse, now)
  return {
    ...shown,
    components: components.flatMap(({ component }) => component ?? []),
    fingerprints: components.length,
    state: stateAt(pulse, now),
    ...(pulse.lastAt && { lastHeartbeatAt: pulse.lastAt }),
    ...(deadAt && { deadAt }),
  }
}

export const hashesOf = ({ components }: Pick<Activation, 'components'>) => components.map(({ hash }) => hash)

/** The activation of the machine with these components: the one with most of them, of equals the oldest. */
export function sameMachine(
  activations: readonly Activation[],
  rule: MatchRule,
  given: readonly string[],
): Activation | undefined {
  return activations
    .filter((one) => matches(rule, hashesOf(one), given))
    .toSorted((a, b) => inCommon(hashesOf(b), given) - inCommon(hashesOf(a), given) || (a.id < b.id ? -1 : 1))
    .at(0)
}
