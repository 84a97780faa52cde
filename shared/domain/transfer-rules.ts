import type { LicenseId, TransferId } from '../platform/ids.ts'
import { Duration, type Instant } from '../platform/time.ts'
import { addDuration } from './calendar.ts'
import type { Standing } from './holdings.ts'
import type { UnsignedLicense } from './issue.ts'
import type { License } from './license.ts'
import { checkFits } from './license-file.ts'
import { revoked } from './lifecycle.ts'
import { notFound, type Refusal, refuse } from './refusal.ts'
import type { Status } from './status.ts'
import { customerOf, type Tenant } from './tenant.ts'
import type { MovingLicense } from './transfer.ts'

/** What a limit per year counts over. */
const YEAR = Duration.parse('P1Y')

/**
 * The licenses that a transfer of one of them moves: itself, and with it whatever extends it and is neither over nor
 * deleted, since none of these is worth anything without it (a TOPUP, VALIDITY or FEATURE license of its own accord does
 * not move).
 * Or why it cannot move now. Whether it may is the rule of its plan; what extends it goes by the same rule, unless its
 * own plan has one.
 */
export function movingWith(
  all: ReadonlyMap<LicenseId, Standing>,
  id: LicenseId,
  now: Instant,
): readonly License[] | Refusal {
  const own = all.get(id)
  if (own === undefined) return notFound
  const { license: base } = own
  if (base.extends !== undefined) {
    return refuse('LICENSE_MISMATCH', `${id} extends ${base.extends} and moves with it: transfer that one.`)
  }
  const extensions = [...all.values()].filter(
    ({ license, status }) => license.extends === id && !OVER.has(status) && !isDeleted(license),
  )
  for (const standing of [own, ...extensions]) {
    const refused = checkMovable(standing, base, now)
    if (refused) return refused
  }
  return [base, ...extensions.map(({ license }) => license)]
}

const OVER: ReadonlySet<Status> = new Set(['REVOKED', 'EXPIRED'])
const isDeleted = ({ deletedAt }: License) => deletedAt !== undefined

function checkMovable(
  { license, status, because }: Standing,
  base: License,
  now: Instant,
): Refusal | undefined {
  const { id, rules } = license
  if (because === 'TAMPERED')
    return refuse('LICENSE_TAMPERED', `The row of ${id} does not match its signature.`)
  // A suspension is the vendor's word against its holder, which a new holder would not have to mind.
  if (status === 'SUSPENDED' || OVER.has(status)) {
    return refuse(
      'TRANSITION_NOT_ALLOWED',
      `${id} is ${status}; a license is transferred while it is PENDING, ACTIVE or GRACE.`,
    )
  }
  // Its holder gave it up; what nobody has applied yet may move, and is the next holder's to apply.
  if (isDeleted(license)) {
    return refuse(
      'TRANSITION_NOT_ALLOWED',
      `${id} was deleted on ${license.deletedAt}; it can be transferred once its file is uploaded again.`,
    )
  }
  const rule = rules.transfer ?? base.rules.transfer
  if (!rule?.allowed)
    return refuse('TRANSFER_NOT_ALLOWED', `The plan of ${id} does not say that it may be transferred.`)
  const next = nextAllowed(license, rule.perYear, now)
  if (next !== undefined) {
    return refuse(
      'TRANSFERS_EXHAUSTED',
      `${id} may be transferred ${rule.perYear} times a year, and was; again from ${next}.`,
    )
  }
  // What names the old holder's machines or people would be theirs still.
  if (license.fingerprints !== undefined)
    return refuse('LICENSE_MISMATCH', `${id} is bound to machines of its holder.`)
  if (rules.site !== undefined) return refuse('LICENSE_MISMATCH', `${id} is for the site of its holder.`)
  return undefined
}

/** When it may be transferred again; undefined if it may now. */
function nextAllowed(license: License, perYear: number | undefined, now: Instant): Instant | undefined {
  if (perYear === undefined) return undefined
  const recent = countedTransfers(license, now)
  const oldest = recent.at(-perYear)
  return oldest && addDuration(oldest, YEAR, license.timeZone)
}

