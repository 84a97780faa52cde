import { Stack } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Key } from 'aws-cdk-lib/aws-kms'
import type * as z from 'zod'
import type { Needs } from '../../functions/needs.ts'
import { RecordsEnvironment } from '../../functions/records/environment.ts'
import { addressIn } from '../../shared/domain/email.ts'
import {
  ActivationKeyEnvironment,
  AuditKeyEnvironment,
  Environment,
  LicenseKeyEnvironment,
  PlaceEnvironment,
  SessionKeyEnvironment,
  type Variables,
  VerifierEnvironment,
  WebhookEnvironment,
} from '../../shared/platform/config/environment.ts'
import { MailEnvironment } from '../../shared/platform/config/mail-environment.ts'
import { COUNTRY_MODULE, type Stage } from '../stage.ts'
import { domainOf, mailSettings } from './mail.ts'
import type { Keys } from './signing-keys.ts'
import { allow } from './statement.ts'
import { tableAccess } from './table-access.ts'

/** What a function is told and what it may do, made together so that neither is there without the other. */
type Binding = {
  readonly variables: Readonly<Record<string, string>>
  readonly statements: readonly PolicyStatement[]
}

export type Resources = { readonly stage: Stage; readonly table: Table; readonly keys: Keys }

const STREAM = [
  'dynamodb:DescribeStream',
  'dynamodb:GetRecords',
  'dynamodb:GetShardIterator',
  'dynamodb:ListStreams',
]

/** The bindings that the needs of a context ask for; everything else is denied. */
export function bindingsOf(need: Needs, resources: Resources): Binding[] {
  const { keys } = resources
  const bindings = [
    need.stream === 'only' ? streamFunction(resources) : apiFunction(resources),
    { variables: {}, statements: tableAccess(need, resources.table) },
  ]
  if (need.stream !== undefined) bindings.push(readStream(resources))
  if (need.signing !== undefined) bindings.push(signingKeys(need.signing, keys.signing))
  if (need.activationKeys !== undefined) bindings.push(activationKeys(need.activationKeys, keys.activations))
  if (need.auditKeys !== undefined) bindings.push(auditKey(need.auditKeys, keys.audit))
  if (need.licenseKeys) bindings.push(licenseKeys(keys.licenseKeys))
  if (need.sessionKeys) bindings.push(sessionKeys(keys.sessions))
  if (need.webhooks) bindings.push(webhooks(resources.stage))
  if (need.mail) bindings.push(mail(resources))
  if (need.places) bindings.push(places(resources.stage))
  return bindings
}

function apiFunction({ stage, table, keys }: Resources): Binding {
  return bind(
    Environment,
    {
      STAGE: stage.name,
      TABLE_NAME: table.tableName,
      ISSUER: stage.issuer,
      CREDENTIAL_KEY_ID: keys.credentials.keyId,
      OIDC_ISSUERS: JSON.stringify(stage.oidcIssuers),
      EDGE: JSON.stringify(stage.edge ?? null),
      LOG_LEVEL: stage.logLevel,
    },
    allowMac(keys.credentials, 'HMAC_SHA_256'),
  )
}

function streamFunction({ stage, table }: Resources): Binding {
  return bind(RecordsEnvironment, {
    STAGE: stage.name,
    TABLE_NAME: table.tableName,
    LOG_LEVEL: stage.logLevel,
  })
}

/** Lambda reads the stream with the function's role, and refuses a mapping whose role may not do all four. */
function readStream({ table }: Resources): Binding {
  if (table.tableStreamArn === undefined) throw new TypeError('the table has no stream')
  return { variables: {}, statements: [allow(STREAM, [table.tableStreamArn])] }
}

function signingKeys(access: NonNullable<Needs['signing']>, keys: readonly Key[]): Binding {
  return bind(VerifierEnvironment, { SIGNING_KEY_IDS: idsOf(keys) }, ...allowKeys(access, keys))
}

