import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { errorCode, LocalStackError, messageOf } from './errors.ts'

const LOCK = 'running.pid'

/** Of this process. A lock with our own number that is not among them was left by a crash: numbers come again. */
const claimed = new Set<string>()

/**
 * Makes the data folder, readable by its owner alone, and claims it for this process: two DynamoDB Locals over the
 * same file do not notice each other and damage it.
 *
 * @returns what gives the folder free again
 * @throws LocalStackError when a running process has it, or when it cannot be written
 */
export function claimFolder(folder: string): () => void {
  const lock = join(folder, LOCK)
  makeFolder(folder)
  assertUnclaimed(folder)
  writeFileSync(lock, String(process.pid))
  claimed.add(lock)
  return () => {
    claimed.delete(lock)
    rmSync(lock, { force: true })
  }
}

/** @throws LocalStackError when a running process has claimed the folder */
export function assertUnclaimed(folder: string): void {
  const lock = join(folder, LOCK)
  const owner = ownerOf(lock)
  if (owner === undefined) return
  if (owner === process.pid ? claimed.has(lock) : isRunning(owner)) {
    throw new LocalStackError(
      `The data in ${folder} is in use by process ${owner}: stop that one first (if it is not a Latchkey, delete ${lock}).`,
    )
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new LocalStackError(`The data folder ${resolve(folder)} cannot be made: ${messageOf(error)}.`)
  }
}

function ownerOf(lock: string): number | undefined {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // A process of somebody else answers EPERM, one that is gone ESRCH.
    return errorCode(error) === 'EPERM'
  }
}
