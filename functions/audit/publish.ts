import { checkpointText, type LogName, signedNote } from '../../shared/domain/checkpoint.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { type Frontier, rootOf } from '../../shared/domain/merkle.ts'
import { consistencySpans, provesConsistency } from '../../shared/domain/merkle-proof.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { verifyCheckpoint } from '../../shared/platform/signing/note.ts'
import { DAY, epochMilliseconds, type Instant } from '../../shared/platform/time.ts'
import {
  putUnanchored,
  readHead,
  readLastCheckpoint,
  readSigned,
  type SignedCheckpoint,
  writeSigned,
} from '../../shared/store/audit-log.ts'
import { LogTiles } from '../../shared/store/audit-tiles.ts'
import { record } from '../../shared/store/commit.ts'
import { eventItem } from '../../shared/store/event.ts'
import { pause } from '../../shared/store/pause.ts'
import { type Action, putOnce, transact } from '../../shared/store/transact.ts'
import { noteKeyOf, type PublishServices } from './services.ts'

/** Of a log that is not what was signed of it: nothing is signed on top of that. */
export class InconsistentLogError extends Error {
  override readonly name = 'InconsistentLogError'
}

/** How often the checkpoint of a log is told as an event, at most. */
const ANNOUNCED_EVERY = DAY
const ATTEMPTS = 5

type Published = { readonly checkpoint: SignedCheckpoint; readonly isNew: boolean }

/**
 * Signs a log's checkpoint if the log grew since the last one, and only if it grew out of that: both heads are held
 * against each other by a consistency proof from the stored tree. It is the last one for everybody by the same write that
 * keeps it, on condition that none was signed meanwhile; nobody sees one before that.
 *
 * @returns undefined for a log that nothing came into yet
 * @throws InconsistentLogError
 */
export async function publish(
  log: LogName,
  request: { readonly now: Instant; readonly requestId: string },
  services: PublishServices,
): Promise<Published | undefined> {
  const { table, signNote } = services
  const key = noteKeyOf(log, services)
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    // In this order: the head is never behind what was signed of it before.
    const before = await readSigned(table, log)
    const head = await readHead(table, log)
    await demandConsistent(log, before, head, services)
    if (before?.size === head.size) return { checkpoint: before, isNew: false }
    if (head.size === 0) return undefined
    const root = rootOf(head)
    const text = checkpointText({ origin: key.name, size: head.size, root })
    const announcement = announced(log, before, head.size, request.now)
    const after: SignedCheckpoint = {
      size: head.size,
      root: Buffer.from(root).toString('base64'),
      note: signedNote(text, key, await signNote(text)),
      signedAt: request.now,
      ...(before && { previous: before.size }),
      ...(announcement ?? (before?.announced && { announced: before.announced })),
    }
    const writes: Record<string, Action> = { ...writeSigned(log, before, after) }
    if (log !== 'checkpoints') writes['unanchored'] = putUnanchored(log, head.size)
    if (announcement) writes['event'] = await announce(log, after, request, services)
    const outcome = await transact(table, writes)
    if (outcome.ok) return { checkpoint: after, isNew: true }
    if (!outcome.failed.includes('signed'))
      throw new InconsistentLogError(`${log} has a checkpoint of size ${head.size} that was never signed`)
    await pause(attempt)
  }
  throw new Error(`others signed checkpoints of ${log} each time this was tried`)
}

async function demandConsistent(
  log: LogName,
  before: SignedCheckpoint | undefined,
  head: Frontier,
  services: PublishServices,
): Promise<void> {
  const { table } = services
  if (before === undefined) {
    if ((await readLastCheckpoint(table, log)) === undefined) return
    // Somebody else has signed the first one meanwhile: that fails the write, and it is looked at anew.
    if ((await readSigned(table, log)) !== undefined) return
    throw new InconsistentLogError(`${log} has checkpoints, but the last signed one is gone`)
  }
  const signed = verifyCheckpoint(before.note, noteKeyOf(log, services))
  if (signed === undefined || signed.size !== before.size)
    throw new InconsistentLogError(`the last checkpoint of ${log} is not what was signed`)
  if (head.size < signed.size)
    throw new InconsistentLogError(`${log} has ${head.size} entries, and ${signed.size} were signed`)
  const proof = await new LogTiles(table, log, head.size).hashesOf(consistencySpans(signed.size, head.size))
  if (!provesConsistency(signed, { size: head.size, root: rootOf(head) }, proof))
    throw new InconsistentLogError(
      `${log} of size ${head.size} did not grow out of what was signed of size ${signed.size}`,
    )
}

/**
 * Is the checkpoint told as an event now? That event is an entry itself, so a log of which nothing else came since the
 * last one would grow for ever.
 */
function announced(log: LogName, before: SignedCheckpoint | undefined, size: number, now: Instant) {
  if (log === 'checkpoints') return undefined
  const last = before?.announced
  if (last !== undefined) {
    const isEarly = epochMilliseconds(now) - epochMilliseconds(last.at) < ANNOUNCED_EVERY
    if (isEarly || size <= last.size + 1) return undefined
  }
  return { announced: { size, at: now } }
}

/** What a webhook or a mail carries to where we cannot change it: this checkpoint, and that of the log of all. */
async function announce(
  log: LogName,
  checkpoint: SignedCheckpoint,
  request: { readonly now: Instant; readonly requestId: string },
  services: PublishServices,
): Promise<Action> {
  const all = await readSigned(services.table, 'checkpoints')
  const tenantId = TenantId.safeParse(log)
  const draft: EventDraft = {
    type: 'audit.checkpoint-published',
    ...(tenantId.success && { tenantId: tenantId.data }),
    subject: { type: 'audit-log', id: noteKeyOf(log, services).name },
    after: { checkpoint: checkpoint.note, ...(all && { allCheckpoints: all.note }) },
  }
  return putOnce(
    eventItem(record(draft, { ...request, caller: { kind: 'system', subject: 'publishCheckpoints' } })),
  )
}
