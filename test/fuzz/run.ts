// `npm run fuzz`: lets schemathesis loose on every operation of the OpenAPI document, on a stack of its own that leaves
// nothing behind. No fault, nothing that the document does not declare, no unknown field taken.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Operation } from '../../functions/routes.ts'
import { bootLocal } from '../../infra/local/boot.ts'
import { requireJava } from '../../infra/local/java.ts'
import { NoPythonError, pythonTools } from '../../infra/python.ts'
import { synthesize } from '../../infra/synthesize.ts'
import { openApi } from '../../shared/platform/http/openapi.ts'
import { createCatalog } from '../world/catalog.ts'
import { createTenancy } from '../world/tenancy.ts'
import { type Asking, askings } from './asking.ts'
import { clientOf } from './client.ts'
import { type Records, readRecords } from './records.ts'
import { printFailures, printTotals } from './report.ts'
import { settings } from './settings.ts'

const FOLDER = '.latchkey/fuzz'
const { values: options } = parseArgs({
  options: {
    /** Of each operation; what schemathesis makes of the bounds of each field comes on top. */
    examples: { type: 'string', default: '6' },
    seed: { type: 'string', default: '1' },
    /** A minute or two for every change; a run of the same seed asks the same. */
    quick: { type: 'boolean', default: false },
    /** Operation ids, separated by commas; all unless said otherwise. */
    only: { type: 'string' },
    /** Whoever asks, such as `vendor:admin`; all of them unless said otherwise. */
    as: { type: 'string', default: '' },
    /** No failure where there is no Python that is new enough, or none of its packages. */
    'if-possible': { type: 'boolean', default: false },
  },
})
const wanted = options.only?.split(',')

/** @returns whether everything was as it should be */
async function fuzz(command: string, folder: string): Promise<boolean> {
  const { template, assemblyDir } = await synthesize({ stage: 'local', outdir: join(folder, 'assembly') })
  const stack = await bootLocal({ template, assemblyDir, folder, port: 0, inMemory: true, quiet: true })
  const client = await clientOf(stack)
  try {
    const tenancy = await createTenancy(client, await createCatalog(client))
    const all: Records = { answers: new Map(), failures: [] }
    const vendor = await client.token('vendor:admin')
    for (const asking of askings(vendor, tenancy, wanted).filter(({ name }) => name.startsWith(options.as))) {
      const start = performance.now()
      await ask(command, folder, asking, stack.url, tenancy.known, all)
      const seconds = ((performance.now() - start) / 1000).toFixed(0)
      console.log(`${asking.name}: ${asking.operations.length} operations, ${seconds} s`)
    }
    printTotals(all)
    return printFailures(all)
  } finally {
    client.close()
    await stack.close()
  }
}

/** One run of schemathesis: some operations, by somebody. */
async function ask(
  command: string,
  folder: string,
  { name, authorization, operations, covered }: Asking,
  url: string,
  known: Readonly<Record<string, string>>,
  all: Records,
): Promise<void> {
  const records = join(FOLDER, `${name.replaceAll(/\W+/g, '-')}.ndjson`)
  const document = join(folder, 'openapi.json')
  const file = join(folder, 'schemathesis.toml')
  const [examples, seed] = [Number(options.examples), Number(options.seed)]
  writeFileSync(document, JSON.stringify(openApi(operations, '0')))
  const { quick: isQuick } = options
  writeFileSync(file, settings({ url, authorization, known, covered, examples, seed, isQuick, records }))
  // Nothing of an earlier run is taken for this one's.
  writeFileSync(records, '')
  const printed = await run(command, ['--config-file', file, 'run', document])
  await readRecords(records, all)
  const silent = operations.filter((operation) => !all.answers.has(labelOf(operation)))
  if (silent.length === 0) return
  throw new Error(`${silent.map(labelOf).join(', ')}: not asked; schemathesis said:\n${printed}`)
}

/** As schemathesis names it: by the path of the document. */
const labelOf = ({ method, path }: Operation) => `${method} ${path.replace('+}', '}')}`

/** What it printed. */
async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = () => void child.kill()
  process.once('exit', stop)
  child.once('close', () => process.off('exit', stop))
  const printed: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => void printed.push(chunk.toString()))
  await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return printed.join('')
}

const folder = mkdtempSync(join(tmpdir(), 'latchkey-fuzz-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
// DynamoDB Local ends with this process, the rest is in it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))

try {
  await requireJava()
  mkdirSync(FOLDER, { recursive: true })
  const commands = pythonTools(FOLDER, join(import.meta.dirname, 'requirements.txt'))
  if (!(await fuzz(join(commands, 'schemathesis'), folder))) process.exitCode = 1
} catch (error) {
  const isImpossible = error instanceof NoPythonError
  console.error(isImpossible ? `Not fuzzed: ${error.message}.` : error)
  process.exitCode = isImpossible && options['if-possible'] ? 0 : 1
}
