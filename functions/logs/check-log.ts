import type { LogName, NoteKey } from '../../shared/domain/checkpoint.ts'
import type { LogProgress } from '../../shared/domain/integrity.ts'
import { LOG_FINDINGS, type LogFinding, type LogFindingCode } from '../../shared/domain/log-finding.ts'
import { DAY, epochMilliseconds, type Instant, MINUTE, plusMilliseconds } from '../../shared/platform/time.ts'
import {
  type CheckKey,
  type LogChecks,
  type LogPlace,
  noteChecks,
  readChecks,
} from '../../shared/store/audit-check.ts'
import type { Key } from '../../shared/store/keys.ts'
import type { Table } from '../../shared/store/transact.ts'
import { writeRow } from '../../shared/store/write.ts'
import { isStillSigned } from './check-log-checkpoints.ts'
import { frontierAt, walkLeaves } from './check-log-leaves.ts'
import { checkpointNames, eventsAgainst } from './check-log-names.ts'
import { strayTiles } from './check-log-tiles.ts'

/** Tells what is wrong: the code, and the row. */
export type Finder = (code: LogFindingCode, where: Key) => void

/** How much is done before there is another look at the clock. */
export type Pace = { readonly hasTime: () => boolean; readonly page: number }

/** How long an event may take into its log: the stream brings it within seconds, and is tried again for a while. */
export const LATE_AFTER = 15 * MINUTE
/** More than this are not told one by one: somebody who finds so many has to look at all. */
const MOST_FINDINGS = 200
/** What was once verified is read again after this long, in milliseconds. */
const WHOLE_EVERY = 7 * DAY

/** Rows that are looked at between two looks at the clock. */
const PAGE = 500

const BEGINNING: LogPlace = { size: 0, peaks: [], newest: 0, entries: [], tiles: [], names: '' }

type LogCheck = LogProgress & { readonly findings: readonly LogFinding[] }

type Asked = {
  /** Of the log: its origin, and the public key, which comes from KMS and not from the table. */
  readonly key: NoteKey
  readonly checkKey: CheckKey
  readonly now: Instant
  /** Reads the whole log, whatever was verified before. */
  readonly isWhole?: boolean | undefined
  /** Asked between pages of so many rows. */
  readonly hasTime?: () => boolean
  readonly page?: number
}

/**
 * Holds all that is stored of a log against each other: its leaves against the events they stand for, the tree that is
 * made of the leaves against head, tiles and every signed checkpoint, names against leaves, events against the log. It
 * trusts the key alone, and what a check before it remembered under a seal: the last checkpoint up to which all was well,
 * which has to be what was signed. It begins there, or, where something was wrong or the last look at everything is long
 * ago, with the first leaf; stops in time, and goes on where it stopped. An event costs about R 3.5; memory does not grow
 * with the log. What comes into the log meanwhile is left out.
 */
export async function checkLog(table: Table, log: LogName, asked: Asked): Promise<LogCheck> {
  const { key, checkKey, now, hasTime = () => true, page = PAGE } = asked
  const known = await readChecks(table, log, checkKey)
  const pass = await passFor(table, log, known, asked)
  const findings = new Map(pass.findings.map((one) => [`${one.code} ${one.where}`, one]))
  const find: Finder = (code, { pk, sk }) => {
    const where = `${pk} / ${sk}`
    if (findings.size < MOST_FINDINGS)
      findings.set(`${code} ${where}`, { code, what: LOG_FINDINGS[code], where })
  }

  const pace = { hasTime, page }
  const walked = await walkLeaves(table, log, key, pass, find, pace)
  const { anchor } = walked
  let { place, isOver } = walked
  // Names of checkpoints are in no order of time: one cannot tell which are new.
  if (isOver && (log !== 'checkpoints' || pass.isWhole)) {
    const stretch = { from: place.names, deadline: plusMilliseconds(now, -LATE_AFTER) }
    const named =
      log === 'checkpoints'
        ? await checkpointNames(table, place.names, find, pace)
        : await eventsAgainst(table, log, stretch, find, pace)
    isOver = named.isOver
    place = { ...place, names: named.upTo }
  }
  if (isOver && pass.isWhole) await strayTiles(table, log, Math.max(place.size, walked.of), find)

  const told = [...findings.values()]
  const wholeSince = isOver && pass.isWhole ? pass.since : known.wholeSince
  const verified = anchor && { ...anchor, names: place.names }
  const checks: LogChecks = isOver
    ? { ...(told.length === 0 && verified && { verified }), ...(wholeSince && { wholeSince }) }
    : { ...known, pass: { ...pass, ...walked.pass, place, findings: told } }
  await writeRow(table, noteChecks(log, checks, checkKey))
  const { since, isWhole } = pass
  const progress = { leaves: place.size, of: walked.of, isOver, isWhole, since }
  return { ...progress, ...(wholeSince && { wholeSince }), findings: told }
}

type Pass = NonNullable<LogChecks['pass']>

/** The check that is under way, or a new one. */
async function passFor(
  table: Table,
  log: LogName,
  { pass, verified, wholeSince }: LogChecks,
  { key, now, isWhole }: Asked,
): Promise<Pass> {
  if (pass !== undefined && (pass.isWhole || isWhole !== true)) return pass
  const tree = verified && frontierAt(verified)
  const isOld =
    wholeSince === undefined || epochMilliseconds(now) - epochMilliseconds(wholeSince) >= WHOLE_EVERY
  const isTrusted = !isOld && isWhole !== true && tree && (await isStillSigned(table, log, key, tree))
  const begun = { since: now, findings: [], disputed: [] }
  return isTrusted && verified
    ? { ...begun, isWhole: false, place: verified, anchor: verified }
    : { ...begun, isWhole: true, place: BEGINNING }
}
