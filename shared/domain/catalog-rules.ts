import { valid as version, validRange as versionRange } from 'semver'
import { Day, Duration, Instant, shiftDay, TimeZone } from '../platform/time.ts'
import { addDuration } from './calendar.ts'
import type { Plan, Product } from './catalog.ts'
import type { Countries } from './country.ts'
import { undeclaredGrants } from './grants.ts'
import { MOST_DAYS } from './reclaim-rule.ts'
import { type FieldError, type Refusal, refuse } from './refusal.ts'

/** Bytes of JSON. An item of DynamoDB holds 400 KB, and an event has to hold such a resource twice. */
const LARGEST = 150_000

/** Is the product consistent in itself, and, if it was edited, still all that its licenses name? */
export function checkProduct(product: Product, before?: Product): Refusal | undefined {
  const errors = [
    ...undeclared(product),
    ...seatErrors(product),
    ...(before ? taken(before.metrics, product.metrics, 'metrics', (metric) => metric.kind) : []),
    ...(before ? slowed(before.metrics, product.metrics) : []),
    ...(before ? taken(before.features, product.features, 'features', (feature) => feature.type) : []),
    ...tooLarge(product),
  ]
  return invalid('The product is not consistent.', errors)
}

/** Modules name only what the product declares. */
function undeclared({ modules, metrics, features }: Product): FieldError[] {
  const known = { metrics: codes(metrics), features: codes(features) }
  return modules.flatMap((module, index) =>
    (['metrics', 'features'] as const).flatMap((list) =>
      module[list].flatMap((code, place) =>
        known[list].has(code)
          ? []
          : [{ field: `/body/modules/${index}/${list}/${place}`, message: `${code} is not declared` }],
      ),
    ),
  )
}

/** Seats are counted in a gauge, and name other modules with seats. */
function seatErrors({ modules, metrics }: Product): FieldError[] {
  const gauges = codes(metrics.filter(({ kind }) => kind === 'gauge'))
  const plain = codes(modules.filter(({ seat }) => seat !== undefined && seat.combines === undefined))
  return modules.flatMap(({ code, seat }, index) => {
    if (seat === undefined) return []
    const field = `/body/modules/${index}/seat`
    const named = (['combines', 'excludes', 'requires'] as const).flatMap((list) =>
      (seat[list] ?? []).flatMap((other, place) =>
        plain.has(other) && other !== code
          ? []
          : [
              {
                field: `${field}/${list}/${place}`,
                message: `${other} is no other module with seats of its own`,
              },
            ],
      ),
    )
    const own = gauges.has(seat.metric)
      ? []
      : [{ field: `${field}/metric`, message: `${seat.metric} is not declared as a gauge` }]
    const shared = modules.some(
      (other) =>
        other.code !== code &&
        other.seat?.metric === seat.metric &&
        (seat.combines !== undefined || other.seat.combines !== undefined),
    )
    const together = [code, ...requiredBy(code, modules)]
    const apart = modules.find(
      (one) => together.includes(one.code) && one.seat?.excludes?.some((other) => together.includes(other)),
    )
    const never = together.includes(code, 1)
      ? 'it requires itself, by way of others'
      : apart && `${apart.code} excludes another of those that it takes`
    return [
      ...own,
      ...named,
      ...(never ? [{ field: `${field}/requires`, message: `nobody could have one: ${never}` }] : []),
      ...(shared ? [{ field: `${field}/metric`, message: 'combined seats have a metric of their own' }] : []),
    ]
  })
}

/** The modules of which one has to have seats for one of this: those it requires, and what they require. */
function requiredBy(code: string, modules: Product['modules']): string[] {
  const found = new Set<string>()
  const left = [code]
  for (const one of left)
    for (const other of modules.find((module) => module.code === one)?.seat?.requires ?? [])
      if (!found.has(other)) {
        found.add(other)
        left.push(other)
      }
  return [...found]
}

/** Metrics and features are there to stay, and to stay what they are. */
function taken<T extends { code: string }>(
  before: readonly T[],
  after: readonly T[],
  list: 'metrics' | 'features',
  typeOf: (one: T) => string,
): FieldError[] {
  const next = new Map(after.map((one) => [one.code, typeOf(one)]))
  return before.flatMap((one) => {
    const type = next.get(one.code)
    if (type === typeOf(one)) return []
    const message =
      type === undefined ? `${one.code} cannot be removed` : `${one.code} is a ${typeOf(one)} and stays one`
    return [{ field: `/body/${list}`, message }]
  })
}

/** A high rate is for good: what the shards of a counter have in hand would count as used, and nobody give it back. */
function slowed(before: Product['metrics'], after: Product['metrics']): FieldError[] {
  return before
    .filter(
      ({ code, rate }) => rate !== undefined && after.some((one) => one.code === code && one.rate !== rate),
    )
    .map(({ code, rate }) => ({ field: '/body/metrics', message: `${code} has a ${rate} rate and keeps it` }))
}

