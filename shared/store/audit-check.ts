import { createHmac, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import { canonicalJson } from '../domain/canonical-json.ts'
import type { LogName } from '../domain/checkpoint.ts'
import { LogFinding } from '../domain/log-finding.ts'
import { Instant } from '../platform/time.ts'
import { CorruptItemError, entity } from './codec.ts'
import { auditCheckKey } from './keys.ts'
import { readItem } from './read.ts'
import type { Put, Table } from './transact.ts'

/** Under which what is remembered of a check is sealed; derived through KMS. */
export type CheckKey = Uint8Array

/** A place in a log, and all that one needs to go on reading from there. Hashes and entries are base64. */
export const LogPlace = z.strictObject({
  /** Leaves before it. */
  size: z.int().nonnegative(),
  /** The roots of the perfect trees of these, the largest first; absent where one of them is missing. */
  peaks: z.array(z.base64()).optional(),
  /** The latest time at which one of their events was made, in epoch milliseconds. */
  newest: z.int().nonnegative(),
  /** The entries of the tile at its end, and the hashes of the tiles above, level by level. */
  entries: z.array(z.base64()),
  tiles: z.array(z.strictObject({ index: z.int().nonnegative(), hashes: z.array(z.base64()) })),
  /** The size of the last signed checkpoint before it. */
  checkpoint: z.int().nonnegative().optional(),
  /** The event, or of the log of checkpoints the name, up to which names were held against the log; empty: none yet. */
  names: z.string(),
})
export type LogPlace = z.infer<typeof LogPlace>

/** What is remembered of the checks of a log. */
export const LogChecks = z.strictObject({
  /** The last signed checkpoint up to which nothing was wrong: where the next check begins. */
  verified: LogPlace.optional(),
  /** When the last check that read the whole log, and came to its end, was begun. */
  wholeSince: Instant.optional(),
  /** A check that has not come to its end. */
  pass: z
    .strictObject({
      since: Instant,
      isWhole: z.boolean(),
      place: LogPlace,
      /** The last signed checkpoint that it passed. */
      anchor: LogPlace.optional(),
      findings: z.array(LogFinding),
      /** Leaves that say something else than their events, and the events' rows. */
      disputed: z.array(z.strictObject({ index: z.int(), pk: z.string(), sk: z.string() })),
    })
    .optional(),
})
export type LogChecks = z.infer<typeof LogChecks>

export const auditCheckEntity = entity(
  'audit-check',
  1,
  z.strictObject({ checks: LogChecks, seal: z.string() }),
)

/** What is remembered of the checks of a log; nothing where that is not what was noted, so that all is read again. */
export async function readChecks(table: Table, log: LogName, key: CheckKey): Promise<LogChecks> {
  const item = await readItem(table, auditCheckKey(log))
  try {
    if (item === undefined) return {}
    const { checks, seal } = auditCheckEntity.decode(item)
    const [given, expected] = [Buffer.from(seal), Buffer.from(sealOf(log, checks, key))]
    return given.length === expected.length && timingSafeEqual(given, expected) ? checks : {}
  } catch (error) {
    if (error instanceof CorruptItemError) return {}
    throw error
  }
}

/** Of two checks at the same time the one that is noted last counts: either is true. */
export const noteChecks = (log: LogName, checks: LogChecks, key: CheckKey): Put => ({
  kind: 'put',
  item: auditCheckEntity.encode(auditCheckKey(log), { checks, seal: sealOf(log, checks, key) }),
})

/** Who can write the table, and is no function of ours, cannot say that something was verified. */
const sealOf = (log: LogName, checks: LogChecks, key: CheckKey) =>
  createHmac('sha256', key)
    .update(`${log}\n${canonicalJson(checks)}`)
    .digest('base64url')
