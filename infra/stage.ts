import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { EdgeSettings, Environment, OidcIssuer } from '../shared/platform/config/environment.ts'
import { MailFrom } from '../shared/platform/config/mail-environment.ts'

export const CDK_JSON = fileURLToPath(new URL('../cdk.json', import.meta.url))

/** The retention periods that CloudWatch Logs knows (PutRetentionPolicy, API reference). */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653,
] as const

/** What a stage of the service may say of itself in cdk.json, under `context.stages.<name>`. */
export const StageSettings = z.strictObject({
  /** Written into every signature as `iss`. A name, not necessarily an address; signed files keep it for ever. */
  issuer: z.url(),
  /**
   * How many P-256 keys there are for license files, oldest first: the last is next, the one before is active, older
   * ones are retired. Raised by `npm run rotate-signing-key`, never lowered: files signed by a key that is gone no
   * longer verify. The upper bound keeps the stack within CloudFormation's 500 resources: each rotation makes two keys.
   */
  signingKeys: z.int().min(2).max(12).default(2),
  oidcIssuers: z.array(OidcIssuer).default([]),
  /** What stands in front of the API and says from which country a request comes; without it nobody is believed. */
  edge: EdgeSettings.optional(),
  /**
   * A module of yours that knows the countries of network addresses, seen from the folder of cdk.json; it is bundled and
   * lies beside the functions that ask it. It exports `countryOf(address)`, see shared/platform/places/country-module.ts.
   */
  countryModule: z.string().optional(),
  /**
   * Under which address mails come, such as `Licensing <licensing@vendor.example>`. Without it no mail is sent: notices wait
   * until they are no news any more, and are dropped.
   */
  mailFrom: MailFrom.optional(),
  /** `existing`: SES knows the domain of the address already, so the stack does not make it known. */
  mailIdentity: z.enum(['create', 'existing']).default('create'),
  /** A server that mails go to instead of SES. It is asked without a password. */
  smtp: z
    .strictObject({ host: z.string(), port: z.int().min(1).max(65_535), secure: z.boolean() })
    .optional(),
  /** Where people reach the API, if not by its own address: what links in mails begin with. */
  publicUrl: z.url({ protocol: /^https?$/ }).optional(),
  logLevel: Environment.shape.LOG_LEVEL.default('info'),
  logRetentionDays: z.literal(RETENTION_DAYS),
  /**
   * Traces of functions by X-Ray: one request a second and 5 % of the rest, at $5 a million. Lambda makes them; there is no
   * SDK in the functions, which would cost more than their own start (Powertools' tracer: 127 kB, 58 ms).
   */
  tracing: z.boolean().default(false),
  /** Requests per second for all callers together, and how many more may come at once. */
  throttle: z.strictObject({ rate: z.int().positive(), burst: z.int().positive() }),
  /**
   * Webhooks may also go to this very computer, by http. Of the stage `local` alone: anywhere else whoever adds an endpoint
   * could reach what nobody is to reach.
   */
  webhooksToLoopback: z.boolean().default(false),
  /** Table, keys and logs survive the deletion of the stack, and the table and the stack refuse to be deleted. */
  protect: z.boolean(),
  /** Who is told of alarms. Without it they are only seen in CloudWatch. */
  alarmEmail: z.email().optional(),
})

/** The file of the country module, beside the functions that ask it. */
export const COUNTRY_MODULE = 'country-of.mjs'

export type Stage = z.infer<typeof StageSettings> & { readonly name: string }

/** Letters that may stand in names of resources. */
const StageName = z.string().regex(/^[a-z][a-z0-9-]{0,19}$/, 'a short name in lower case, such as prod')

export const CdkJson = z.looseObject({
  context: z.looseObject({ stages: z.record(StageName, z.unknown()) }),
})

/** The context of cdk.json: feature flags of the CDK, and the stages. */
export function readContext(file = CDK_JSON): z.infer<typeof CdkJson>['context'] {
  return CdkJson.parse(JSON.parse(readFileSync(file, 'utf8'))).context
}

/** @throws an Error that names the stages there are, or the setting that is wrong */
export function readStage(name: string, file = CDK_JSON): Stage {
  const { stages } = readContext(file)
  if (!Object.hasOwn(stages, name)) {
    throw new Error(`cdk.json has no stage ${name}; it has ${Object.keys(stages).join(', ')}.`)
  }
  const settings = StageSettings.safeParse(stages[name])
  if (settings.success) {
    if (settings.data.webhooksToLoopback && name !== 'local')
      throw new Error(`Stage ${name} in cdk.json must not say webhooksToLoopback: that is for local alone.`)
    return { name, ...settings.data }
  }
  const wrong = settings.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
  throw new Error(`Stage ${name} in cdk.json is not complete: ${wrong}.`)
}