/** Does the plan make sense, and does it fit its product? */
export function checkPlan(plan: Plan, product: Product): Refusal | undefined {
  const senseless = [
    ...termErrors(plan),
    ...leaseErrors(plan.rules),
    ...noticeErrors(plan.rules),
    ...versionErrors(plan.rules.versions),
    ...countryErrors(plan.rules.countries),
    ...tooLarge(plan),
  ]
  const foreign = [...undeclaredGrants(product, plan), ...meteringErrors(plan.rules, product)]
  if (foreign.length === 0) return invalid('The plan is not consistent.', senseless)
  return refuse('PLAN_MISMATCH', `It grants what ${product.code} does not declare.`, {
    errors: [...foreign, ...senseless],
  })
}

function termErrors({ term, duration, graceDays }: Plan): FieldError[] {
  const errors: FieldError[] = []
  if (term === 'perpetual' && duration !== undefined)
    errors.push({ field: '/body/duration', message: 'a perpetual plan has no duration' })
  if (term !== 'perpetual' && duration === undefined)
    errors.push({ field: '/body/duration', message: `a ${term} plan needs a duration` })
  if (term === 'trial' && graceDays > 0)
    errors.push({ field: '/body/graceDays', message: 'a trial has no grace' })
  return errors
}

/** The end of a lease is kept in 31 bits, which last until 2088 (lease-entry.ts). */
const LONGEST_LEASE = Duration.parse('P10Y')

function leaseErrors({ lease, queue, borrow }: Plan['rules']): FieldError[] {
  const lengths = {
    'lease/duration': lease?.duration,
    'queue/hold': queue?.hold,
    'borrow/maximum': borrow?.maximum,
  }
  const end = (length: Duration) => addDuration(ANY_TIME, length, UTC)
  return Object.entries(lengths).flatMap(([field, length]) =>
    length !== undefined && end(length) > end(LONGEST_LEASE)
      ? [{ field: `/body/rules/${field}`, message: 'at most ten years' }]
      : [],
  )
}

function noticeErrors({ reclaim }: Plan['rules']): FieldError[] {
  return (reclaim?.noticeDays ?? []).flatMap((days, index) =>
    days > MOST_DAYS
      ? [{ field: `/body/rules/reclaim/noticeDays/${index}`, message: `at most ${MOST_DAYS}` }]
      : [],
  )
}

/** Only what is consumed has an allowance that begins anew. */
function meteringErrors({ metering = {} }: Plan['rules'], { metrics }: Product): FieldError[] {
  const counters = codes(metrics.filter(({ kind }) => kind === 'counter'))
  return Object.keys(metering)
    .filter((code) => !counters.has(code))
    .map((code) => ({
      field: `/body/rules/metering/${code}`,
      message: `${code} is not declared as a counter`,
    }))
}

function versionErrors(versions: Plan['rules']['versions']): FieldError[] {
  if (versions?.kind === 'range' && versionRange(versions.range) === null)
    return [{ field: '/body/rules/versions/range', message: 'not a range of semantic versions' }]
  if (versions?.kind === 'policy' && version(versions.base) === null)
    return [{ field: '/body/rules/versions/base', message: 'not a semantic version' }]
  return []
}

function countryErrors({ allow, deny, travel }: Countries = {}): FieldError[] {
  const field = '/body/rules/countries'
  const allowed = new Set(allow)
  const contradictions = (deny ?? []).flatMap((country, index) =>
    allowed.has(country) ? [{ field: `${field}/deny/${index}`, message: `${country} is also allowed` }] : [],
  )
  return [...contradictions, ...travelErrors(travel, allow)]
}

/** Travel leads out of what is allowed, on some of the days of its window, which is short enough to keep them all. */
function travelErrors(travel: Countries['travel'], allow: Countries['allow']): FieldError[] {
  if (travel === undefined) return []
  const field = '/body/rules/countries/travel'
  const errors: FieldError[] = []
  if (allow === undefined)
    errors.push({
      field,
      message: 'needs a list of countries that are allowed: all others may be used anyway',
    })
  const end = shiftDay(ANY_DAY, travel.window, 1)
  if (end > shiftDay(ANY_DAY, LONGEST_WINDOW, 1))
    errors.push({ field: `${field}/window`, message: 'at most two years' })
  if (shiftDay(end, Duration.parse(`P${travel.days}D`), -1) <= ANY_DAY)
    errors.push({ field: `${field}/days`, message: 'fewer than the days of the window' })
  return errors
}

const LONGEST_WINDOW = Duration.parse('P2Y')

/** Where durations are laid to be compared; months differ in length, but not so that it matters here. */
const ANY_DAY = Day.parse('2000-01-01')
const ANY_TIME = Instant.parse(`${ANY_DAY}T00:00:00Z`)
const UTC = TimeZone.parse('UTC')

function tooLarge(resource: Product | Plan): FieldError[] {
  const size = new TextEncoder().encode(JSON.stringify(resource)).length
  return size > LARGEST ? [{ field: '/body', message: `${size} bytes, at most ${LARGEST} are kept` }] : []
}

const codes = (items: readonly { code: string }[]) => new Set(items.map((item) => item.code))

function invalid(detail: string, errors: readonly FieldError[]): Refusal | undefined {
  return errors.length === 0 ? undefined : refuse('INVALID_REQUEST', detail, { errors })
}
