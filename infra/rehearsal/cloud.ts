import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

/** The one account of the emulator. */
const ACCOUNT = '000000000000'
const REGION = 'us-east-1'

/** Of what the CLI printed, what says why it failed. */
const LAST_LINES = 25

/** What `createServiceStack` puts out. */
const Outputs = z.looseObject({
  ApiUrl: z.url(),
  TableName: z.string(),
  CredentialKeyId: z.string(),
  Issuer: z.string(),
})
export type Outputs = z.infer<typeof Outputs>

/** The CDK CLI did not do what was asked of it. */
export class CdkError extends Error {
  override readonly name = 'CdkError'
}

export type Cloud = {
  bootstrap(): Promise<void>
  /** Deploys the stage as cdk.json has it. */
  deploy(): Promise<Outputs>
  /** Deploys the template of the first deployment once more, changed. */
  deployChanged(change: (resources: Resources) => Resources): Promise<Outputs>
}

/** Of a template, what a rehearsal changes in it. */
const Template = z.looseObject({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) })
export type Resources = z.infer<typeof Template>['Resources']

/**
 * A stage in an AWS of one's own, reached by the CDK CLI only, as anybody would. Its credentials are made up and each
 * service's endpoint is named, so that no call can go elsewhere.
 *
 * @param folder where assemblies go
 */
export function cloudAt(endpoint: string, stage: string, folder: string): Cloud {
  const assembly = join(folder, 'assembly')
  const results = join(folder, 'outputs.json')
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_ENDPOINT_URL_CLOUDFORMATION: endpoint,
    AWS_ACCESS_KEY_ID: 'rehearsal',
    AWS_SECRET_ACCESS_KEY: 'rehearsal',
    AWS_SESSION_TOKEN: '',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
    // Nor may a profile of whoever rehearses come before these.
    AWS_PROFILE: undefined,
    AWS_CONFIG_FILE: join(folder, 'no-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'no-credentials'),
  }
  const cdk = (...args: string[]) => runCdk(args, environment)
  const deployment = ['--require-approval', 'never', '--ci', '--outputs-file', results]
  return {
    // Away from cdk.json: an account and a region need no template.
    bootstrap: () => runCdk(['bootstrap', `aws://${ACCOUNT}/${REGION}`], environment, folder),
    async deploy() {
      await cdk('deploy', ...deployment, '-c', `stage=${stage}`, '-o', assembly)
      return readOutputs(results)
    },
    async deployChanged(change) {
      const changed = join(folder, 'changed')
      cpSync(assembly, changed, { recursive: true })
      const file = join(changed, 'Service.template.json')
      const template = Template.parse(JSON.parse(readFileSync(file, 'utf8')))
      const text = JSON.stringify({ ...template, Resources: change(template.Resources) })
      writeFileSync(file, text)
      renameTemplate(changed, createHash('sha256').update(text).digest('hex'))
      await cdk('deploy', ...deployment, '--app', changed)
      return readOutputs(results)
    },
  }
}

function readOutputs(file: string): Outputs {
  const byStack = z.record(z.string(), Outputs).parse(JSON.parse(readFileSync(file, 'utf8')))
  const [outputs] = Object.values(byStack)
  if (outputs === undefined) throw new CdkError('cdk deploy said no outputs')
  return outputs
}

/** The CLI uploads what is not there yet, by name, and a template's name is its hash. */
function renameTemplate(assembly: string, hash: string): void {
  const manifest = readFileSync(join(assembly, 'manifest.json'), 'utf8')
  const [, old] = /"stackTemplateAssetObjectUrl": "[^"]*\/([0-9a-f]{64})\.json"/.exec(manifest) ?? []
  if (old === undefined) throw new CdkError('the assembly does not say where its template goes')
  for (const file of ['manifest.json', 'Service.assets.json'].map((name) => join(assembly, name)))
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(old, hash))
}

/** @throws CdkError with what the CLI printed, when it fails */
async function runCdk(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  cwd = process.cwd(),
): Promise<void> {
  const child = spawn('cdk', args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  const printed: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => void printed.push(chunk.toString()))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (status !== 0)
    throw new CdkError(
      `cdk ${args[0]} failed:\n${printed.join('').split('\n').slice(-LAST_LINES).join('\n')}`,
    )
}