/** The transfers within a year before `now`, oldest first. */
function countedTransfers({ transfers = [], timeZone }: License, now: Instant): Instant[] {
  return transfers.filter((at) => now < addDuration(at, YEAR, timeZone)).toSorted()
}

/** Does the giving side have to approve who receives? What is for good moves only so, whatever its plan says. */
export function needsBoth(licenses: readonly License[]): boolean {
  return licenses.some(({ term, rules }) => term === 'perpetual' || rules.transfer?.approval === true)
}

/** What of a license is approved; anything else than that does not move. */
export function movingLicense(license: License): MovingLicense {
  const { id, revision, planId, type, term, allocation, limits, features } = license
  const { validFrom, expiresAt, graceEndsAt, maintenanceEndsAt } = license
  return {
    licenseId: id,
    revision,
    planId,
    type,
    term,
    allocation,
    limits,
    features,
    validFrom,
    ...(expiresAt && { expiresAt }),
    ...(graceEndsAt && { graceEndsAt }),
    ...(maintenanceEndsAt && { maintenanceEndsAt }),
  }
}

/** Would exactly that move which was approved? Every change of what a license gives is a new revision. */
export function isWhatWasApproved(approved: readonly MovingLicense[], licenses: readonly License[]): boolean {
  const name = (id: LicenseId, revision: number) => `${id} ${revision}`
  const [before, after] = [
    approved.map(({ licenseId, revision }) => name(licenseId, revision)),
    licenses.map(({ id, revision }) => name(id, revision)),
  ]
  return before.toSorted().join() === after.toSorted().join()
}

/** A license that leaves, and the one that comes in its place, not signed yet. */
export type Succession = { readonly old: License; readonly next: UnsignedLicense }

/**
 * What a transfer makes of its licenses. The old ones are revoked, which their holder's files, keys, machines and
 * leases cannot outlast; the rows stay, as history. The new ones have ids of their own, so that no address a function
 * remembers ever leads to another tenant, and what is left of the old ones: the same end, grace, maintenance and
 * rules, counted from now on the same calendar.
 *
 * @param ids a new id for each license
 */
export function succeed(
  licenses: readonly License[],
  ids: ReadonlyMap<LicenseId, LicenseId>,
  receiver: Tenant,
  transferId: TransferId,
  now: Instant,
): Succession[] | Refusal {
  const idOf = (id: LicenseId) => {
    const successor = ids.get(id)
    if (successor === undefined) throw new Error(`${id} has no successor`)
    return successor
  }
  const moving = new Set(licenses.map(({ id }) => id))
  const successions: Succession[] = []
  for (const license of licenses) {
    const next: UnsignedLicense = {
      ...remaining(license, now),
      id: idOf(license.id),
      revision: 1,
      tenantId: receiver.id,
      customer: customerOf(receiver),
      ...(license.extends && { extends: idOf(license.extends) }),
      ...(license.extendedBy && {
        extendedBy: license.extendedBy.filter((id) => moving.has(id)).map(idOf),
      }),
      signedAt: now,
      version: 1,
      issuedAt: now,
      ...(license.appliedAt && { appliedAt: now }),
      keyGeneration: 1,
      receivedBy: transferId,
      transfers: [...countedTransfers(license, now), now],
    }
    const refused = checkFits(next)
    if (refused) return refused
    const old = { ...revoked(license, `Transferred (${transferId}).`, now), transferredBy: transferId }
    successions.push({ old, next })
  }
  return successions
}

/** What of a license its next holder gets: nothing that its last one said, was told, or bound it to. */
function remaining(license: License, now: Instant) {
  const {
    signature: _,
    keyHash: __,
    keyHint: ___,
    appliedAt: ____,
    productInstanceId: _____,
    lastSeenStatus: ______,
    lastSeenAt: _______,
    ...kept
  } = license
  // Where the license itself is over and another one extends it, its own time stays a time that was.
  const isOver = license.expiresAt !== undefined && license.expiresAt <= now
  return { ...kept, validFrom: isOver || license.validFrom > now ? license.validFrom : now }
}