function activationKeys(access: NonNullable<Needs['activationKeys']>, keys: readonly Key[]): Binding {
  return bind(ActivationKeyEnvironment, { ACTIVATION_KEY_IDS: idsOf(keys) }, ...allowKeys(access, keys))
}

/** Checkpoints alone are signed with it: they are short, so as they are. */
function auditKey(access: NonNullable<Needs['auditKeys']>, key: Key): Binding {
  const verify = allow(['kms:GetPublicKey'], [key.keyArn])
  const sign = allow(['kms:Sign'], [key.keyArn], {
    'kms:SigningAlgorithm': 'ED25519_SHA_512',
    'kms:MessageType': 'RAW',
  })
  return bind(
    AuditKeyEnvironment,
    { AUDIT_KEY_ID: key.keyId },
    ...(access === 'verify' ? [verify] : [verify, sign]),
  )
}

const idsOf = (keys: readonly Key[]) => keys.map(({ keyId }) => keyId).join(',')

function allowKeys(access: 'verify' | 'sign', keys: readonly Key[]): PolicyStatement[] {
  const arns = keys.map(({ keyArn }) => keyArn)
  const verify = allow(['kms:GetPublicKey'], arns)
  if (access === 'verify') return [verify]
  // All of them, not the active one alone: while a rotation is deployed, functions of before and after it are running.
  const sign = allow(['kms:Sign'], arns, {
    'kms:SigningAlgorithm': 'ECDSA_SHA_256',
    'kms:MessageType': 'DIGEST',
  })
  return [verify, sign]
}

function licenseKeys(key: Key): Binding {
  return bind(LicenseKeyEnvironment, { LICENSE_KEY_KEY_ID: key.keyId }, allowMac(key, 'HMAC_SHA_256'))
}

function sessionKeys(key: Key): Binding {
  return bind(SessionKeyEnvironment, { SESSION_KEY_ID: key.keyId }, allowMac(key, 'HMAC_SHA_512'))
}

const places = ({ countryModule }: Stage): Binding =>
  bind(PlaceEnvironment, { COUNTRY_MODULE: countryModule === undefined ? '' : `./${COUNTRY_MODULE}` })

/** It may send from the stage's address and by its configuration set, and nothing else. */
function mail({ stage, table }: Resources): Binding {
  const { mailFrom, publicUrl = '' } = stage
  const settings = mailSettings(stage)
  const variables = { MAIL: JSON.stringify(settings ?? null), PUBLIC_URL: publicUrl }
  if (mailFrom === undefined || settings?.transport !== 'ses') return bind(MailEnvironment, variables)
  const { account, region, partition } = Stack.of(table)
  const arn = (resource: string) => `arn:${partition}:ses:${region}:${account}:${resource}`
  return bind(
    MailEnvironment,
    variables,
    allow(
      // A whole message, as nodemailer hands it over, is asked for by SendEmail and permitted as SendRawEmail.
      ['ses:SendEmail', 'ses:SendRawEmail'],
      [arn(`identity/${domainOf(mailFrom)}`), arn(`configuration-set/${settings.configurationSet}`)],
      { 'ses:FromAddress': addressIn(mailFrom) },
    ),
  )
}

const webhooks = ({ webhooksToLoopback }: Stage): Binding =>
  bind(WebhookEnvironment, { WEBHOOK_TARGETS: webhooksToLoopback ? 'loopback' : 'public' })

/** The schema says which variables there have to be: one forgotten, or one too many, does not compile. */
function bind<S extends z.ZodObject>(
  _schema: S,
  variables: Variables<S>,
  ...statements: PolicyStatement[]
): Binding {
  return { variables, statements }
}

function allowMac(key: Key, algorithm: 'HMAC_SHA_256' | 'HMAC_SHA_512'): PolicyStatement {
  return allow(['kms:GenerateMac'], [key.keyArn], { 'kms:MacAlgorithm': algorithm })
}
