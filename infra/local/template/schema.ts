import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { LocalStackError } from '../errors.ts'

/** What the local stack reads of a CloudFormation template (template anatomy, CloudFormation user guide). */
export const Template = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.unknown().optional() })).default({}),
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Condition: z.string().optional(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      Metadata: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })).default({}),
})
export type Template = z.infer<typeof Template>
export type Resource = Template['Resources'][string]

/** The manifest in which CDK says where the assets of a stack lie. */
const AssetManifest = z.object({
  files: z
    .record(
      z.string(),
      z.object({
        source: z.object({ path: z.string().optional() }),
        destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
      }),
    )
    .default({}),
})

/** The folder of each asset in a synthesized assembly, by the object key it would have in S3. */
export function readAssets(assemblyDir: string): ReadonlyMap<string, string> {
  const assets = new Map<string, string>()
  for (const file of readdirSync(assemblyDir).filter((name) => name.endsWith('.assets.json'))) {
    const manifest = AssetManifest.parse(JSON.parse(readFileSync(join(assemblyDir, file), 'utf8')))
    for (const { source, destinations } of Object.values(manifest.files)) {
      if (source.path === undefined) continue
      for (const { objectKey } of Object.values(destinations))
        assets.set(objectKey, join(assemblyDir, source.path))
    }
  }
  return assets
}

/** @throws LocalStackError when this is not a template */
export function parseTemplate(template: unknown): Template {
  const parsed = Template.safeParse(template)
  if (parsed.success) return parsed.data
  throw new LocalStackError(`This is not a CloudFormation template: ${issuesOf(parsed.error)}.`)
}

/** Properties of a resource, with everything resolved, as a handler wants them. */
export function parseProperties<S extends z.ZodType>(
  schema: S,
  logicalId: string,
  resolved: unknown,
): z.output<S> {
  const parsed = schema.safeParse(resolved)
  if (parsed.success) return parsed.data
  throw new LocalStackError(
    `The template's resource ${logicalId} cannot be run here: ${issuesOf(parsed.error)}.`,
  )
}

function issuesOf(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
}
