import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort, LOOPBACK } from '../local/port.ts'
import { pythonTools } from '../python.ts'

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt')
/** Milliseconds; it is up in some three seconds. */
const PATIENCE = 60_000

type Emulator = {
  /** Of every AWS service. */
  readonly endpoint: string
  /** What it printed so far. */
  log(): string
  close(): Promise<void>
}

/**
 * Installs the emulator into an environment of its own, once, and answers its command.
 *
 * @throws NoPythonError where it cannot be had
 */
export const installMinistack = (folder: string): string =>
  join(pythonTools(folder, REQUIREMENTS), 'ministack')

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
