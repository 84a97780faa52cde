import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort, LOOPBACK } from '../local/port.ts'

/** What the emulator asks for (its metadata on PyPI). */
const OLDEST_PYTHON = [3, 10] as const
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt')
/** Milliseconds; it is up in some three seconds. */
const PATIENCE = 60_000

/** The emulator cannot be had here; the message says why, in one sentence for people. */
export class NoEmulatorError extends Error {
  override readonly name = 'NoEmulatorError'
}

export type Emulator = {
  /** Of every AWS service. */
  readonly endpoint: string
  /** What it printed so far. */
  log(): string
  close(): Promise<void>
}

/**
 * Installs the emulator into an environment of its own, once, and answers its command.
 *
 * @throws NoEmulatorError without a Python that is new enough, or without its packages
 */
export function installMinistack(folder: string): string {
  const environment = join(folder, 'python')
  const stamp = join(environment, 'requirements.txt')
  const wanted = readFileSync(REQUIREMENTS, 'utf8')
  const command = join(environment, 'bin', 'ministack')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return command
  requirePython()
  rmSync(environment, { recursive: true, force: true })
  run('python3', ['-m', 'venv', environment], 'Python cannot make a virtual environment')
  const pip = ['install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', REQUIREMENTS]
  run(join(environment, 'bin', 'pip'), pip, 'its Python packages cannot be installed')
  writeFileSync(stamp, wanted)
  return command
}

/** Starts it on a free port of the loopback address, with nothing in it. */
export async function startMinistack(command: string): Promise<Emulator> {
  const port = await freePort()
  const printed: string[] = []
  const child = spawn(command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      BIND_HOST: LOOPBACK,
      GATEWAY_PORT: String(port),
      // Brokers that it would start beside it.
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
    },
  })
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => void printed.push(chunk.toString()))
  const emulator = {
    endpoint: `http://${LOOPBACK}:${port}`,
    log: () => printed.join(''),
    close: () => stop(child),
  }
  await ready(emulator, child)
  return emulator
}

async function ready({ endpoint, log }: Emulator, child: ChildProcess): Promise<void> {
  for (let waited = 0; waited < PATIENCE; waited += 250) {
    if (child.exitCode !== null) break
    const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined)
    if (answer?.ok) return
    await wait(250)
  }
  await stop(child)
  throw new Error(`The AWS emulator does not start:\n${log()}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(timer)
}

function requirePython(): void {
  const { stdout, error } = spawnSync('python3', ['-c', 'import sys; print(*sys.version_info[:2])'], {
    encoding: 'utf8',
  })
  const needed = OLDEST_PYTHON.join('.')
  if (error !== undefined)
    throw new NoEmulatorError(`there is no python3 on the PATH (${needed} or newer is needed)`)
  const [major = 0, minor = 0] = stdout.trim().split(' ').map(Number)
  if (major < OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor < OLDEST_PYTHON[1]))
    throw new NoEmulatorError(
      `the python3 on the PATH is ${major}.${minor}, and ${needed} or newer is needed`,
    )
}

function run(command: string, args: readonly string[], problem: string): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return
  const [last = ''] = (error?.message ?? stderr).trim().split('\n').slice(-1)
  throw new NoEmulatorError(`${problem}: ${last}`)
}
