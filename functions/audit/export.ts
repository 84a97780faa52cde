import type { Caller } from '../../shared/domain/access.ts'
import {
  AUDIT_COLUMNS,
  type ExportedEntry,
  exportedLine,
  exportHeader,
  exportRow,
} from '../../shared/domain/audit-export.ts'
import { logOf, verifierKey } from '../../shared/domain/checkpoint.ts'
import { csvLine } from '../../shared/domain/csv.ts'
import type { Event } from '../../shared/domain/event.ts'
import { inclusionSpans } from '../../shared/domain/merkle-proof.ts'
import { notFound, type Refusal } from '../../shared/domain/refusal.ts'
import { EventId, type TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { type AuditLeaf, readPlace, readSigned } from '../../shared/store/audit-log.ts'
import { LogTiles, readLeaves } from '../../shared/store/audit-tiles.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { eventKey } from '../../shared/store/keys.ts'
import { readItems } from '../../shared/store/read.ts'
import { aliasFor, passes } from './entries.ts'
import { checkpointName } from './publish-checkpoints.ts'
import { base64, checkpointFor, inclusionOf } from './read-log.ts'
import { type AuditServices, noteKeyOf } from './services.ts'
import type { ExportQuery } from './shapes.ts'

/** Characters of a page: a function answers at most 6 MB, and a letter has up to four bytes. */
const MOST_CHARACTERS = 1_400_000
/** Leaves that are read at a time. */
const CHUNK = 100
/** Milliseconds for some more of them, and the answer: a filter may leave out nearly all of a long log. */
const RESERVE = 5_000

const JSONL = 'application/jsonl; charset=utf-8'
const CSV = 'text/csv; charset=utf-8'

/**
 * A page of a log in the order of its indexes: each entry with its event, its salt, and its proof for one checkpoint, the
 * same on all pages. It takes as many as fit, whatever their size, and looks for no more than there is time.
 */
export async function exportLog(
  tenantId: TenantId | undefined,
  query: ExportQuery,
  asking: {
    readonly now: Instant
    readonly requestId: string
    readonly caller: Caller
    readonly path: string
    readonly remaining: () => number
  },
  services: AuditServices,
): Promise<{ type: typeof JSONL | typeof CSV; content: string; next?: string } | Refusal> {
  const { table } = services
  const log = logOf(tenantId)
  const aliasOf = aliasFor(asking.caller, services)
  const checkpoint = await checkpointFor(log, query, asking, services)
  if ('refused' in checkpoint) return checkpoint
  const { size, note } = checkpoint
  if (query.from > size) return notFound
  const tiles = new LogTiles(table, log, size)
  const isCsv = query.format === 'csv'
  const lines: string[] = []
  let [upTo, characters, taken] = [query.from, 0, 0]
  while (upTo < size && taken < query.limit && characters < MOST_CHARACTERS) {
    if (upTo > query.from && asking.remaining() < RESERVE) break
    const leaves = await readLeaves(table, log, upTo, Math.min(size, upTo + CHUNK))
    if (leaves.length === 0) throw new Error(`the log ${log} has no leaf ${upTo}`)
    const events = await eventsOf(tenantId, leaves, services)
    for (const leaf of leaves) {
      if (taken === query.limit || characters >= MOST_CHARACTERS) break
      upTo = leaf.index + 1
      const event = events.get(leaf.name)
      // An entry whose event is gone cannot be told from one that is asked for: it is shown.
      if (event !== undefined && !passes(event, query, aliasOf)) continue
      const proof = await tiles.hashesOf(inclusionSpans(leaf.index, size))
      const line = (isCsv ? exportRow : exportedLine)(exported(leaf, event, proof, size))
      lines.push(line)
      taken += 1
      characters += line.length
    }
  }
  const head = isCsv
    ? csvLine(AUDIT_COLUMNS)
    : exportHeader({
        log: noteKeyOf(log, services).name,
        key: verifierKey(noteKeyOf(log, services)),
        checkpoint: note,
        from: query.from,
        upTo,
        isFiltered: isFiltered(query),
        ...(await anchorOf(log, size, services)),
      })
  return {
    type: isCsv ? CSV : JSONL,
    content: [head, ...lines].join(''),
    ...(upTo < size && { next: nextPage(asking.path, query, upTo, size) }),
  }
}

const exported = (
  { index, name, entry, salt }: AuditLeaf,
  event: Event | undefined,
  proof: readonly Uint8Array[],
  size: number,
): ExportedEntry => ({
  index,
  id: name,
  entry: base64(entry),
  ...(salt && { salt: base64(salt) }),
  ...(event && { event }),
  proof: proof.map(base64),
  size,
})

async function eventsOf(
  tenantId: TenantId | undefined,
  leaves: readonly AuditLeaf[],
  { table }: AuditServices,
): Promise<ReadonlyMap<string, Event>> {
  const keys = leaves.map(({ name }) => eventKey(tenantId, EventId.parse(name)))
  const events = (await readItems(table, keys)).map((item) => eventEntity.decode(item))
  return new Map(events.map((event) => [event.id, event]))
}

/** That the checkpoint is in the log that everybody sees, if it came there already. */
async function anchorOf(log: ReturnType<typeof logOf>, size: number, services: AuditServices) {
  const { table } = services
  const all = await readSigned(table, 'checkpoints')
  const index = await readPlace(table, 'checkpoints', checkpointName(noteKeyOf(log, services).name, size))
  if (all === undefined || index === undefined || index >= all.size) return {}
  const included = await inclusionOf('checkpoints', { index }, { size: all.size }, services)
  if ('refused' in included) return {}
  const key = verifierKey(noteKeyOf('checkpoints', services))
  return { anchor: { key, checkpoint: all.note, index, proof: included.proof.map(base64) } }
}

function isFiltered({ type, actor, subject, requestId, since, until }: ExportQuery): boolean {
  return [type, actor, subject, requestId, since, until].some((one) => one !== undefined)
}

function nextPage(path: string, query: ExportQuery, from: number, size: number): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...query, from, size }))
    if (value !== undefined) parameters.set(name, String(value))
  return `${path}?${parameters}`
}
