import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { setup as startDatabase } from '../support/dynamodb.ts'
import { summary } from './tally.ts'

declare module 'vitest' {
  interface ProvidedContext {
    faultTally: string
  }
}

/** The database, and at the end what all processes did. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stop = await startDatabase(project)
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-faults-'))
  const file = join(folder, 'tally.jsonl')
  writeFileSync(file, '')
  project.provide('faultTally', file)
  return async () => {
    await stop()
    process.stdout.write(`\n${summary(readFileSync(file, 'utf8'))}\n`)
    rmSync(folder, { recursive: true })
  }
}
