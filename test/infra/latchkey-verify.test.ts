import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { verifySource } from '../../infra/latchkey-verify.ts'
import { listen } from '../../infra/local/port.ts'

const folder = mkdtempSync(join(tmpdir(), 'latchkey-verify-test-'))
const server = createServer((_, response) => response.end('a line that is none\n'))
let source: string

beforeAll(async () => {
  vi.stubEnv('TMPDIR', folder)
  source = `http://127.0.0.1:${await listen(server, 0)}/v1/tenants/any/audit`
})
afterAll(async () => {
  vi.unstubAllEnvs()
  server.close()
  await once(server, 'close')
  rmSync(folder, { recursive: true })
})

test('of a log that is fetched nothing is left but what was to be saved', async () => {
  expect(await verifySource({ source })).toMatchObject({ exitCode: 1 })
  expect(readdirSync(folder)).toEqual([])
  const save = join(folder, 'kept.jsonl')
  await verifySource({ source, save })
  expect(readFileSync(save, 'utf8')).toBe('a line that is none\n')
})
