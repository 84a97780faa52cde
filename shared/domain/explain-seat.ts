import type { Instant } from '../platform/time.ts'
import { addDuration } from './calendar.ts'
import type { Product } from './catalog.ts'
import type { Way } from './explain-ways.ts'
import { type Cure, free, type Prediction, purchase, type Step, step } from './explanation.ts'
import { isQueued, type Pending, type PoolName, poolName, type Seat } from './seat.ts'
import { decideSeats, EMPTY_POOL, neededModules, type Seating } from './seat-decision.ts'
import { isSeated, type Seated } from './seat-target.ts'
import { isAllowedAt } from './seat-terms.ts'
import type { Tenant } from './tenant.ts'
import type { User } from './user.ts'

/** A person and a product with seats, as the operations on its seats find them. */
type SeatSituation = {
  readonly user: User
  readonly seats: readonly Seat[]
  readonly product: Product
  readonly seating: Seating & { readonly tenant: Tenant }
  /** At which place the person waits, from 1; absent where it stands further back than was looked. */
  readonly places: ReadonlyMap<PoolName, number>
  /** Some who have a seat and were not seen lately. */
  readonly idle: ReadonlyMap<PoolName, readonly Pick<User, 'id' | 'name'>[]>
}

/** What nobody can have who is no person of the tenant. */
export const strangerWay = (): Way => ({
  granted: false,
  what: 'nobody of this name is known here',
  steps: [step('person', false, 'no person of the tenant has this id, external id or e-mail address')],
  cures: [
    free('tenant', 'Add the person (POST /v1/tenants/{tenantId}/users), with a role that gives a seat.'),
  ],
})

/** Has the person a seat, of which modules, and why not of the others? Decided by the rule that gives seats. */
export function seatWay(situation: SeatSituation, now: Instant): Way {
  const { user, seats, product } = situation
  const modules = product.modules.filter(isSeated)
  const own = seats.filter(({ productId }) => productId === product.id)
  const has = (code: string) => own.find((seat) => seat.modules.includes(code))
  const held = modules.filter(({ code }) => has(code))
  const needed = neededModules(user, product)
  const lacking = modules.filter(({ code }) => needed.has(code) && !has(code))
  const pendingOf = (code: string) =>
    user.pending.find((one) => one.productId === product.id && !one.instead && one.modules.includes(code))
  const isActive = user.status === 'active'
  const granted = isActive && held.length > 0
  const list = (some: readonly Seated[]) => some.map(({ code }) => code).join(', ')
  const what = !isActive
    ? `${user.name} is ${user.status}`
    : granted
      ? `has a seat of ${list(held)}`
      : lacking.length > 0
        ? `waits for a seat of ${list(lacking)}`
        : 'no role of the person needs a seat'
  return {
    granted,
    what,
    steps: [
      step('person', isActive, `${user.name} is ${user.status}; roles: ${user.roles.join(', ') || 'none'}`),
      ...modules.flatMap((module) =>
        moduleSteps(module, situation, needed.get(module.code), has(module.code), now),
      ),
      step(
        'how long changes take',
        true,
        'immediately: seats follow in the same operation; one that a new license brings is given within five minutes',
      ),
    ],
    predictions: modules.filter(({ code }) => !has(code)).map((module) => predict(module, situation, now)),
    cures: granted && lacking.length === 0 ? [] : cures(),
  }

  function cures(): Cure[] {
    if (!isActive) {
      const cure =
        user.status === 'archived' ? 'Restore the person.' : 'Set the status of the person to active.'
      return [free('tenant', `${cure} Its roles give it seats at once, where some are free.`)]
    }
    const waiting = lacking.flatMap((module) => {
      const pending = pendingOf(module.code)
      return pending ? pendingCures(pending, situation) : []
    })
    if (waiting.length > 0) return waiting
    return modules
      .filter(({ code }) => !has(code))
      .map(({ code, seat }) => {
        const roles = seat.roles.filter((role) => !user.roles.includes(role))
        const byHand = `a seat of ${code} by hand.`
        return free(
          'tenant',
          roles.length > 0 && !withheldOf(user, product, code)
            ? `Give the role ${roles.join(' or ')}, or give ${byHand}`
            : `Give ${byHand}`,
        )
      })
  }
}

const withheldOf = (user: User, product: Product, code: string) =>
  user.withheld.find((one) => one.productId === product.id && one.module === code)

