import type * as z from 'zod'
import type { LocalFunction } from '../functions/local-function.ts'
import type { RouteTable, Target } from '../http/routes.ts'
import type { KeyStore } from '../kms/key-store.ts'
import type { LocalMail } from '../mail/start-mail.ts'
import type { Schedule } from '../schedules/scheduler.ts'
import type { StreamMapping } from '../streams/poller.ts'
import { ACCOUNT, type Identity, REGION, type References, resolve, STACK_NAME } from './resolve.ts'
import { parseProperties, type Resource } from './schema.ts'

/** What the template's resources become on this machine, filled while they are set up one after the other. */
export type Site = {
  readonly folder: string
  readonly assemblyDir: string
  /** Folder of an asset by its object key. */
  readonly assets: ReadonlyMap<string, string>
  readonly url: string
  readonly endpoints: { readonly dynamodb: string; readonly kms: string; readonly ses: string }
  readonly mail: LocalMail
  readonly keyStore: KeyStore
  readonly references: References
  /** A line for the console; `source` says who speaks. */
  readonly print: (source: string, line: string) => void
  /** What the template asks for and does not get here, for people. */
  readonly unsupported: string[]
  /** Names of tables. */
  readonly tables: string[]
  /** By ARN. */
  readonly functions: Map<string, LocalFunction>
  /** By the id that routes use. */
  readonly integrations: Map<string, Target>
  readonly routes: RouteTable
  readonly apis: string[]
  /** Names of queues by ARN. */
  readonly queues: Map<string, string>
  /** What becomes of asynchronous runs that fail, by name of the function. */
  readonly failurePolicies: Map<string, FailurePolicy>
  readonly schedules: Schedule[]
  readonly streams: StreamMapping[]
}

type FailurePolicy = {
  readonly maximumRetryAttempts: number
  /** ARN of the queue for what failed for good. */
  readonly onFailure: string | undefined
}

/** Sets up one resource and answers what references to it mean. */
export type Handler = (logicalId: string, resource: Resource, site: Site) => Identity | Promise<Identity>

/** The properties that a handler's schema names, resolved; others are not looked at. */
export function propertiesOf<S extends z.ZodObject>(
  schema: S,
  logicalId: string,
  resource: Resource,
  site: Site,
): z.output<S> {
  const names = Object.keys(schema.shape).filter((name) => Object.hasOwn(resource.Properties, name))
  const resolved = names.map((name) => [name, resolve(resource.Properties[name], site.references)] as const)
  return parseProperties(
    schema,
    logicalId,
    Object.fromEntries(resolved.filter(([, value]) => value !== undefined)),
  )
}

/** Says that the template asks for something that it does not get here. */
export function unsupported(site: Site, logicalId: string, { Type }: Resource, detail?: string): void {
  site.unsupported.push(`${Type} (${logicalId})${detail === undefined ? '' : `, ${detail}`}`)
}

/** The name CloudFormation would make up, without the random part: names here only have to be stable. */
export const generatedName = (logicalId: string): string => `${STACK_NAME}-${logicalId}`

export const arn = (service: string, resource: string): string =>
  `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`
