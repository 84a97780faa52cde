import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { HOUR } from '../../shared/platform/time.ts'
import { eventsOf, store } from '../functions/audit/rig.ts'
import { startApi } from '../support/api.ts'
import { sequenceAll } from '../support/audit.ts'
import { advanceClock, stopClock } from '../support/clock.ts'
import { createTenant } from '../support/resources.ts'
import { expected } from '../support/scenario.ts'

// An audit log has to verify with the library by which Go verifies what it downloads, which knows nothing of this service.
const cwd = join(import.meta.dirname, 'tlog')
const run = (command: string, args: readonly string[], input = '') =>
  spawnSync(command, args, { cwd, input, encoding: 'utf8', timeout: 170_000 })
const had = run('go', ['mod', 'download'])
const missing = had.error?.message ?? (had.status === 0 ? undefined : had.stderr.trim().split('\n').at(-1))
if (missing === undefined) describe('sumdb/note and sumdb/tlog (Go)', sumdb)
else {
  console.warn(`sumdb/note and sumdb/tlog (Go) were not asked about audit logs: ${missing}`)
  test('what needs Go was left out, and said so', () => expect(missing).not.toBe(''))
}

function sumdb(): void {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-tlog-'))
  afterAll(() => {
    vi.useRealTimers()
    rmSync(folder, { recursive: true })
  })
  const program = join(folder, 'verify')

  test('take its checkpoints, tiles, entries and proofs, and nothing that was changed', async () => {
    const built = run('go', ['build', '-o', program, '.'])
    expect(built.stderr).toBe('')
    const asked = await askedOfLog()
    const faultsOf = (changes: Partial<typeof asked>) =>
      run(program, [], JSON.stringify({ ...asked, ...changes })).stdout

    expect(faultsOf({})).toBe('')
    const [first = '', ...others] = asked.Entries
    const altered = (text: string) => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`
    expect(faultsOf({ Entries: [altered(first), ...others] })).toMatch(/^entry 0: is not what the tree has/)
    expect(faultsOf({ After: asked.After.replace(/\n\d+\n/, '\n300\n') })).toMatch(/^checkpoint: /)
    expect(faultsOf({ Before: asked.After })).toMatch(/^consistency: /)
    expect(faultsOf({ Index: 1 })).toMatch(/^inclusion: /)
    const [path = '', tile = ''] = Object.entries(asked.Tiles).find(([name]) => name === 'tile/8/0/000') ?? []
    expect(faultsOf({ Tiles: { ...asked.Tiles, [path]: altered(tile) } })).toMatch(/entry 0: /)
  })
}

const Hashes = z.object({ proof: z.array(z.string()) })

/** A log of more than a tile with two checkpoints, as a client gets it from the API. */
async function askedOfLog() {
  const api = await startApi()
  stopClock()
  const tenant = await createTenant(api)
  const token = await api.token('tenant:reporter', tenant.id)
  const get = async (path: string, query: Record<string, string> = {}) => {
    const answer = await api.call('GET', `/v1/tenants/${tenant.id}/audit/${path}`, { token, query })
    return expected(200, answer)
  }
  const tile = async (path: string) =>
    z
      .instanceof(Buffer)
      .parse(await get(`tile/${path}`))
      .toString('base64')
  await store(api.table, eventsOf(tenant.id, 98))
  await sequenceAll(api.table, tenant.id)
  const before = z.string().parse(await get('checkpoint'))
  await store(api.table, eventsOf(tenant.id, 200))
  await sequenceAll(api.table, tenant.id)
  advanceClock(HOUR)
  const after = z.string().parse(await get('checkpoint'))
  const size = Number(after.split('\n')[1])
  const key = z
    .object({ keys: z.array(z.string()) })
    .parse((await api.call('GET', '/v1/audit/key', { query: { log: tenant.id } })).body)
  const entries: string[] = []
  for (const path of ['entries/000', `entries/001.p/${size - 256}`]) {
    const bundle = Buffer.from(await tile(path), 'base64')
    for (let place = 0; place < bundle.length; ) {
      const end = place + 2 + bundle.readUInt16BE(place)
      entries.push(bundle.subarray(place + 2, end).toString('base64'))
      place = end
    }
  }
  // tlog's own paths name the height of a tile, too.
  const paths = ['0/000', `0/001.p/${size - 256}`, '1/000.p/1']
  const tiles = await Promise.all(paths.map(async (path) => [`tile/8/${path}`, await tile(path)] as const))
  const asked = {
    Key: key.keys.at(-1) ?? '',
    Before: before,
    After: after,
    Tiles: Object.fromEntries(tiles),
    Entries: entries,
    Index: 77,
    Proof: Hashes.parse(await get('inclusion', { index: '77', size: String(size) })).proof,
    Tree: Hashes.parse(await get('consistency', { from: before.split('\n')[1] ?? '', to: String(size) }))
      .proof,
  }
  await api.stop()
  return asked
}