function moduleSteps(
  { code, seat: { metric, roles } }: Seated,
  { user, product, seating, places }: SeatSituation,
  sources: readonly string[] | undefined,
  held: Seat | undefined,
  now: Instant,
): Step[] {
  const name = poolName({ productId: product.id, metric })
  const terms = seating.terms.get(name)
  const withheld = withheldOf(user, product, code)
  const pending = user.pending.find((one) => poolName(one) === name && one.modules.includes(code))
  if (sources === undefined && held === undefined && withheld === undefined && roles.length === 0) return []
  const { assigned, committed, queued } = seating.pools.get(name) ?? EMPTY_POOL
  const steps = [
    step(
      `${code} is needed`,
      sources !== undefined,
      sources?.join(', ') ??
        (withheld
          ? `withheld by ${withheld.by} at ${withheld.at}${withheld.reason ? `: ${withheld.reason}` : ''}`
          : `only by the roles ${roles.join(', ') || '–'}, or by hand`),
    ),
  ]
  if (sources === undefined && held === undefined) return steps
  const isLicensed = terms !== undefined && terms.licenses.length > 0
  const until =
    held &&
    seating.policy.cooldown &&
    addDuration(held.assignedAt, seating.policy.cooldown, seating.tenant.timeZone)
  const place = places.get(name)
  return [
    ...steps,
    step(
      `${metric} is licensed`,
      isLicensed && isAllowedAt(terms, user.usageLocation),
      isLicensed
        ? `${terms.licenses.map(({ id }) => id).join(', ')}${isAllowedAt(terms, user.usageLocation) ? '' : `; none for ${user.usageLocation ?? 'an unknown place'}`}`
        : 'no license in force gives seats of it',
    ),
    step(
      `seat of ${code}`,
      held !== undefined,
      held
        ? `since ${held.assignedAt}, by ${held.sources.join(', ')}${held.pinned ? ', pinned' : ''}`
        : pending
          ? `pending since ${pending.since}: ${pending.reason}${pending.because ? ` (${pending.because})` : ''}${place ? `, at place ${place} of ${queued}` : ''}`
          : 'none',
    ),
    ...(until && until > now ? [step('cooldown', true, `it stays at least until ${until}`)] : []),
    step(
      `${metric} has a free seat`,
      committed < (terms?.limit ?? 0) && queued === 0,
      `${assigned} of ${terms?.limit ?? 0} assigned, ${committed - assigned} reserved, ${queued} waiting`,
    ),
  ]
}

/** What giving it by hand would answer, by the same decision. */
function predict(
  { code }: Seated,
  { user, seats, product, seating }: SeatSituation,
  now: Instant,
): Prediction {
  const operation = `POST /v1/tenants/{tenantId}/users/{userId}/seats (${code})`
  if (user.status !== 'active') return { operation, outcome: 'SEAT_BLOCKED' }
  const isIt = (one: User['direct'][number]) => one.productId === product.id && one.module === code
  const facts: User = {
    ...user,
    direct: [
      ...user.direct.filter((one) => !isIt(one)),
      { productId: product.id, module: code, at: now, by: '' },
    ],
    withheld: user.withheld.filter((one) => !isIt(one)),
  }
  const gap = decideSeats(facts, seats, seating, now).pending.find(
    (one) => one.productId === product.id && one.modules.includes(code),
  )
  if (gap === undefined) return { operation, outcome: 'OK' }
  return { operation, outcome: isQueued(gap) ? 'SEATS_EXHAUSTED' : 'SEAT_BLOCKED' }
}

function pendingCures(pending: Pending, { seating, places, idle }: SeatSituation): Cure[] {
  const { reason, because, metric, modules } = pending
  const name = poolName(pending)
  const [place, some] = [places.get(name), idle.get(name) ?? []]
  const what = modules.join(', ')
  switch (reason) {
    case 'NO_CAPACITY':
    case 'NOT_LICENSED': {
      const { committed, queued } = seating.pools.get(name) ?? EMPTY_POOL
      const beyond = Math.max(0, committed - (seating.terms.get(name)?.limit ?? 0))
      const missing = beyond + (place ?? queued)
      const who = some.map((one) => `${one.name} (${one.id})`).join(', ')
      return [
        free(
          'nobody',
          `A seat of ${what} is given once ${missing} ${missing === 1 ? 'is' : 'are'} given back.`,
        ),
        ...(who ? [free('tenant', `Revoke a seat of somebody who was not seen lately: ${who}.`)] : []),
        purchase(`Buy ${beyond + queued} more of ${metric}: that seats everybody who waits.`),
      ]
    }
    case 'MUTUALLY_EXCLUSIVE':
      return [free('tenant', `Revoke the seat of ${because}, which excludes ${what}.`)]
    case 'MISSING_DEPENDENCY':
      return [free('tenant', `Give a seat of ${because}, which ${what} needs.`)]
    case 'NOT_ALLOWED_HERE':
      return [free('tenant', `Set where the person works to a country that a license for ${what} covers.`)]
  }
}
