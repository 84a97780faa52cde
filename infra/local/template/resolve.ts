import * as z from 'zod'
import { LocalStackError } from '../errors.ts'

/** Where the local stack pretends to be. Account zero cannot exist, so nothing made here passes for something real. */
export const REGION = 'us-east-1'
export const ACCOUNT = '000000000000'
export const STACK_NAME = 'latchkey'

/** What `Ref` and `Fn::GetAtt` answer for a resource. */
export type Identity = { readonly ref: string; readonly attributes: Readonly<Record<string, string>> }

export type References = {
  readonly identities: ReadonlyMap<string, Identity>
  /** Defaults of the template's parameters, by name. */
  readonly parameters: Readonly<Record<string, unknown>>
}

/** CloudFormation's pseudo parameters (template reference, "Pseudo parameters"). */
const PSEUDO_PARAMETERS: ReadonlyMap<string, string> = new Map([
  ['AWS::Region', REGION],
  ['AWS::AccountId', ACCOUNT],
  ['AWS::Partition', 'aws'],
  ['AWS::URLSuffix', 'amazonaws.com'],
  ['AWS::StackName', STACK_NAME],
  ['AWS::StackId', `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${STACK_NAME}/local`],
])

/** `AWS::NoValue`: the property it stands in is as if it had not been written. */
const NO_VALUE = Symbol('AWS::NoValue')

const Text = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const GetAtt = z.union([
  z.tuple([z.string(), z.string()]),
  z.string().transform((path) => [before(path, '.'), after(path, '.')] as const),
])
const Join = z.tuple([z.string(), z.unknown()])
const Split = z.tuple([z.string(), z.unknown()])
const Select = z.tuple([z.coerce.number(), z.unknown()])
const Sub = z.union([
  z.string().transform((text) => [text, {}] as const),
  z.tuple([z.string(), z.record(z.string(), z.unknown())]),
])

/**
 * Replaces every intrinsic function in a value of a template.
 *
 * @throws LocalStackError on a function that is not supported here, or a reference to what does not exist
 */
export function resolve(value: unknown, references: References): unknown {
  const resolved = resolveAny(value, references)
  return resolved === NO_VALUE ? undefined : resolved
}

function resolveAny(value: unknown, references: References): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => resolveAny(item, references)).filter((item) => item !== NO_VALUE)
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const [only] = entries
  if (only !== undefined && entries.length === 1 && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
    return evaluate(only[0], only[1], references)
  }
  return Object.fromEntries(
    entries
      .map(([key, item]) => [key, resolveAny(item, references)] as const)
      .filter(([, item]) => item !== NO_VALUE),
  )
}

function evaluate(name: string, argument: unknown, references: References): unknown {
  switch (name) {
    case 'Ref':
      return reference(parse(z.string(), name, argument), references)
    case 'Fn::GetAtt': {
      const [logicalId, attributeName] = parse(GetAtt, name, argument)
      return attribute(logicalId, attributeName, references)
    }
    case 'Fn::Join': {
      const [separator, parts] = parse(Join, name, argument)
      return texts(name, parts, references).join(separator)
    }
    case 'Fn::Split': {
      const [separator, text] = parse(Split, name, argument)
      return parse(Text, name, resolveAny(text, references)).split(separator)
    }
    case 'Fn::Select': {
      const [index, list] = parse(Select, name, argument)
      const item = texts(name, list, references)[index]
      if (item === undefined)
        throw new LocalStackError(`The template's ${name} asks for item ${index}, which is not there.`)
      return item
    }
    case 'Fn::Sub': {
      const [text, variables] = parse(Sub, name, argument)
      return substitute(text, variables, references)
    }
    default:
      throw new LocalStackError(`The template uses ${name}, which is not supported locally.`)
  }
}

/** `${Name}`, `${Resource.Attribute}`, and `${!Literal}`, which stands for `${Literal}`. */
function substitute(
  text: string,
  variables: Readonly<Record<string, unknown>>,
  references: References,
): string {
  return text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`
    if (Object.hasOwn(variables, name)) return parse(Text, 'Fn::Sub', resolveAny(variables[name], references))
    const value = name.includes('.')
      ? attribute(before(name, '.'), after(name, '.'), references)
      : reference(name, references)
    return parse(Text, 'Fn::Sub', value)
  })
}

function reference(name: string, { identities, parameters }: References): unknown {
  if (name === 'AWS::NoValue') return NO_VALUE
  const value = PSEUDO_PARAMETERS.get(name) ?? identities.get(name)?.ref ?? parameters[name]
  if (value === undefined) {
    throw new LocalStackError(`The template refers to ${name}, which has no value on this machine.`)
  }
  return value
}

function attribute(logicalId: string, name: string, { identities }: References): string {
  const value = identities.get(logicalId)?.attributes[name]
  if (value === undefined) {
    throw new LocalStackError(
      `The template refers to ${logicalId}.${name}, which has no value on this machine.`,
    )
  }
  return value
}

function texts(name: string, list: unknown, references: References): string[] {
  return parse(z.array(Text), name, resolveAny(list, references))
}

function parse<S extends z.ZodType>(schema: S, name: string, argument: unknown): z.output<S> {
  const parsed = schema.safeParse(argument)
  if (parsed.success) return parsed.data
  throw new LocalStackError(
    `The template's ${name} has an argument that it cannot have: ${JSON.stringify(argument)}.`,
  )
}

const before = (text: string, separator: string) => text.slice(0, text.indexOf(separator))
const after = (text: string, separator: string) => text.slice(text.indexOf(separator) + 1)
