import { type Instant, latest } from '../platform/time.ts'
import type { License } from './license.ts'
import { type Dated, statusAt } from './status.ts'

/** A change of what is seen of a license, and the instant from which it was true. */
export type StatusChange = { readonly before: string; readonly after: string; readonly since: Instant }

/** What was noted of a license when it was looked at last. */
export type LastSeen = { readonly state: string; readonly at: Instant }

/** A license, and what extends it, or did until it was deleted, at an instant. */
type Looked = {
  readonly license: License
  readonly extensions: readonly License[]
  readonly at: Instant
}

/**
 * What became of a license since it was looked at last, each change at its own instant however late one looks: a license
 * that expired and whose grace ended meanwhile did both. What its present dates say goes back to its last signing, and to
 * that of what extends it; of what lies before that, and of what is no matter of dates (a row that was mended), the
 * outcome alone is known.
 *
 * @param state what is seen of it now
 */
export function changesSince(
  { license, extensions, at: now }: Looked,
  state: string,
  lastSeen: LastSeen,
): StatusChange[] {
  const signings = [license.signedAt, ...extensions.filter(isResigned).map(({ signedAt }) => signedAt)]
  const known = latest([lastSeen.at, ...signings.filter((at) => at <= now)]) ?? lastSeen.at
  const instants = [...boundaries(license), ...extensions.flatMap(boundaries)].filter(
    (instant) => instant > known && instant <= now,
  )
  const changes: StatusChange[] = []
  let before = lastSeen.state
  // A row that is not what was signed has no dates to go by.
  if (before !== TAMPERED && state !== TAMPERED)
    for (const since of [...(known > lastSeen.at ? [known] : []), ...new Set(instants.toSorted())])
      note(statusThen(license, since, extensions), since)
  note(state, now)
  return changes

  function note(after: string, since: Instant): void {
    if (after !== before) changes.push({ before, after, since })
    before = after
  }
}

/** Seen of a row that is not what was signed. */
const TAMPERED = 'TAMPERED'

/** Has it dates that it had not before? Where it is suspended or revoked, those were its dates until then. */
const isResigned = ({ signedAt, issuedAt, suspendedAt, revokedAt }: License) =>
  signedAt > issuedAt && suspendedAt === undefined && revokedAt === undefined

const boundaries = (one: License) =>
  [
    ...[one.validFrom, one.expiresAt, one.graceEndsAt, one.suspendedAt, one.revokedAt],
    ...[one.appliedAt, one.deletedAt],
  ].filter((instant) => instant !== undefined)

/** When an extension was applied that is deleted is not known any more: not before it was issued. */
const wasApplied = ({ appliedAt, deletedAt, issuedAt }: License, at: Instant) =>
  appliedAt === undefined ? deletedAt !== undefined && issuedAt <= at && at < deletedAt : appliedAt <= at

/** The status at an instant that is over: what was suspended, revoked, applied or deleted later was not yet. */
function statusThen(license: License, at: Instant, extensions: readonly License[]): string {
  const then = <D extends Dated>({ suspendedAt, revokedAt, ...rest }: D): Dated => ({
    ...rest,
    ...(suspendedAt !== undefined && suspendedAt <= at && { suspendedAt }),
    ...(revokedAt !== undefined && revokedAt <= at && { revokedAt }),
  })
  return statusAt(then(license), at, extensions.filter((one) => wasApplied(one, at)).map(then))
}
