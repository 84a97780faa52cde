import { setTimeout as delay } from 'node:timers/promises'
import { recordDeadLetter } from '../dead-letters.ts'
import { messageOf } from '../errors.ts'
import type { Checkpoints } from './checkpoints.ts'
import { deliver, type Outlet, type RetryPolicy } from './deliver.ts'
import { isWanted, type Pattern } from './filter.ts'
import { type Shard, type StreamRecord, sequenceNumberOf, type TableStream } from './records.ts'

/** Between two looks at a stream in which nothing is new. One costs DynamoDB Local about 5 ms. */
const POLL_MILLISECONDS = 250

/** A stream and the function that gets its records. */
export type StreamMapping = RetryPolicy & {
  readonly name: string
  readonly stream: Pick<TableStream, 'arn' | 'shards' | 'iteratorAfter' | 'read'>
  readonly batchSize: number
  readonly filters: readonly Pattern[]
  /** For records that failed for good. */
  readonly deadLetterQueue: string | undefined
  /** As people know it. */
  readonly functionName: string
  invoke(event: string): Promise<string>
}

/**
 * Lambda's part between a stream and a function: reads the stream in order, from the oldest record on, and delivers
 * what the filters let through. How far it came is written down after a batch was dealt with, so a crash can deliver a
 * record twice but loses none.
 */
export class StreamPoller {
  private readonly mapping: StreamMapping
  private readonly checkpoints: Checkpoints
  private readonly folder: string
  private readonly print: (line: string) => void
  private readonly closing = new AbortController()
  private running: Promise<void> | undefined
  /** Shards to read, and those read to their end; others that go on from these may be there by now. */
  private shards: Shard[] = []
  private readonly finished = new Set<string>()
  private hasNews = true
  private readonly iterators = new Map<string, string>()
  private waiting: PromiseWithResolvers<void>[] = []

  constructor(
    mapping: StreamMapping,
    checkpoints: Checkpoints,
    folder: string,
    print: (line: string) => void,
  ) {
    this.mapping = mapping
    this.checkpoints = checkpoints
    this.folder = folder
    this.print = print
  }

  start(): void {
    this.running = this.run()
  }

  /** Ends after the invocation under way, if there is one. */
  async close(): Promise<void> {
    this.closing.abort(new Error('The local stack is closed'))
    await this.running
    for (const { reject } of this.waiting) reject(this.closing.signal.reason)
  }

  /** Settles when what was written before this call has been processed or given up. */
  async caughtUp(): Promise<void> {
    this.closing.signal.throwIfAborted()
    const waiting = Promise.withResolvers<void>()
    this.waiting.push(waiting)
    return waiting.promise
  }

  private async run(): Promise<void> {
    const { signal } = this.closing
    while (!signal.aborted) {
      const waiting = this.waiting
      this.waiting = []
      const outcome = await this.pass()
      if (outcome === 'nothing') for (const { resolve } of waiting) resolve()
      else this.waiting.push(...waiting)
      if (outcome !== 'records') await delay(POLL_MILLISECONDS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** One look at every shard. */
  private async pass(): Promise<'records' | 'nothing' | 'failed'> {
    try {
      if (this.hasNews || this.shards.every(({ id }) => this.finished.has(id))) await this.findShards()
      let found = false
      for (const shard of this.shards) if (this.isDue(shard)) found = (await this.readOnce(shard.id)) || found
      return found ? 'records' : 'nothing'
    } catch (error) {
      if (this.closing.signal.aborted) return 'failed'
      this.print(`The stream for ${this.mapping.functionName} cannot be read: ${messageOf(error)}`)
      // An iterator lives for 15 minutes; a machine that slept finds all of them expired.
      this.iterators.clear()
      return 'failed'
    }
  }

  private async findShards(): Promise<void> {
    this.shards = await this.mapping.stream.shards()
    this.hasNews = false
    this.checkpoints.keep(this.mapping.name, new Set(this.shards.map(({ id }) => this.place(id))))
  }

  /** A shard comes after the one that it goes on from. */
  private isDue({ id, parent }: Shard): boolean {
    const isOpen = (shard: string) => !this.finished.has(shard)
    return isOpen(id) && !this.shards.some((other) => other.id === parent && isOpen(other.id))
  }

  /** @returns whether there was anything */
  private async readOnce(shard: string): Promise<boolean> {
    const { stream, name, filters, batchSize } = this.mapping
    const place = this.place(shard)
    const iterator =
      this.iterators.get(shard) ?? (await stream.iteratorAfter(shard, this.checkpoints.get(name, place)))
    // Should a delivery be interrupted, it goes on from the checkpoint.
    this.iterators.delete(shard)
    const { records, next } = await stream.read(iterator)
    const wanted = records.filter((record) => isWanted(filters, record))
    for (let start = 0; start < wanted.length; start += batchSize) {
      const batch = wanted.slice(start, start + batchSize)
      await deliver(
        batch,
        (event) => this.mapping.invoke(event),
        this.mapping,
        this.outlet(shard),
        this.closing.signal,
      )
    }
    this.note(shard, records)
    if (next !== undefined) this.iterators.set(shard, next)
    else {
      this.finished.add(shard)
      this.hasNews = true
    }
    return records.length > 0 || next === undefined
  }

  private outlet(shard: string): Outlet {
    return {
      processed: (records) => this.note(shard, records),
      givenUp: (records, attempts, error) => {
        const { deadLetterQueue: queue, functionName, stream } = this.mapping
        const [first, last] = [records.at(0), records.at(-1)]
        recordDeadLetter(this.folder, this.print, `A batch of ${records.length} for ${functionName}`, {
          queue,
          function: functionName,
          attempts,
          error,
          DDBStreamBatchInfo: {
            shardId: shard,
            startSequenceNumber: first && sequenceNumberOf(first),
            endSequenceNumber: last && sequenceNumberOf(last),
            batchSize: records.length,
            streamArn: stream.arn,
          },
        })
        this.note(shard, records)
      },
    }
  }

  private note(shard: string, records: readonly StreamRecord[]): void {
    const last = records.at(-1)
    if (last) this.checkpoints.set(this.mapping.name, this.place(shard), sequenceNumberOf(last))
  }

  /** A table that is made anew has another stream, and may have shards of the same name. */
  private place(shard: string): string {
    return `${this.mapping.stream.arn} ${shard}`
  }
}
