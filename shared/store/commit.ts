import { type Caller, nameForTenant, subjectOf } from '../domain/access.ts'
import type { Event, EventDraft } from '../domain/event.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import type { Replayed } from '../platform/http/contract.ts'
import { newEventId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import { eventItem } from './event.ts'
import { readReply, replyItem, type SealingKey } from './reply.ts'
import { type Action, putOnce, type Table, transact } from './transact.ts'

/** On whose behalf, when, and under which idempotency key something is committed. */
export type Request = {
  readonly caller: Caller
  readonly now: Instant
  readonly requestId: string
  readonly idempotencyKey: string | undefined
  readonly fingerprint: string
}

/** On behalf of nobody: a job, or what follows from a request by itself. */
export const bySystem = (
  subject: string,
  { now, requestId }: Pick<Request, 'now' | 'requestId'>,
): Request => ({
  caller: { kind: 'system', subject },
  now,
  requestId,
  idempotencyKey: undefined,
  fingerprint: '',
})

/** A decision: the writes, the events that tell of them, and the answer. They become true together or not at all. */
export type Decision<Reply, Label extends string> = {
  readonly writes: Readonly<Partial<Record<Label, Action>>>
  readonly events: readonly EventDraft[]
  readonly reply: Reply
  /** What it means that the condition of a write failed. Every write with a condition has an entry. */
  readonly refusals: Readonly<Partial<Record<NoInfer<Label>, Refusal>>>
}

type Committed<Reply> = Reply | Refusal | Replayed

/**
 * Commits a decision in one transaction with its events and, where the request has an idempotency key, the reply. A
 * request that lost the race against its own twin gets the twin's reply.
 */
export async function commit<Reply, Label extends string>(
  table: Table,
  sealingKey: SealingKey,
  request: Request,
  decision: Decision<Reply, Label>,
): Promise<Committed<Reply>> {
  const { idempotencyKey } = request
  const subject = subjectOf(request.caller)
  const actions: Record<string, Action> = {}
  for (const [label, action] of Object.entries<Action | undefined>(decision.writes))
    if (action) actions[label] = action
  for (const [index, draft] of decision.events.entries())
    actions[`event ${index}`] = putOnce(eventItem(record(draft, request)))
  if (idempotencyKey !== undefined) {
    actions['reply'] = putOnce(
      replyItem(sealingKey, subject, idempotencyKey, request.fingerprint, decision.reply, request.now),
    )
  }
  const outcome = await transact(table, actions)
  if (outcome.ok) return decision.reply
  // Asked whatever failed: the twin's other writes may be told as failed conditions, and its reply as a conflict.
  const earlier = await replay(table, sealingKey, request)
  if (earlier !== undefined) return earlier
  for (const label of Object.keys(decision.writes)) {
    const refusal = outcome.failed.includes(label) && refusalOf(decision, label)
    if (refusal) return refusal
  }
  throw new Error(`A condition failed that nobody expected: ${outcome.failed.join(', ')}`)
}

/** The reply to an earlier request with the same idempotency key, or the refusal to reuse it for another request. */
export async function replay(
  table: Table,
  sealingKey: SealingKey,
  request: Request,
): Promise<Replayed | Refusal | undefined> {
  if (request.idempotencyKey === undefined) return undefined
  const found = await readReply(
    table,
    sealingKey,
    subjectOf(request.caller),
    request.idempotencyKey,
    request.fingerprint,
  )
  if (found === 'mismatch') {
    return refuse(
      'IDEMPOTENCY_MISMATCH',
      'This Idempotency-Key came with another method, path or body before.',
    )
  }
  return found && { replayed: found.reply }
}

/** The event as it is stored. */
export function record(
  draft: EventDraft,
  { caller, now, requestId }: Pick<Request, 'caller' | 'now' | 'requestId'>,
): Event {
  const actor = actorOf(caller, draft.tenantId === undefined ? subjectOf : nameForTenant)
  return { actor, ...draft, id: newEventId(now), at: now, requestId }
}

function actorOf(caller: Caller, nameOf: (caller: Caller) => string): Event['actor'] {
  switch (caller.kind) {
    case 'anonymous':
      return { kind: 'system', subject: 'anonymous' }
    case 'system':
    case 'license':
      return { kind: caller.kind, subject: caller.subject }
    case 'vendor':
    case 'tenant':
      return { kind: caller.kind, subject: nameOf(caller), role: caller.role }
  }
}

function refusalOf<Label extends string>(
  decision: Decision<unknown, Label>,
  label: string,
): Refusal | undefined {
  return Object.entries<Refusal | undefined>(decision.refusals).find(([known]) => known === label)?.[1]
}
