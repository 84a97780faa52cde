import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { backoff } from '../backoff.ts'
import { messageOf } from '../errors.ts'
import { type StreamRecord, sequenceNumberOf } from './records.ts'

/** What an event source mapping says of failures. */
export type RetryPolicy = {
  readonly maximumRetryAttempts: number
  /** Splits a batch that failed as a whole, to find the record that makes it fail. */
  readonly bisect: boolean
  /** The function answers which records failed. */
  readonly reportsFailures: boolean
}

/** What becomes of records; both are called in the order of the stream. */
export type Outlet = {
  processed(records: readonly StreamRecord[]): void
  givenUp(records: readonly StreamRecord[], attempts: number, error: string): void
}

/** From which record on a batch has to be delivered again. */
type Failure = { readonly from: number; readonly error: string }

/**
 * Delivers a batch to a function until each record was processed or given up, as Lambda does for streams (developer
 * guide, "Configuring partial batch response with DynamoDB and Lambda"): the first record that failed is where it goes
 * on, so what came after it is delivered again even if it was processed. A batch that fails as a whole is split, which
 * does not count as a retry, and so a record that always fails is alone in the end. Lambda does not say where it splits
 * a batch whose very first record is reported; here it is the middle.
 *
 * @throws the signal's reason when it is aborted before all was dealt with
 */
export async function deliver(
  records: readonly StreamRecord[],
  invoke: (event: string) => Promise<string>,
  policy: RetryPolicy,
  outlet: Outlet,
  signal: AbortSignal,
): Promise<void> {
  let rest = records
  for (let attempts = 1; ; attempts++) {
    signal.throwIfAborted()
    const failure = await attempt(rest, invoke, policy)
    if (failure === undefined) return outlet.processed(rest)
    if (failure.from > 0) {
      outlet.processed(rest.slice(0, failure.from))
      rest = rest.slice(failure.from)
      attempts = 1
    } else if (policy.bisect && rest.length > 1) {
      const middle = Math.ceil(rest.length / 2)
      await deliver(rest.slice(0, middle), invoke, policy, outlet, signal)
      return deliver(rest.slice(middle), invoke, policy, outlet, signal)
    } else if (attempts > policy.maximumRetryAttempts) {
      return outlet.givenUp(rest, attempts, failure.error)
    }
    await delay(backoff(attempts), undefined, { signal })
  }
}

async function attempt(
  records: readonly StreamRecord[],
  invoke: (event: string) => Promise<string>,
  { reportsFailures }: RetryPolicy,
): Promise<Failure | undefined> {
  try {
    const answer: unknown = JSON.parse(await invoke(JSON.stringify({ Records: records })))
    return reportsFailures ? failureIn(answer, records) : undefined
  } catch (error) {
    return { from: 0, error: messageOf(error) }
  }
}

/** Nothing, or an empty list, is a success; a list that cannot be read, or that names strangers, a failure of all. */
const Answer = z
  .object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish() })
  .nullish()

function failureIn(answer: unknown, records: readonly StreamRecord[]): Failure | undefined {
  const parsed = Answer.safeParse(answer)
  if (!parsed.success) return { from: 0, error: 'The answer of the function is no list of failures' }
  const failed = parsed.data?.batchItemFailures ?? []
  if (failed.length === 0) return undefined
  const numbers = records.map(sequenceNumberOf)
  const places = failed.map(({ itemIdentifier }) => numbers.indexOf(itemIdentifier))
  if (places.includes(-1)) return { from: 0, error: 'The function reports a record that it was not given' }
  const from = Math.min(...places)
  return { from, error: `The function reports that it cannot process ${numbers[from]}` }
}
