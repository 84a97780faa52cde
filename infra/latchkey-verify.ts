// `npx latchkey-verify <export or URL>`: does an audit log say what was signed? For people who trust neither the vendor
// nor the tenant: it asks nobody, and knows nothing but what it is given.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type NoteKey, parseVerifierKey } from '../shared/domain/checkpoint.ts'
import { Fault } from './verify/fault.ts'
import { fetchExport } from './verify/fetch-export.ts'
import { readExport } from './verify/read-export.ts'
import { type Proven, verifyExport } from './verify/verify-export.ts'

const USAGE = `Usage: npx latchkey-verify <export file or URL of a log> [options]
  --key <text or file>    the verifier key of the log as you pinned it (GET /v1/audit/key?log=…)
  --checkpoint <file>     the signed checkpoint, for an export as CSV, which has none
  --earlier <file>        a signed checkpoint that you kept: the log has to have grown out of it
  --save <file>           where to keep what is fetched from the URL
The token for a URL is read from LATCHKEY_TOKEN. A log's URL is https://…/v1/tenants/ten_…/audit.`

type VerifyOptions = {
  readonly source: string
  readonly key?: string | undefined
  readonly checkpoint?: string | undefined
  readonly earlier?: string | undefined
  readonly save?: string | undefined
  readonly token?: string | undefined
}

/** The one line that says what is proven, or is not and why, and the code to exit with. */
export async function verifySource(options: VerifyOptions): Promise<{ line: string; exitCode: 0 | 1 }> {
  const { source, save } = options
  const isUrl = /^https?:\/\//.test(source)
  // A log says who did what: nothing of it is left on this machine but what was to be saved.
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-verify-'))
  try {
    const file = isUrl ? (save ?? join(folder, 'audit.jsonl')) : source
    if (isUrl) await fetchExport(source, options.token, file)
    else if (!isFile(file)) throw new Fault('FILE_UNREADABLE', `there is no file ${file}`)
    const proven = await verifyExport(readExport(file), {
      key: options.key === undefined ? undefined : keyOf(options.key),
      checkpoint: textOf(options.checkpoint),
      earlier: textOf(options.earlier),
    })
    return { line: sentenceOf(proven), exitCode: 0 }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { line: `NOT proven (${error.fault}): ${error.message}.`, exitCode: 1 }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function sentenceOf(proven: Proven): string {
  const { checkpoint, entries, erased, isComplete, isPinned, earlier, anchor } = proven
  const parts = [
    isComplete
      ? `${checkpoint.origin} has exactly these ${entries} entries, in this order`
      : `these ${entries} entries are in ${checkpoint.origin}, which has ${checkpoint.size}; others may be left out here`,
    ...(erased > 0 ? [`of ${erased} the event was erased`] : []),
    ...(earlier ? [`it grew out of your checkpoint of size ${earlier.size}`] : []),
    ...(anchor ? [`its checkpoint is in the public log of all checkpoints (size ${anchor.size})`] : []),
    isPinned
      ? `signed by the key you pinned`
      : `signed by the key that came with it, which proves nothing of who signed: pin one with --key`,
  ]
  return `Proven: ${parts.join('; ')}.`
}

function keyOf(text: string): NoteKey {
  const key = parseVerifierKey(isFile(text) ? readFileSync(text, 'utf8') : text)
  if (key === undefined) throw new Fault('KEY_UNREADABLE', 'what --key names is no verifier key')
  return key
}

function textOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  if (isFile(file)) return readFileSync(file, 'utf8')
  throw new Fault('FILE_UNREADABLE', `there is no file ${file}`)
}

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true

function fromCommandLine() {
  const text = { type: 'string' } as const
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { key: text, checkpoint: text, earlier: text, save: text, help: { type: 'boolean' } },
    })
    const [source] = positionals
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    if (source !== undefined) return { ...values, source }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
  }
  console.error(USAGE)
  process.exit(2)
}

if (import.meta.main) {
  const given = fromCommandLine()
  const token = process.env['LATCHKEY_TOKEN']
  const { line, exitCode } = await verifySource({ ...given, token })
  if (exitCode === 0) console.log(line)
  else console.error(line)
  process.exit(exitCode)
}
