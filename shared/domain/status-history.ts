import type { Instant } from '../platform/time.ts'
import type { Standing } from './holdings.ts'
import { type Dated, statusAt } from './status.ts'

/** A change of what is seen of a license, and the instant from which it was true. */
export type StatusChange = { readonly before: string; readonly after: string; readonly since: Instant }

/** What was noted of a license when it was looked at last. */
export type LastSeen = { readonly state: string; readonly at: Instant }

/**
 * What became of a license since it was looked at last, each change at its own instant however late one looks: a license
 * that expired and whose grace ended meanwhile did both. What its present dates say goes back to its last signing; of
 * what lies before that, and of what is no matter of dates (a row that was mended), the outcome alone is known.
 *
 * @param state what is seen of it now
 */
export function changesSince(
  { license, extensions, at: now }: Pick<Standing, 'license' | 'extensions' | 'at'>,
  state: string,
  lastSeen: LastSeen,
): StatusChange[] {
  const isResigned = license.signedAt > lastSeen.at && license.signedAt <= now
  const known = isResigned ? license.signedAt : lastSeen.at
  const instants = [license, ...extensions]
    .flatMap((dated) => boundaries(dated))
    .filter((instant) => instant > known && instant <= now)
  const changes: StatusChange[] = []
  let before = lastSeen.state
  // A row that is not what was signed has no dates to go by.
  if (before !== TAMPERED && state !== TAMPERED)
    for (const since of [...(isResigned ? [known] : []), ...new Set(instants.toSorted())])
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

const boundaries = ({ validFrom, expiresAt, graceEndsAt, suspendedAt, revokedAt }: Dated) =>
  [validFrom, expiresAt, graceEndsAt, suspendedAt, revokedAt].filter((instant) => instant !== undefined)

/** The status at an instant that is over: what was suspended or revoked later was not yet. */
function statusThen(license: Dated, at: Instant, extensions: readonly Dated[]): string {
  const then = <D extends Dated>({ suspendedAt, revokedAt, ...rest }: D): Dated => ({
    ...rest,
    ...(suspendedAt !== undefined && suspendedAt <= at && { suspendedAt }),
    ...(revokedAt !== undefined && revokedAt <= at && { revokedAt }),
  })
  return statusAt(then(license), at, extensions.map(then))
}
