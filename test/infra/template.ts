import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import type { ContextName } from '../../functions/routes.ts'
import { contextNames } from '../../infra/contexts.ts'
import type { Stage } from '../../infra/stage.ts'
import { assemble } from '../../infra/synthesize.ts'

const Template = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      DeletionPolicy: z.string().optional(),
      UpdateReplacePolicy: z.string().optional(),
      DependsOn: z.array(z.string()).default([]),
    }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })),
})
export type Template = z.infer<typeof Template>

const made = new Map<string, Promise<Template>>()

/** The template of a stage, made once. Its functions have one line of code: the template does not depend on what they do. */
export function templateOf(stage: Stage): Promise<Template> {
  const name = JSON.stringify(stage)
  const template = made.get(name) ?? makeTemplate(stage, false)
  made.set(name, template)
  return template
}

/** @throws every finding of the rules that is not acknowledged */
export const checkedTemplateOf = (stage: Stage): Promise<Template> => makeTemplate(stage, true)

async function makeTemplate(stage: Stage, checked: boolean): Promise<Template> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-template-'))
  try {
    const bundles = join(folder, 'functions')
    for (const context of contextNames) {
      mkdirSync(join(bundles, context), { recursive: true })
      writeFileSync(join(bundles, context, 'index.mjs'), `export const handler = () => '${context}'`)
    }
    const { template } = await assemble({ stage, bundles, outdir: join(folder, 'out'), checked })
    return Template.parse(template)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The resources of a type, by logical id. */
export function resourcesOf(template: Template, type: string) {
  return new Map(Object.entries(template.Resources).filter(([, { Type }]) => Type === type))
}

/** Properties of all resources of a type, parsed; the schema says what the test looks at. */
export function propertiesOf<S extends z.ZodType>(
  template: Template,
  type: string,
  schema: S,
): z.output<S>[] {
  return [...resourcesOf(template, type).values()].map(({ Properties }) => schema.parse(Properties))
}

/** The one resource of a type. */
export function onlyOne(template: Template, type: string): Template['Resources'][string] {
  const [first, ...others] = resourcesOf(template, type).values()
  if (first === undefined || others.length > 0) throw new Error(`not exactly one ${type}`)
  return first
}

export const GetAtt = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) })

const FunctionProperties = z.object({
  Architectures: z.array(z.string()),
  Runtime: z.string(),
  MemorySize: z.number(),
  Timeout: z.number(),
  Role: GetAtt,
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
  LoggingConfig: z.object({ LogFormat: z.string(), LogGroup: z.object({ Ref: z.string() }) }),
})
type FunctionProperties = z.infer<typeof FunctionProperties> & { readonly logicalId: string }

/** The functions, by context. */
export function functionsOf(template: Template): ReadonlyMap<ContextName, FunctionProperties> {
  const functions = [...resourcesOf(template, 'AWS::Lambda::Function')]
  return new Map(
    contextNames.map((context) => {
      const found = functions.filter(([logicalId]) => logicalId.startsWith(`${context}Function`))
      const [only] = found
      if (only === undefined || found.length > 1) throw new Error(`not exactly one function for ${context}`)
      const [logicalId, { Properties }] = only
      return [context, { logicalId, ...FunctionProperties.parse(Properties) }]
    }),
  )
}
