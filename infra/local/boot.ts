import { join } from 'node:path'
import { styleText } from 'node:util'
import type { Instant } from '../../shared/platform/time.ts'
import { type LocalDynamoDb, startDynamoDb } from './dynamodb.ts'
import { claimFolder } from './folder.ts'
import type { LocalFunction } from './functions/local-function.ts'
import { type HttpFront, startFront } from './http/front.ts'
import { RouteTable } from './http/routes.ts'
import { KeyStore } from './kms/key-store.ts'
import { type LocalKms, startKms } from './kms/start-kms.ts'
import { Mailbox } from './mail/mailbox.ts'
import { type LocalMail, startMail } from './mail/start-mail.ts'
import { type ScheduleOutcome, Scheduler } from './schedules/scheduler.ts'
import { Checkpoints } from './streams/checkpoints.ts'
import { StreamPoller } from './streams/poller.ts'
import { type Identity, resolve } from './template/resolve.ts'
import { parseTemplate, readAssets, type Template } from './template/schema.ts'
import { setUp } from './template/set-up.ts'
import type { Site } from './template/site.ts'

export type BootOptions = {
  /** A synthesized CloudFormation template, as parsed JSON. */
  readonly template: unknown
  /** The cloud assembly: where the template's assets lie. */
  readonly assemblyDir: string
  /** Where tables, keys and dead letters are kept. One running stack per folder. */
  readonly folder: string
  /** Of the API; 0 for any free one. */
  readonly port: number
  /** Tables and keys in memory, gone at the end. */
  readonly inMemory?: boolean
  /** Prints nothing of what the functions print. */
  readonly quiet?: boolean
}

export type LocalStack = {
  /** The API, without a slash at the end. */
  readonly url: string
  readonly endpoints: { readonly dynamodb: string; readonly kms: string; readonly ses: string }
  /** Where mails land, and where they can be looked at. */
  readonly mailbox: { readonly folder: string; readonly url: string }
  /** What the template asks for and does not get here: `<Type> (<LogicalId>)`, with the property if it is only one. */
  readonly unsupported: readonly string[]
  /** The template's outputs, resolved. */
  readonly outputs: Readonly<Record<string, unknown>>
  /** Logical ids. */
  readonly functions: readonly string[]
  readonly schedules: readonly string[]
  /** Settles, with what happened, when a part of the stack ended by itself. */
  readonly failed: Promise<string>
  /** Of the template's only table. */
  tableName(): string
  /** All variables a function sees. */
  environment(functionLogicalId: string): Readonly<Record<string, string>>
  /** Runs a schedule now, for a slot of the caller's choice, with its retries. */
  runSchedule(name: string, scheduledTime: Instant): Promise<ScheduleOutcome>
  /** Settles when the functions behind the streams have dealt with all that was written before this call. */
  streamsCaughtUp(): Promise<void>
  /** Ends everything the boot started. Twice is once. */
  close(): Promise<void>
}

/**
 * Boots a synthesized template on this machine: DynamoDB Local for its tables, a stand-in for KMS, each function in a
 * thread with its own environment, its HTTP API on the loopback address, its schedules on timers.
 *
 * @throws LocalStackError, with one sentence for people, when something on this machine is in the way
 */
