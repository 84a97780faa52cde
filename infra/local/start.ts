// `npm start`: makes the template of the stage `local` and boots it.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { bootLocal, type LocalStack } from './boot.ts'
import { makeVendorToken } from './demo/world.ts'
import { LocalStackError } from './errors.ts'
import { assertUnclaimed } from './folder.ts'
import { requireJava } from './java.ts'
import { freePort } from './port.ts'

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, '.latchkey', 'local')
const ASSEMBLY = join(ROOT, '.latchkey', 'assembly')
const DEFAULT_PORT = 8787

async function start(): Promise<void> {
  const port = readPort(process.env['PORT'])
  // What is in the way is said at once, before anything is started or written.
  await freePort(port)
  assertUnclaimed(FOLDER)
  await requireJava()

  console.log('Starting Latchkey …')
  // CDK takes a second to load, in which nobody is to wait for one of the sentences above.
  const { synthesize } = await import('../synthesize.ts')
  // The code of earlier starts would pile up there.
  rmSync(ASSEMBLY, { recursive: true, force: true })
  const { template, assemblyDir } = await synthesize({ stage: 'local', outdir: ASSEMBLY })
  const stack = await bootLocal({ template, assemblyDir, folder: FOLDER, port })
  stopOnSignal(stack)
  console.log(greeting(stack, await vendorToken(stack)))
}

/** @throws LocalStackError when it is no port */
function readPort(text: string | undefined): number {
  const port = Number(text || DEFAULT_PORT)
  if (Number.isInteger(port) && port >= 0 && port <= 65_534) return port
  throw new LocalStackError(
    `PORT must be a number from 0 to 65534 (the mailbox has the next one), not ${text}.`,
  )
}

function stopOnSignal(stack: LocalStack): void {
  // Once: a second Ctrl-C ends the process at once, and the system everything it started.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      console.log('\nStopping …')
      void stack.close()
    })
  }
  void stack.failed.then((reason) => {
    console.error(reason)
    process.exitCode = 1
    return stack.close()
  })
}

/** The token made at the first start, with the folder's data. */
async function vendorToken(stack: LocalStack): Promise<string> {
  const file = join(FOLDER, 'vendor-token')
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  const token = await makeVendorToken(stack)
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  return token
}

function greeting({ url, unsupported, mailbox }: LocalStack, token: string): string {
  const folder = relative(process.cwd(), FOLDER)
  const authorization = `-H 'authorization: Bearer ${token}'`
  const product = '{"code":"studio","name":"Studio","metrics":[{"code":"users","kind":"gauge"}]}'
  return `
Latchkey listens on ${url}
  data     ${folder} (delete the folder to start afresh)
  mail     ${mailbox.url} (files in ${join(folder, 'mailbox')})
  token    ${token}
           (first vendor token, kept in ${join(folder, 'vendor-token')})

Try:
  curl ${url}/v1/health
  curl ${url}/v1/products ${authorization} -H 'content-type: application/json' -H 'idempotency-key: first-product' -d '${product}'
  curl ${url}/v1/licenses ${authorization}
${unsupported.map((resource) => `\nnot supported locally: ${resource}`).join('')}
Ctrl-C stops everything.
`
}

try {
  await start()
} catch (error) {
  if (!(error instanceof LocalStackError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
