import type { LicenseId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import type { Activation } from './activation.ts'
import { isNodeLocked } from './activation-terms.ts'
import { curesOf, standingStep } from './explain-license.ts'
import {
  checkOutOf,
  deniedText,
  holderText,
  outcomeOf,
  type PoolSituation,
  poolCures,
  poolSteps,
} from './explain-pool.ts'
import {
  type Cure,
  elsewhereCures,
  free,
  type Prediction,
  type Sight,
  type Step,
  step,
} from './explanation.ts'
import { isDead, stateAt } from './heartbeat.ts'
import type { Standing } from './holdings.ts'
import type { CheckedOut } from './lease-request.ts'
import { nameOf, sharingOf } from './lease-terms.ts'
import type { Place } from './place.ts'
import type { Ask } from './pool-grant.ts'
import { isFloating, limitOf, seconds } from './pool-terms.ts'
import type { Question } from './question.ts'
import type { Refusal } from './refusal.ts'
import { scopeFindings } from './scope-findings.ts'
import { isNamed } from './seat-terms.ts'

/** A person, as far as the question says who it is. */
export type Person = {
  readonly userId?: string | undefined
  readonly department?: string | undefined
  /** What a validation would be asked about the person. */
  readonly question: Question
}

export type UserFacts = {
  readonly person: Person
  /** The license whose key asks: it opens only its own way. */
  readonly own: Standing | undefined
  readonly standings: readonly Standing[]
  /** Where the licenses that are limited to countries see the person. */
  readonly places: ReadonlyMap<LicenseId, Place>
  /** Why the license whose key asks gives nothing. */
  readonly refused: Refusal | undefined
  /** The pools of floating licenses. */
  readonly pools: readonly PoolSituation[]
  /** The person's machines; empty where the caller may not know. */
  readonly machines: readonly Activation[]
}

/** One way to use the product: what it takes, and whether it is open. */
export type Way = {
  readonly granted: boolean
  readonly what: string
  readonly steps: readonly Step[]
  readonly predictions?: readonly Prediction[]
  readonly cures: readonly Cure[]
}

/** Each site license: is the person inside its boundary, by the rule of a validation? */
export function siteWays({ person, standings, own, places }: UserFacts): Way[] {
  return standings
    .filter((one) => one.license.allocation === 'site' && (own === undefined || one === own))
    .map((standing): Way => {
      const { license, counts } = standing
      const found = scopeFindings(license, { ...person.question, place: places.get(license.id) })
      const errors = found.filter(({ severity }) => severity === 'error')
      const boundary = Object.entries({ ...license.rules.site, countries: license.rules.countries?.allow })
        .flatMap(([name, list]) => (list ? [`${name} ${list.join(', ')}`] : []))
        .join('; ')
      const isInside = errors.length === 0
      return {
        granted: counts && isInside,
        what: isInside
          ? 'inside the licensed site'
          : errors.map(({ detail }) => detail.replace(/\.$/, '')).join(', '),
        steps: [
          standingStep(standing),
          step(
            'inside the site',
            isInside,
            `${boundary || 'no boundary'}: ${isInside ? 'inside' : errors.map(({ detail }) => detail).join(' ')}`,
            license.id,
          ),
        ],
        cures: [
          ...errors.map(({ cure }) => free('caller', cure, { licenseId: license.id })),
          ...(counts ? [] : curesOf([standing], `Buy a site license for ${license.productCode}.`)),
        ],
      }
    })
}

/** A pool: what the person holds of it, and what a check-out would come to. */
export function floatingWay(
  situation: PoolSituation,
  { person, refused, standings }: UserFacts,
  sight: Sight,
  now: Instant,
): Way {
  const { metric, holders, line } = situation
  const at = seconds(now)
  const { userId, department } = person
  const found: CheckedOut = refused
    ? { is: 'none' }
    : checkOutOf(situation, 1, department, at, askOf(situation, userId))
  const isOwn = (holder: { userId?: string | undefined } | undefined) =>
    userId !== undefined && holder?.userId === userId
  const held = holders.filter(({ holder, lapsed }) => isOwn(holder) && !lapsed)
  const tickets = sight.others ? (line?.tickets ?? []) : []
  const waits = tickets.findIndex(({ holder }) => isOwn(holder))
  const { elsewhere } = situation
  const isGranted = (found.is === 'granted' && elsewhere === undefined) || held.length > 0
  return {
    granted: isGranted,
    what: held.length > 0 ? `holds ${held.length} of ${metric}` : whatOf(metric, found, elsewhere),
    steps: [
      ...(sight.others && userId !== undefined
        ? [
            step(
              `holds ${metric}`,
              held.length > 0,
              held.map(holderText).join('; ') ||
                'none that is known; a check-out is known by name within seconds',
            ),
          ]
        : []),
      ...deniedSteps(situation, userId),
      ...(waits < 0 ? [] : [step(`waits for ${metric}`, true, `ticket at place ${waits + 1} of the queue`)]),
      ...(department === undefined || !sight.others ? [] : [departmentStep(situation, department)]),
      ...poolSteps(situation, 1, found, sight, at),
    ],
    predictions: [{ operation: `POST /v1/leases (${metric})`, outcome: outcomeOf(found, elsewhere) }],
    cures: isGranted
      ? []
      : elsewhere
        ? elsewhereCures(elsewhere)
        : found.is === 'full'
          ? poolCures(situation, 1, found.line, sight, at, userId)
          : curesOf(standings.filter(isFloating), `Buy a floating license for ${metric}.`),
  }
}

function whatOf(metric: string, found: CheckedOut, elsewhere: Refusal | undefined): string {
  if (elsewhere) return elsewhere.detail.replace(/\.$/, '')
  switch (found.is) {
    case 'granted':
      return `a check-out of ${metric} would be granted`
    case 'full':
      return `no place in ${metric} is free`
    case 'none':
      return `no license of ${metric} is in force`
  }
}

/** The last denials of the person, the latest first. */
function deniedSteps({ metric, denials }: PoolSituation, userId: string | undefined): Step[] {
  const own = denials.filter(({ denial }) => userId !== undefined && denial.holder.userId === userId)
  const latest = own.toSorted((a, b) => (a.denial.last < b.denial.last ? 1 : -1)).slice(0, 3)
  return latest.map(({ denial }) =>
    step(`denied ${metric}`, denial.granted !== undefined, deniedText(denial)),
  )
}

/** What a check-out would ask: where a user's processes share one unit, for that unit. */
function askOf({ terms }: PoolSituation, userId: string | undefined): Partial<Ask> {
  const sharing = sharingOf([terms.size])
  const ref = sharing === 'user' && userId !== undefined ? nameOf('user', userId) : ''
  return { ref, kind: sharing === 'process' ? 'lease' : 'shared' }
}

function departmentStep({ metric, holders, terms }: PoolSituation, department: string): Step {
  const units = new Map<string, number>()
  for (const one of holders) {
    if (one.lapsed) continue
    const name = one.department ?? 'no department'
    units.set(name, (units.get(name) ?? 0) + one.units)
  }
  const shares = [...units].toSorted(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`)
  return step(
    `${metric} by department`,
    true,
    `${department} holds ${units.get(department) ?? 0}${ofDepartment(terms, department)}; all: ${shares.join(', ') || 'none'}`,
  )
}

/** What the department has of the pool, where it is shared out. */
function ofDepartment({ shares }: PoolSituation['terms'], department: string): string {
  const own = [...(shares?.values() ?? [])].find((one) => one.department === department)
  if (own === undefined) return shares === undefined ? '' : ', and has no share of its own'
  const most = limitOf(own.maximum)
  return `, of a share of ${own.share}, ${own.kept} guaranteed, ${most === 'unlimited' ? 'no maximum' : `${most} at most`}`
}

/** Node-locked licenses let in whoever sits at a machine that is activated. */
export function machineWays({ person, standings, machines }: UserFacts, sight: Sight, now: Instant): Way[] {
  const locked = standings.filter((one) => isNodeLocked(one) && one.license.type === 'NORMAL')
  if (locked.length === 0) return []
  const living = machines.filter(({ pulse }) => !isDead(pulse, now))
  const counts = locked.some((one) => one.counts)
  const seen = machines.map(
    ({ id, name, pulse }) => `${id}${name ? ` (${name})` : ''} ${stateAt(pulse, now)}`,
  )
  return [
    {
      granted: counts && living.length > 0,
      what: living.length > 0 ? `has ${living.length} activated machines` : 'it depends on the machine',
      steps: [
        ...locked.map(standingStep),
        ...(sight.others && person.userId !== undefined
          ? [step('machines', living.length > 0, seen.join('; ') || 'none is activated under this user id')]
          : []),
      ],
      cures: counts
        ? [free('caller', 'Activate the machine (POST /v1/activations); explain it by its fingerprints.')]
        : curesOf(locked, 'Buy a node-locked license.'),
    },
  ]
}

/** Named licenses: a validation asks for no seat, so that they let in everybody. */
export function openWays({ standings }: UserFacts): Way[] {
  const named = standings.filter((one) => isNamed(one) && one.license.type !== 'VALIDITY')
  if (named.length === 0) return []
  const granted = named.some(({ counts }) => counts)
  const [code = 'it'] = named.map(({ license }) => license.productCode)
  return [
    {
      granted,
      what: granted ? 'a named license counts, and a validation asks for no seat' : 'no named license counts',
      steps: named.map(standingStep),
      cures: curesOf(named, `Buy another license for ${code}.`),
    },
  ]
}
