import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the tools ask for (their metadata on PyPI). */
const OLDEST_PYTHON = [3, 10] as const

/** Tools of Python cannot be had here; the message says why, in one sentence for people. */
export class NoPythonError extends Error {
  override readonly name = 'NoPythonError'
}

/**
 * Installs Python packages into an environment of their own, `python` in a folder, once.
 *
 * @param requirements the file that names them, each with its version, and all they need
 * @returns the folder of their commands
 * @throws NoPythonError without a Python that is new enough, or without the packages
 */
export function pythonTools(folder: string, requirements: string): string {
  const environment = join(folder, 'python')
  const stamp = join(environment, 'requirements.txt')
  const wanted = readFileSync(requirements, 'utf8')
  const commands = join(environment, 'bin')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return commands
  requirePython()
  rmSync(environment, { recursive: true, force: true })
  run('python3', ['-m', 'venv', environment], 'Python cannot make a virtual environment')
  const pip = ['install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', requirements]
  run(join(commands, 'pip'), pip, 'its Python packages cannot be installed')
  writeFileSync(stamp, wanted)
  return commands
}

function requirePython(): void {
  const { stdout, error } = spawnSync('python3', ['-c', 'import sys; print(*sys.version_info[:2])'], {
    encoding: 'utf8',
  })
  const needed = OLDEST_PYTHON.join('.')
  if (error !== undefined)
    throw new NoPythonError(`there is no python3 on the PATH (${needed} or newer is needed)`)
  const [major = 0, minor = 0] = stdout.trim().split(' ').map(Number)
  if (major < OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor < OLDEST_PYTHON[1]))
    throw new NoPythonError(`the python3 on the PATH is ${major}.${minor}, and ${needed} or newer is needed`)
}

function run(command: string, args: readonly string[], problem: string): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return
  const [last = ''] = (error?.message ?? stderr).trim().split('\n').slice(-1)
  throw new NoPythonError(`${problem}: ${last}`)
}
