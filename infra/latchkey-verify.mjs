#!/usr/bin/env node
// `npx latchkey-verify`, from a clone: brings the project's own Node.js 24, which runs the TypeScript beside this, as
// install.mjs does for npm's commands.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const shell = process.platform === 'win32'
const installed = spawnSync(process.execPath, ['infra/install.mjs'], { cwd: root, stdio: 'inherit' })
if (installed.status !== 0) process.exit(installed.status ?? 1)
const program = join(root, 'infra', 'latchkey-verify.ts')
const { status } = spawnSync(
  join(root, 'node_modules', '.bin', 'node'),
  [program, ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    shell,
  },
)
process.exit(status ?? 1)
