import type { LogName } from '../domain/checkpoint.ts'
import { type Frontier, grown, type Hash, leafHash } from '../domain/merkle.ts'
import { bundled, hashesOf, joinedHashes, perfect, TILE_WIDTH, tilesCompletedAt } from '../domain/tile.ts'
import { type AuditLeaf, moveHead, putLeaf, putPlace, putTile, readHead, readTile } from './audit-log.ts'
import { readLeaves } from './audit-tiles.ts'
import { pause } from './pause.ts'
import { type Action, type Table, TRANSACTION_LIMIT, transact } from './transact.ts'

/** What is to come into a log, under a name that comes into it once. */
export type NewEntry = Pick<AuditLeaf, 'name' | 'entry' | 'salt'> & {
  /** What becomes true with it. */
  readonly along?: Action
}

/** Others may be faster so often; this is the only writer of a head, so they are its own repetitions. */
const ATTEMPTS = 10
/** The head, what comes along with all of them, and the tiles that the last leaf of a tile completes: at most 7. */
const OTHERS = 10

/**
 * Adds entries to the end of a log, in their order: leaves, where each is found by its name, tiles that become full and
 * the head, in one transaction for as many as it takes. What is in the log already stays where it is, so asking twice is
 * asking once. The head is a condition: what was decided on another one is decided anew.
 *
 * @param along what becomes true with each transaction
 * @returns how many are new
 * @throws an Error where a row of the log contradicts the head: somebody wrote behind the API's back
 */
export async function appendEntries(
  table: Table,
  log: LogName,
  entries: readonly NewEntry[],
  along: Readonly<Record<string, Action>> = {},
): Promise<number> {
  let pending = [...new Map(entries.map((entry) => [entry.name, entry])).values()]
  let added = 0
  for (let attempt = 1; pending.length > 0; attempt += 1) {
    if (attempt > ATTEMPTS + entries.length)
      throw new Error(`the log ${log} was written by others each time this was tried`)
    const batch = pending.slice(0, mostOf(pending))
    const before = await readHead(table, log)
    const { leaves, tiles, after } = await planned(table, log, before, batch)
    const outcome = await transact(table, {
      ...along,
      ...leaves,
      ...tiles,
      head: moveHead(log, before, after),
    })
    if (outcome.ok) {
      added += batch.length
      pending = pending.slice(batch.length)
      continue
    }
    const failed = new Set<string>(outcome.failed)
    const isThere = ({ name }: NewEntry) => failed.has(`place ${name}`)
    if (!failed.has('head') && !batch.some(isThere))
      throw new Error(
        `the log ${log} contradicts its head of size ${before.size}: ${outcome.failed.join(', ')}`,
      )
    pending = pending.filter((entry) => !isThere(entry))
    if (failed.has('head')) await pause(Math.min(attempt, 5))
  }
  return added
}

const mostOf = (pending: readonly NewEntry[]) => {
  const items = pending.some(({ along }) => along !== undefined) ? 3 : 2
  return Math.floor((TRANSACTION_LIMIT - OTHERS) / items)
}

async function planned(table: Table, log: LogName, before: Frontier, batch: readonly NewEntry[]) {
  const leaves: Record<string, Action> = {}
  const tiles: Record<string, Action> = {}
  const hashes: Hash[] = []
  let after = before
  for (const [place, { along, ...entry }] of batch.entries()) {
    const index = before.size + place
    leaves[`leaf ${index}`] = putLeaf(log, { index, ...entry })
    leaves[`place ${entry.name}`] = putPlace(log, entry.name, index)
    if (along) leaves[`along ${entry.name}`] = along
    hashes.push(leafHash(entry.entry))
    after = grown(after, leafHash(entry.entry))
    if (after.size % TILE_WIDTH === 0)
      Object.assign(tiles, await tilesFilled(table, log, before, batch.slice(0, place + 1)))
  }
  return { leaves, tiles, after }
}

/** The tile that the last of these entries fills, and the hash of it, and of tiles that it fills in turn, a level above. */
async function tilesFilled(
  table: Table,
  log: LogName,
  before: Frontier,
  batch: readonly NewEntry[],
): Promise<Record<string, Action>> {
  const size = before.size + batch.length
  const known = await readLeaves(table, log, size - TILE_WIDTH, before.size)
  const entries = [...known.map(({ entry }) => entry), ...batch.map(({ entry }) => entry)].slice(-TILE_WIDTH)
  const number = size / TILE_WIDTH - 1
  const actions: Record<string, Action> = { 'tile 0': putTile(log, 0, number, bundled(entries)) }
  let below = entries.map(leafHash)
  for (const { level, index } of tilesCompletedAt(size)) {
    const at = size / TILE_WIDTH ** level - 1 - index * TILE_WIDTH
    const sofar = at === 0 ? [] : hashesOf((await readTile(table, log, level, index)) ?? Buffer.of())
    const hash = perfect(below)
    if (sofar.length !== at || hash === undefined || below.length !== TILE_WIDTH)
      throw new Error(`the log ${log} lacks hashes of its tile ${level}/${index}`)
    below = [...sofar, hash]
    actions[`tile ${level}`] = putTile(log, level, index, joinedHashes(below))
  }
  return actions
}
