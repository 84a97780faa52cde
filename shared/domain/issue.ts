import type { LicenseId } from '../platform/ids.ts'
import { type Instant, LATEST } from '../platform/time.ts'
import { addDays, addDuration } from './calendar.ts'
import type { Plan, Product } from './catalog.ts'
import { undeclaredGrants } from './grants.ts'
import type { License } from './license.ts'
import { checkFits } from './license-file.ts'
import { type Refusal, refuse } from './refusal.ts'
import { customerOf, type Tenant } from './tenant.ts'
import type { FeatureValue, LicenseType, Limit } from './terms.ts'

/** What the vendor asks for; what is absent comes from the plan. */
type Order = {
  type?: LicenseType | undefined
  validFrom?: Instant | undefined
  expiresAt?: Instant | undefined
  graceDays?: number | undefined
  limits?: Readonly<Record<string, Limit>> | undefined
  features?: Readonly<Record<string, FeatureValue>> | undefined
  productInstanceId?: string | undefined
  fingerprints?: string[] | undefined
  reference?: string | undefined
  applyOn: 'issue' | 'upload'
}

/** What the order is made from; `base` is the license it extends. */
type Terms = { plan: Plan; product: Product; tenant: Tenant; base: Base | undefined }
export type Base = Pick<License, 'id' | 'tenantId' | 'productId' | 'extends' | 'revokedAt' | 'expiresAt'> & {
  /** When it ends with the extensions it has already, if that is later. */
  extendedTo?: Instant | undefined
}

/** A license before it is signed and has a key. */
export type UnsignedLicense = Omit<License, 'signature' | 'keyHash' | 'keyHint'>

/**
 * What each role may grant (design.md, Words): a top-up adds capacity, a feature license features, a validity license
 * nothing but time.
 */
export const GRANTS: Record<
  LicenseType,
  { limits: boolean; features: boolean; base: 'none' | 'optional' | 'required' }
> = {
  NORMAL: { limits: true, features: true, base: 'none' },
  TRIAL: { limits: true, features: true, base: 'none' },
  TOPUP: { limits: true, features: false, base: 'required' },
  FEATURE: { limits: false, features: true, base: 'optional' },
  VALIDITY: { limits: false, features: false, base: 'required' },
}

/** The license an order makes, or why it makes none. The plan's settings are copied: later edits leave it alone. */
export function decideIssue(
  id: LicenseId,
  order: Order,
  terms: Terms,
  now: Instant,
): UnsignedLicense | Refusal {
  const { plan, product, tenant, base } = terms
  const type = order.type ?? (plan.term === 'trial' ? 'TRIAL' : 'NORMAL')
  const refused = checkLiveTerms(terms) ?? checkRole(type, order, terms)
  if (refused) return refused
  const grants = {
    limits: GRANTS[type].limits ? { ...plan.limits, ...order.limits } : {},
    features: GRANTS[type].features ? { ...plan.features, ...order.features } : {},
  }
  const undeclared = undeclaredGrants(product, grants)
  if (undeclared.length > 0)
    return refuse('PLAN_MISMATCH', `It grants what ${product.code} does not declare.`, { errors: undeclared })

  const validFrom = order.validFrom ?? (type === 'VALIDITY' ? startOfExtension(base, now) : now)
  const expiresAt =
    order.expiresAt ??
    (plan.duration === undefined ? undefined : addDuration(validFrom, plan.duration, tenant.timeZone))
  if (plan.term === 'perpetual' && expiresAt !== undefined) {
    return refuse(
      'LICENSE_MISMATCH',
      'A perpetual license does not expire; leave expiresAt out or use a subscription plan.',
    )
  }
  if (expiresAt !== undefined && expiresAt <= validFrom) {
    return refuse('LICENSE_MISMATCH', `It would expire at ${expiresAt}, before it starts at ${validFrom}.`)
  }
  const refusedEnd = checkEnd(expiresAt)
  if (refusedEnd) return refusedEnd
  if (plan.term === 'trial' && order.graceDays) return refuse('LICENSE_MISMATCH', 'A trial has no grace.')
  const graceDays = plan.term === 'trial' ? 0 : (order.graceDays ?? plan.graceDays)
  const license: UnsignedLicense = {
    id,
    revision: 1,
    tenantId: tenant.id,
    customer: customerOf(tenant),
    productId: product.id,
    productCode: product.code,
    planId: plan.id,
    type,
    term: plan.term,
    allocation: plan.allocation,
    ...(base && { extends: base.id }),
    ...(order.productInstanceId && { productInstanceId: order.productInstanceId }),
    ...(order.reference && { reference: order.reference }),
    ...grants,
    rules: plan.rules,
    ...(order.fingerprints && { fingerprints: order.fingerprints }),
    validFrom,
    ...termEnd(expiresAt, graceDays, tenant),
    ...maintenanceEnd(plan, validFrom, tenant),
    signedAt: now,
    version: 1,
    issuedAt: now,
    keyGeneration: 1,
    // With an end of its own the lattice of later terms starts there, else at the start.
    anchor: order.expiresAt ?? validFrom,
    timeZone: tenant.timeZone,
    ...(plan.duration && { duration: plan.duration }),
    ...(order.applyOn === 'issue' && { appliedAt: now }),
  }
  return checkFits(license) ?? license
}

