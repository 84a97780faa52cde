import {
  createValidatedPolicy,
  validateIdentityPolicy,
  validateResourcePolicy,
} from '@cloud-copilot/iam-policy'
import { runSimulation } from '@cloud-copilot/iam-simulate'
import * as z from 'zod'
import type { Template } from './template.ts'

const ACCOUNT = '111122223333'
const REGION = 'eu-central-1'

const Statement = z.strictObject({
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.array(z.string()), z.string().transform((action) => [action])]),
  Resource: z.union([z.array(z.string()), z.string().transform((resource) => [resource])]),
  Condition: z.unknown().optional(),
})
export type Statement = z.infer<typeof Statement>
const Policy = z.object({ Version: z.string(), Statement: z.array(Statement) })
const RolePolicy = z.object({ PolicyDocument: Policy, Roles: z.array(z.string()) })

/** Who asks for what, and what IAM gets to know of the request. */
export type Asking = {
  /** The logical id of a role; another account's if absent. */
  readonly role?: string
  readonly action: string
  readonly resource: string
  readonly context?: Readonly<Record<string, string | string[]>>
}

/**
 * The permissions of a template, evaluated as AWS would: what its roles may do to its resources, whose own policies
 * count too. Names and ARNs of what is not there yet are made up.
 */
export function iamOf(template: Template) {
  const policies = new Map<string, z.infer<typeof Policy>[]>()
  const resourcePolicies = new Map<string, unknown>()
  for (const [id, { Type, Properties }] of Object.entries(template.Resources)) {
    if (Type === 'AWS::IAM::Policy') {
      const { PolicyDocument, Roles } = RolePolicy.parse(resolve(Properties))
      for (const role of Roles) policies.set(role, [...(policies.get(role) ?? []), PolicyDocument])
    }
    if (Type === 'AWS::KMS::Key')
      resourcePolicies.set(
        arnOf(id),
        createValidatedPolicy(resolve(Properties['KeyPolicy']), validateResourcePolicy),
      )
  }
  const ofStranger = [identityPolicy(ANYTHING, 0)]
  const ofRoles = new Map([...policies].map(([role, own]) => [role, own.map(identityPolicy)]))

  async function may({ role, action, resource, context = {} }: Asking): Promise<boolean> {
    const account = role === undefined ? '999999999999' : ACCOUNT
    const result = await runSimulation(
      {
        request: {
          principal: `arn:aws:iam::${account}:role/${role ?? 'stranger'}`,
          action,
          resource: { resource, accountId: ACCOUNT },
          contextVariables: { 'aws:SecureTransport': 'true', ...context },
        },
        identityPolicies: role === undefined ? ofStranger : (ofRoles.get(role) ?? []),
        resourcePolicy: resourcePolicies.get(resource),
        serviceControlPolicies: [],
        resourceControlPolicies: [],
      },
      {},
    )
    if (result.resultType !== 'error') return result.overallResult === 'Allowed'
    // The action is none of such a resource, or of no resource at all.
    if (/^(no\.resource\.types|must\.use\.wildcard)$/.test(result.errors.message)) return false
    throw new Error(`${action} of ${resource}: ${JSON.stringify(result.errors)}`)
  }

  /** The ARN of a resource of the template, or of an attribute that is one. */
  function arnOf(logicalId: string, attribute = 'Arn'): string {
    const type = template.Resources[logicalId]?.Type ?? ''
    const name = NAMES[type]
    if (name === undefined) throw new RangeError(`no ARN for ${logicalId}, ${type}`)
    const arn = `arn:aws:${name[0]}:${REGION}:${ACCOUNT}:${name[1]}${logicalId}${name[2] ?? ''}`
    return attribute === 'StreamArn' ? `${arn}/stream/2026-01-01T00:00:00.000` : arn
  }

  /** A part of the template without CloudFormation's functions. */
  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve)
    const one = Intrinsic.safeParse(value)
    if (one.success) {
      const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = one.data
      if (attribute !== undefined) return arnOf(attribute[0], attribute[1])
      if (join !== undefined) return z.array(z.string()).parse(resolve(join[1])).join(join[0])
      if (Ref !== undefined) return PSEUDO[Ref] ?? Ref
    }
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolve(part)]))
  }

  return {
    may,
    arnOf,
    /** Every statement of every role. */
    statements: [...policies].flatMap(([role, documents]) =>
      documents.flatMap(({ Statement }) => Statement.map((statement) => ({ role, statement }))),
    ),
  }
}
export type Iam = ReturnType<typeof iamOf>

/** Checked once, however often it is evaluated. */
const identityPolicy = (policy: unknown, index: number) => ({
  name: String(index),
  policy: createValidatedPolicy(policy, validateIdentityPolicy),
})

const ANYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }

/** How ARNs begin and end, by type; what is behind the region and the account is the logical id. */
const NAMES: Readonly<Record<string, readonly [service: string, prefix: string, suffix?: string]>> = {
  'AWS::DynamoDB::Table': ['dynamodb', 'table/'],
  // As long as the ids of KMS are.
  'AWS::KMS::Key': ['kms', 'key/12345678-1234-1234-'],
  'AWS::SQS::Queue': ['sqs', ''],
  'AWS::Lambda::Function': ['lambda', 'function:'],
  'AWS::Logs::LogGroup': ['logs', 'log-group:', ':*'],
}

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': REGION,
}

const Intrinsic = z
  .union([
    z.strictObject({ Ref: z.string() }),
    z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }),
    z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }),
  ])
  .transform(
    (one): { Ref?: string; 'Fn::GetAtt'?: [string, string]; 'Fn::Join'?: [string, unknown[]] } => one,
  )
