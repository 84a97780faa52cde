import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { listen } from '../../../infra/local/port.ts'

const START = join(import.meta.dirname, '../../../infra/local/start.ts')

/** Runs `npm start`'s program to its end. */
async function runStart(port: string) {
  const child = spawn(process.execPath, [START], {
    env: { PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [printed, complained] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { printed, complained, exitCode: child.exitCode }
}

test('a busy port is one sentence, before anything is started', async () => {
  const other = createServer()
  const port = await listen(other, 0)
  expect(await runStart(String(port))).toEqual({
    printed: '',
    complained: `Port ${port} is busy: stop what listens there, or choose another with PORT=<number>.\n`,
    exitCode: 1,
  })
  other.close()
})

test('a port that is none is one sentence', async () => {
  expect(await runStart('87878')).toEqual({
    printed: '',
    complained: 'PORT must be a number from 0 to 65534 (the mailbox has the next one), not 87878.\n',
    exitCode: 1,
  })
})
