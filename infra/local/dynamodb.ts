import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { callDynamoDb } from './dynamodb-wire.ts'
import { errorCode, LocalStackError, messageOf } from './errors.ts'
import { requireJava } from './java.ts'
import { freePort, LOOPBACK } from './port.ts'

/** Where the tables lie in a data folder. */
const SUBFOLDER = 'dynamodb'
/** The file DynamoDB Local makes with `-sharedDb`. */
const DATABASE = 'shared-local-instance.db'
/** A Java that takes longer than this to start is stuck. */
const START_MILLISECONDS = 60_000
const POLL_MILLISECONDS = 50
/** How much of what Java printed is kept for an error. */
const KEPT_CHARACTERS = 4_000
/** Somebody may take a port between its choice and its use. */
const ATTEMPTS = 3

export type LocalDynamoDb = {
  readonly endpoint: string
  /** Settles when it ended without having been asked to. */
  readonly failed: Promise<string>
  close(): Promise<void>
}

/**
 * Starts Amazon's DynamoDB Local, over a data folder or, without one, in memory, and answers once it does. It ends
 * with this process, also when that crashes.
 *
 * @param options.forHours Java optimizes what runs long, which costs the first minutes
 * @throws LocalStackError when Java is missing or too old, or the folder's data is damaged
 */
export async function startDynamoDb(
  options: { folder?: string; forHours?: boolean } = {},
): Promise<LocalDynamoDb> {
  await requireJava()
  const dbPath = options.folder === undefined ? undefined : prepare(options.folder)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const started = await launch(port, dbPath, options.forHours === true)
    if (started !== 'port taken') return started
    if (attempt === ATTEMPTS)
      throw new LocalStackError(
        `DynamoDB Local could not use port ${port}: something else took it just now, try again.`,
      )
  }
}

/** @returns where the tables are to lie */
function prepare(folder: string): string {
  const dbPath = join(folder, SUBFOLDER)
  try {
    mkdirSync(dbPath, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new LocalStackError(`The data folder ${folder} cannot be made: ${messageOf(error)}.`)
  }
  const database = join(dbPath, DATABASE)
  if (existsSync(database) && isDamaged(database)) {
    throw new LocalStackError(
      `The data in ${folder} is damaged and cannot be read: restore that folder from a copy, or delete it to start afresh.`,
    )
  }
  return dbPath
}

/**
 * DynamoDB Local itself starts over a damaged file and answers each request that meets the damage with
 * `InternalFailure`, so the file, which is SQLite's, is looked through first.
 */
function isDamaged(file: string): boolean {
  try {
    // Opened for writing, because a crash can leave a journal that SQLite has to roll back.
    const database = new DatabaseSync(file)
    const findings = database.prepare('PRAGMA quick_check(1)').all()
    database.close()
    return findings[0]?.['quick_check'] !== 'ok'
  } catch (error) {
    if (errorCode(error) === 'ERR_SQLITE_ERROR') return true
    throw error
  }
}

async function launch(
  port: number,
  dbPath: string | undefined,
  forHours: boolean,
): Promise<LocalDynamoDb | 'port taken'> {
  const emulator = join(
    dirname(createRequire(import.meta.url).resolve('amplify-dynamodb-simulator/package.json')),
    'emulator',
  )
  const keeper = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'dynamodb-keeper.ts'),
      // Only the first compiler: up a third sooner, and two to three times faster over the first ten thousand requests.
      ...(forHours ? [] : ['-XX:TieredStopAtLevel=1']),
      // A sixth less work than with the collector that Java chooses on two cores.
      '-XX:+UseSerialGC',
      `-Djava.library.path=${join(emulator, 'DynamoDBLocal_lib')}`,
      ...['-jar', join(emulator, 'DynamoDBLocal.jar')],
      ...['-sharedDb', '-disableTelemetry', '-port', String(port)],
      ...(dbPath === undefined ? ['-inMemory'] : ['-dbPath', dbPath]),
    ],
    // A process group of its own: Ctrl-C reaches the group of this process, and the functions' last writes come first.
    { stdio: ['pipe', 'ignore', 'pipe'], detached: true },
  )
  let printed = ''
  keeper.stderr.on('data', (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-KEPT_CHARACTERS)
  })
  const ended = new Promise<void>((resolve) => keeper.once('exit', () => resolve()))
  const endpoint = `http://${LOOPBACK}:${port}`
  const outcome = await untilReady(endpoint, keeper, () => printed)
  if (outcome !== 'ready') {
    await stop(keeper, ended)
    if (outcome === 'port taken') return outcome
    throw new LocalStackError(`DynamoDB Local did not start: ${printed.trim() || 'it gave no reason'}`)
  }
  let closing = false
  return {
    endpoint,
    failed: new Promise((resolve) => {
      void ended.then(() => {
        if (!closing) resolve(`DynamoDB Local ended unexpectedly: ${printed.trim() || 'it gave no reason'}`)
      })
    }),
    close: async () => {
      closing = true
      await stop(keeper, ended)
    },
  }
}

async function stop(keeper: ChildProcess, ended: Promise<void>): Promise<void> {
  keeper.stdin?.end()
  await ended
}

async function untilReady(
  endpoint: string,
  keeper: ChildProcess,
  printed: () => string,
): Promise<'ready' | 'port taken' | 'failed'> {
  const start = performance.now()
  while (performance.now() - start < START_MILLISECONDS) {
    // It stays alive when it cannot have its port, so what it prints has to be read.
    if (printed().includes('Failed to bind')) return 'port taken'
    if (keeper.exitCode !== null) return 'failed'
    try {
      await callDynamoDb(endpoint, 'ListTables', {})
      return 'ready'
    } catch {
      await delay(POLL_MILLISECONDS)
    }
  }
  return 'failed'
}
