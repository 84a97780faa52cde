import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { errorCode, LocalStackError } from '../errors.ts'

const FILE = 'streams.json'

/** The last sequence number that was dealt with, by mapping and then by shard. */
const Saved = z.record(z.string(), z.record(z.string(), z.string()))
type Saved = z.infer<typeof Saved>

/** How far each mapping came in each shard, kept in the data folder so that the next start goes on from there. */
export class Checkpoints {
  private readonly file: string
  private readonly saved: Saved

  /** @throws LocalStackError when the file is damaged */
  constructor(folder: string) {
    this.file = join(folder, FILE)
    this.saved = read(this.file)
  }

  get(mapping: string, shard: string): string | undefined {
    return this.saved[mapping]?.[shard]
  }

  set(mapping: string, shard: string, sequenceNumber: string): void {
    this.saved[mapping] = { ...this.saved[mapping], [shard]: sequenceNumber }
    this.write()
  }

  /** Forgets the shards that are no more. */
  keep(mapping: string, shards: ReadonlySet<string>): void {
    const before = Object.entries(this.saved[mapping] ?? {})
    const kept = before.filter(([shard]) => shards.has(shard))
    if (kept.length === before.length) return
    this.saved[mapping] = Object.fromEntries(kept)
    this.write()
  }

  /** Renamed into place: a crash in the middle leaves the one before. */
  private write(): void {
    writeFileSync(`${this.file}.new`, JSON.stringify(this.saved), { mode: 0o600 })
    renameSync(`${this.file}.new`, this.file)
  }
}

function read(file: string): Saved {
  try {
    return Saved.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return {}
    throw new LocalStackError(
      `${file} is damaged and cannot be read: delete it, and what is still in the streams is delivered again.`,
    )
  }
}
