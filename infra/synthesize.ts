import { join } from 'node:path'
import { App, Validations } from 'aws-cdk-lib'
import { CURRENTLY_RECOMMENDED_FLAGS } from 'aws-cdk-lib/cx-api'
import { bundleFunctions } from './bundle.ts'
import { createServiceStack } from './service-stack.ts'
import { readContext, readStage, type Stage } from './stage.ts'

type Synthesized = {
  /** The CloudFormation template of the stage. */
  readonly template: unknown
  /** The folder with the template and the functions' code. */
  readonly assemblyDir: string
}

/**
 * Bundles the functions and makes the template of a stage of cdk.json.
 *
 * @param options.stage name of the stage
 * @param options.outdir where the assembly goes
 * @param options.checked also hold the template against cdk-nag's rules and CloudFormation's schemas; one or two seconds
 * @throws what does not bundle, a wrong setting, and with `checked` every finding that is not acknowledged
 */
export async function synthesize(options: {
  readonly stage: string
  readonly outdir: string
  readonly checked?: boolean
}): Promise<Synthesized> {
  const stage = readStage(options.stage)
  const bundles = join(options.outdir, 'functions')
  await bundleFunctions(bundles, stage.countryModule)
  return assemble({ stage, bundles, outdir: options.outdir, checked: options.checked ?? false })
}

/** Makes the template of a stage from bundles that are there already. */
export async function assemble(options: {
  readonly stage: Stage
  readonly bundles: string
  readonly outdir: string
  readonly checked: boolean
}): Promise<Synthesized> {
  const { stage, bundles, outdir, checked } = options
  const app = new App({
    outdir,
    // The flags of a new project of this CDK version. One that comes with an upgrade may change the template, but not
    // replace a table or a key: their names are pinned.
    context: { ...CURRENTLY_RECOMMENDED_FLAGS, ...readContext() },
    analyticsReporting: false,
    treeMetadata: false,
    builtinCloudFormationValidation: checked,
  })
  const stack = createServiceStack(app, stage, bundles)
  if (checked) await addRules(app)
  const assembly = app.synth()
  const template: unknown = assembly.getStackArtifact(stack.artifactId).template
  return { template, assemblyDir: assembly.directory }
}

/** Loaded when it is wanted: it brings hundreds of rules with it. */
async function addRules(app: App): Promise<void> {
  const { AwsSolutionsChecks, ServerlessChecks } = await import('cdk-nag')
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app))
}
