import { valid as version, validRange as versionRange } from 'semver'
import type { Plan, Product } from './catalog.ts'
import { undeclaredGrants } from './grants.ts'
import { type FieldError, type Refusal, refuse } from './refusal.ts'

/** Bytes of JSON. An item of DynamoDB holds 400 KB, and an event has to hold such a resource twice. */
const LARGEST = 150_000

/** Is the product consistent in itself, and, if it was edited, still all that its licenses name? */
export function checkProduct(product: Product, before?: Product): Refusal | undefined {
  const errors = [
    ...undeclared(product),
    ...(before ? taken(before.metrics, product.metrics, 'metrics', (metric) => metric.kind) : []),
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

/** Does the plan make sense, and does it fit its product? */
export function checkPlan(plan: Plan, product: Product): Refusal | undefined {
  const senseless = [
    ...termErrors(plan),
    ...versionErrors(plan.rules.versions),
    ...countryErrors(plan.rules.countries),
    ...tooLarge(plan),
  ]
  const foreign = undeclaredGrants(product, plan)
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

function versionErrors(versions: Plan['rules']['versions']): FieldError[] {
  if (versions?.kind === 'range' && versionRange(versions.range) === null)
    return [{ field: '/body/rules/versions/range', message: 'not a range of semantic versions' }]
  if (versions?.kind === 'policy' && version(versions.base) === null)
    return [{ field: '/body/rules/versions/base', message: 'not a semantic version' }]
  return []
}

function countryErrors(countries: Plan['rules']['countries']): FieldError[] {
  const allowed = new Set(countries?.allow)
  return (countries?.deny ?? []).flatMap((country, index) =>
    allowed.has(country)
      ? [{ field: `/body/rules/countries/deny/${index}`, message: `${country} is also allowed` }]
      : [],
  )
}

function tooLarge(resource: Product | Plan): FieldError[] {
  const size = new TextEncoder().encode(JSON.stringify(resource)).length
  return size > LARGEST ? [{ field: '/body', message: `${size} bytes, at most ${LARGEST} are kept` }] : []
}

const codes = (items: readonly { code: string }[]) => new Set(items.map((item) => item.code))

function invalid(detail: string, errors: readonly FieldError[]): Refusal | undefined {
  return errors.length === 0 ? undefined : refuse('INVALID_REQUEST', detail, { errors })
}