export async function bootLocal(options: BootOptions): Promise<LocalStack> {
  const template = parseTemplate(options.template)
  const print = options.quiet ? () => undefined : printLine
  const closers: Closer[] = []
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= closeAll(closers)
    return closing
  }
  try {
    const services = await startServices(options, closers)
    const { front, dynamoDb, mail } = services
    const identities = new Map<string, Identity>()
    const site = newSite(options, template, services, identities, print)
    await setUp(template, site, identities)

    const functions = new Map([...site.functions.values()].map((each) => [each.logicalId, each]))
    const scheduler = new Scheduler(site.schedules, options.folder, (line) => print('schedules', line))
    const checkpoints = new Checkpoints(options.folder)
    const pollers = site.streams.map(
      (mapping) => new StreamPoller(mapping, checkpoints, options.folder, (line) => print('streams', line)),
    )
    // Closing goes the other way: no new runs and requests, then the functions, then what they use.
    closers.push(
      () => allOf([...functions.values()], (each) => each.close()),
      () => allOf(pollers, (poller) => poller.close()),
      front.close,
      () => scheduler.close(),
    )
    front.serve(site.apis[0] ?? '', site.routes)
    scheduler.start()
    for (const poller of pollers) poller.start()

    return {
      url: front.url,
      endpoints: site.endpoints,
      mailbox: { folder: mail.mailbox.folder, url: mail.endpoint },
      unsupported: site.unsupported,
      outputs: mapValues(template.Outputs, ({ Value }) => resolve(Value, site.references)),
      functions: [...functions.keys()],
      schedules: site.schedules.map(({ name }) => name),
      failed: dynamoDb.failed,
      tableName: () => onlyTable(site.tables),
      environment: (logicalId) => pick(functions, logicalId).environment,
      runSchedule: (name, scheduledTime) => scheduler.run(name, scheduledTime),
      streamsCaughtUp: () => allOf(pollers, (poller) => poller.caughtUp()),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A closer may be called twice. */
type Closer = () => void | Promise<void>

type Services = {
  front: HttpFront
  keyStore: KeyStore
  kms: LocalKms
  mail: LocalMail
  dynamoDb: LocalDynamoDb
}

/** First what fails at once and harms nothing: a folder in use, a busy port, damaged keys. */
async function startServices({ folder, port, inMemory }: BootOptions, closers: Closer[]): Promise<Services> {
  closers.push(claimFolder(folder))
  const front = await startFront(port)
  closers.push(front.close)
  const keyStore = inMemory ? KeyStore.inMemory() : KeyStore.inFile(join(folder, 'keys.json'))
  const kms = await startKms({ store: keyStore })
  closers.push(kms.close)
  // Beside the API, so that its address is the same at each start.
  const mail = await startMail({ mailbox: new Mailbox(join(folder, 'mailbox')), port: port && port + 1 })
  closers.push(mail.close)
  const dynamoDb = await startDynamoDb(inMemory ? {} : { folder })
  closers.push(dynamoDb.close)
  return { front, keyStore, kms, mail, dynamoDb }
}

function newSite(
  { folder, assemblyDir }: BootOptions,
  template: Template,
  { front, keyStore, kms, mail, dynamoDb }: Services,
  identities: ReadonlyMap<string, Identity>,
  print: Site['print'],
): Site {
  return {
    folder,
    assemblyDir,
    assets: readAssets(assemblyDir),
    url: front.url,
    endpoints: { dynamodb: dynamoDb.endpoint, kms: kms.endpoint, ses: mail.endpoint },
    mail,
    keyStore,
    references: { identities, parameters: mapValues(template.Parameters, ({ Default }) => Default) },
    print,
    unsupported: [],
    tables: [],
    functions: new Map(),
    integrations: new Map(),
    routes: new RouteTable(),
    apis: [],
    queues: new Map(),
    failurePolicies: new Map(),
    schedules: [],
    streams: [],
  }
}

function mapValues<T, U>(values: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
}

/** The last started is the first to go. */
async function closeAll(closers: readonly Closer[]): Promise<void> {
  for (const closer of closers.toReversed()) await closer()
}

async function allOf<T>(all: readonly T[], act: (each: T) => Promise<void>): Promise<void> {
  await Promise.all(all.map(act))
}

function onlyTable(tables: readonly string[]): string {
  const [only, ...others] = tables
  if (only !== undefined && others.length === 0) return only
  throw new RangeError(`The template has ${tables.length} tables, not one`)
}

function pick(all: ReadonlyMap<string, LocalFunction>, logicalId: string): LocalFunction {
  const found = all.get(logicalId)
  if (found !== undefined) return found
  throw new RangeError(
    `The template has no function ${logicalId}; it has: ${[...all.keys()].join(', ') || 'none'}`,
  )
}

const SOURCE_WIDTH = 12

function printLine(source: string, line: string): void {
  console.log(`${styleText('cyan', source.padEnd(SOURCE_WIDTH))} ${line}`)
}
