// Runs before every npm command: on a fresh clone it installs the dependencies, later it finds them there and
// does nothing. Plain JavaScript, because it must run on the Node.js that happens to be on the machine (20 or
// newer) before the project's own Node.js 24 is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const OLDEST_NODE = 20
const STAMP = 'node_modules/.latchkey-installed'

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  console.error(
    `Latchkey needs Node.js ${OLDEST_NODE} or newer to begin with; this is ${process.versions.node}. Install a newer one (see nodejs.org) and run the command again.`,
  )
  process.exit(1)
}

const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
const installed = existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lock
if (!installed) {
  console.error('Installing the dependencies (once, about half a minute) …')
  // Not `npm ci`: it refuses a lock file that lacks an optional binary of a platform other than the author's. What is for
  // development is wanted also where NODE_ENV says production: Node.js 24 is among it.
  const { status } = spawnSync('npm', ['install', '--no-save', '--include=dev', '--loglevel=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    console.error('The installation failed; the lines above say why. Mend that and run the command again.')
    process.exit(1)
  }
  writeFileSync(STAMP, lock)
}
