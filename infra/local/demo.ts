// `npm run demo`: tells the story of demo/story.ts on a stack of its own that leaves nothing behind.
import { AssertionError } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readClock } from '../../shared/platform/time.ts'
import { synthesize } from '../synthesize.ts'
import { bootLocal } from './boot.ts'
import { consoleNarrator, timed } from './demo/console-narrator.ts'
import { tellStory } from './demo/story.ts'
import { makeVendorToken, worldOf } from './demo/world.ts'
import { LocalStackError } from './errors.ts'
import { requireJava } from './java.ts'

async function demo(folder: string): Promise<void> {
  await requireJava()
  console.log('Latchkey: the main job from end to end, on a throwaway stack\n')
  const { template, assemblyDir } = await timed('booting: functions and template', () =>
    synthesize({ stage: 'local', outdir: join(folder, 'assembly') }),
  )
  const stack = await timed('booting: DynamoDB Local, KMS stand-in, functions, API', () =>
    bootLocal({ template, assemblyDir, folder, port: 0, inMemory: true, quiet: true }),
  )
  try {
    await tellStory(worldOf(stack, await makeVendorToken(stack)), consoleNarrator(), readClock())
  } finally {
    await stack.close()
  }
  console.log('\nEverything happened as it should; the stack is gone. Your own: npm start')
}

const folder = mkdtempSync(join(tmpdir(), 'latchkey-demo-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
// DynamoDB Local ends with this process, the rest is in it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))

try {
  await demo(folder)
} catch (error) {
  if (error instanceof AssertionError) console.error('\nThe story went another way:', error.stack)
  else console.error(error instanceof LocalStackError ? error.message : error)
  process.exitCode = 1
}
