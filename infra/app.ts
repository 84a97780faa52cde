import * as z from 'zod'
import { synthesize } from './synthesize.ts'

/** What the CDK CLI runs (cdk.json); it says by these variables which stage, and where the result goes. */
const environment = z
  .object({ CDK_CONTEXT_JSON: z.string().default('{}'), CDK_OUTDIR: z.string().default('cdk.out') })
  .parse(process.env)
const { stage } = z
  .looseObject({ stage: z.string().default('dev') })
  .parse(JSON.parse(environment.CDK_CONTEXT_JSON))

const { template } = await synthesize({ stage, outdir: environment.CDK_OUTDIR, checked: true })
console.error(summary(stage, template))

function summary(stage: string, template: unknown): string {
  const { Resources } = z
    .object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) })
    .parse(template)
  const types = Object.values(Resources).map(({ Type }) => Type)
  const count = (type: string) => types.filter((one) => one === type).length
  return `latchkey-${stage}: ${types.length} resources; functions: ${count('AWS::Lambda::Function')}, routes: ${count('AWS::ApiGatewayV2::Route')}, schedules: ${count('AWS::Scheduler::Schedule')}, alarms: ${count('AWS::CloudWatch::Alarm')}.`
}