/** Refuses an end after which no grace, term or news of it can be counted any more. */
export function checkEnd(expiresAt: Instant | undefined): Refusal | undefined {
  if (expiresAt === undefined || expiresAt < LATEST) return undefined
  return refuse(
    'LICENSE_MISMATCH',
    `It would expire at ${expiresAt}, too far ahead; a license of a perpetual plan never does.`,
  )
}

/** The end of a term and of the grace after it. */
export function termEnd(
  expiresAt: Instant | undefined,
  graceDays: number,
  { timeZone }: Pick<Tenant, 'timeZone'>,
): Pick<License, 'expiresAt' | 'graceDays' | 'graceEndsAt'> {
  if (expiresAt === undefined) return { graceDays }
  return {
    expiresAt,
    graceDays,
    ...(graceDays > 0 && { graceEndsAt: addDays(expiresAt, graceDays, timeZone) }),
  }
}

/** Maintenance is counted from the start of the license; its renewal is a later license's. */
function maintenanceEnd(
  { rules }: Plan,
  validFrom: Instant,
  { timeZone }: Tenant,
): Pick<License, 'maintenanceEndsAt'> {
  if (rules.maintenance === undefined) return {}
  return { maintenanceEndsAt: addDuration(validFrom, rules.maintenance.duration, timeZone) }
}

function checkLiveTerms({ plan, product, tenant }: Terms): Refusal | undefined {
  if (tenant.archivedAt !== undefined) return refuse('ARCHIVED', `The tenant ${tenant.name} is archived.`)
  if (plan.archivedAt !== undefined) return refuse('ARCHIVED', `The plan ${plan.name} is archived.`)
  if (product.archivedAt !== undefined) return refuse('ARCHIVED', `The product ${product.name} is archived.`)
  return undefined
}

function checkRole(
  type: LicenseType,
  order: Order,
  { plan, base, tenant, product }: Terms,
): Refusal | undefined {
  const role = GRANTS[type]
  const mismatch = (detail: string) => refuse('LICENSE_MISMATCH', detail)
  if ((type === 'TRIAL') !== (plan.term === 'trial') && (type === 'TRIAL' || type === 'NORMAL')) {
    return mismatch(`The plan's term is ${plan.term}, so the type cannot be ${type}.`)
  }
  if (role.base === 'none' && base) return mismatch(`A ${type} license extends no other.`)
  if (role.base === 'required' && !base) return mismatch(`A ${type} license names the one it extends.`)
  if (!role.limits && order.limits) return mismatch(`A ${type} license grants no limits.`)
  if (!role.features && order.features) return mismatch(`A ${type} license grants no features.`)
  if (base === undefined) return undefined
  if (base.tenantId !== tenant.id || base.productId !== product.id) {
    return mismatch('It extends a license of another tenant or product.')
  }
  if (base.extends !== undefined) return mismatch(`${base.id} extends another license itself.`)
  if (base.revokedAt !== undefined) return mismatch(`${base.id} is revoked.`)
  if (type === 'VALIDITY' && base.expiresAt === undefined) return mismatch(`${base.id} never expires.`)
  return undefined
}

/** An extension starts where its base ends, earlier extensions counted, or now if that is over. */
function startOfExtension(base: Base | undefined, now: Instant): Instant {
  const end = base?.extendedTo ?? base?.expiresAt
  return end !== undefined && end > now ? end : now
}
