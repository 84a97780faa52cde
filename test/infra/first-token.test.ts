import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { parseToken } from '../../shared/platform/auth/token-format.ts'
import { outcome, startApi } from '../support/api.ts'
import { eventsOf } from '../support/events.ts'

const api = await startApi()
afterAll(api.stop)
const script = join(import.meta.dirname, '../../infra/first-token.ts')
/** The command, with the endpoints and credentials of this process. */
const run = (...options: string[]) => promisify(execFile)(process.execPath, [script, ...options])

test('the first token of a stage lets a vendor administrator in, and has its event', async () => {
  const { stdout } = await run(
    '--table',
    api.table.name,
    '--credential-key',
    api.kmsKeys.credentials,
    '--stage',
    'test',
  )
  const token = stdout.trim()

  expect(outcome(await api.call('GET', '/v1/tokens', { token }))).toBe('200')
  const [event] = await eventsOf(api.table, parseToken(token)?.id ?? '')
  expect(event).toMatchObject({
    type: 'token.created',
    actor: { kind: 'system', subject: 'first-token' },
    after: { role: 'vendor:admin' },
  })
  expect(JSON.stringify(event)).not.toContain('secretHash')
})

test('without its options the command says how it is used', async () => {
  await expect(run('--stage', 'test')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^Usage: npm run first-token -- --table/),
  })
})
