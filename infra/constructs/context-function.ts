import { join } from 'node:path'
import { Duration, Validations } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import { needs } from '../../functions/needs.ts'
import type { ContextName } from '../../functions/routes.ts'
import { contextSettings } from '../contexts.ts'
import type { Stage } from '../stage.ts'
import { bindingsOf, type Resources } from './bindings.ts'
import { createLogGroup } from './log-group.ts'

/** API Gateway gives up after 30 s (HTTP API quotas); a function that ends before it can still say why. */
const TIMEOUT = Duration.seconds(28)

const APPLICATION_LOG_LEVEL: Readonly<Record<Stage['logLevel'], ApplicationLogLevel>> = {
  debug: ApplicationLogLevel.DEBUG,
  info: ApplicationLogLevel.INFO,
  warn: ApplicationLogLevel.WARN,
  error: ApplicationLogLevel.ERROR,
}

/**
 * The Lambda function of one context: its bundle, and exactly the variables and permissions that `functions/needs.ts`
 * asks for.
 *
 * @param bundles the folder with `<context>/index.mjs`
 */
export function createContextFunction(
  parent: Construct,
  context: ContextName,
  resources: Resources,
  bundles: string,
): LambdaFunction {
  const { stage } = resources
  const scope = new Construct(parent, context)
  const bindings = bindingsOf(needs[context], resources)
  const logGroup = createLogGroup(scope, 'Logs', stage)
  // A role of its own instead of AWSLambdaBasicExecutionRole, which may write to every log group of the account.
  const role = new Role(scope, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  logGroup.grantWrite(role)
  for (const statement of bindings.flatMap(({ statements }) => statements)) role.addToPolicy(statement)
  const lambda = new LambdaFunction(scope, 'Function', {
    description: `Latchkey ${stage.name}: ${context}`,
    code: Code.fromAsset(join(bundles, context)),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: contextSettings[context].memoryMb,
    timeout: TIMEOUT,
    environment: Object.fromEntries(bindings.flatMap(({ variables }) => Object.entries(variables))),
    role,
    tracing: stage.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
    logGroup,
    loggingFormat: LoggingFormat.JSON,
    applicationLogLevelV2: APPLICATION_LOG_LEVEL[stage.logLevel],
    // Lambda's own start and report lines would cost about a third of what a validation costs; failures stay.
    systemLogLevelV2: SystemLogLevel.WARN,
  })
  Validations.of(lambda).acknowledge(
    {
      id: 'Serverless-LambdaDLQ',
      reason:
        'Calls through the API are synchronous: the caller gets the error. Asynchronous ones, of the jobs, have a failure destination (see jobs.ts), which also says why.',
    },
    {
      id: 'Serverless-LambdaTracing',
      reason:
        'A stage says whether it is traced (stage.ts); where it is not, the request id joins access log, function log and events.',
    },
  )
  if (stage.tracing)
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Traced functions write to X-Ray, which has no resources (service authorization reference).',
    })
  return lambda
}

/** @throws RangeError when there is none */
export function functionOf(
  functions: ReadonlyMap<ContextName, LambdaFunction>,
  context: ContextName,
): LambdaFunction {
  const lambda = functions.get(context)
  if (lambda === undefined) throw new RangeError(`no function for context ${context}`)
  return lambda
}
