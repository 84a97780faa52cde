import { existsSync } from 'node:fs'
import { devNull } from 'node:os'
import { resolve as absolute, join } from 'node:path'
import * as z from 'zod'
import { LocalStackError } from '../errors.ts'
import { LocalFunction } from '../functions/local-function.ts'
import { REGION } from './resolve.ts'
import type { Resource } from './schema.ts'
import { arn, generatedName, type Handler, propertiesOf, type Site } from './site.ts'

/** Defaults are Lambda's: 128 MB, 3 seconds. */
const FunctionProperties = z.object({
  FunctionName: z.string().optional(),
  Handler: z.string(),
  Code: z.object({ S3Key: z.string() }),
  Timeout: z.number().default(3),
  MemorySize: z.number().default(128),
  Environment: z
    .object({ Variables: z.record(z.string(), z.coerce.string()).default({}) })
    .default({ Variables: {} }),
})
type FunctionProperties = z.infer<typeof FunctionProperties>

/** What Lambda's Node.js runtime looks for, in its order. */
const EXTENSIONS = ['.js', '.mjs', '.cjs']

/** AWS::Lambda::Function: a thread of its own, started at its first event. */
export const lambdaFunction: Handler = (logicalId, resource, site) => {
  const properties = propertiesOf(FunctionProperties, logicalId, resource, site)
  const name = properties.FunctionName ?? generatedName(logicalId)
  const functionArn = arn('lambda', `function:${name}`)
  const folder = codeFolder(logicalId, resource, properties, site)
  const [file, exportName] = handlerOf(logicalId, folder, properties.Handler)
  const shown = shortName(properties.FunctionName ?? logicalId)
  const context = {
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: String(properties.MemorySize),
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: 'local',
  }
  site.functions.set(
    functionArn,
    new LocalFunction(logicalId, {
      boot: { file, exportName, context },
      environment: {
        ...runtimeEnvironment(site, name, folder, properties),
        ...properties.Environment.Variables,
      },
      timeoutMilliseconds: properties.Timeout * 1000,
      print: (line) => site.print(shown, line),
    }),
  )
  return { ref: name, attributes: { Arn: functionArn } }
}

/**
 * What Lambda sets, and where AWS is on this machine. Nothing comes from this process: neither its variables nor, by
 * way of the SDK, the developer's AWS profile.
 */
function runtimeEnvironment(
  site: Site,
  name: string,
  folder: string,
  { MemorySize, Handler }: FunctionProperties,
) {
  return {
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MemorySize),
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_ENDPOINT_URL_DYNAMODB: site.endpoints.dynamodb,
    AWS_ENDPOINT_URL_KMS: site.endpoints.kms,
    AWS_ENDPOINT_URL_SESV2: site.endpoints.ses,
    // Nobody makes metrics of the lines here.
    POWERTOOLS_METRICS_DISABLED: 'true',
    LAMBDA_TASK_ROOT: folder,
    _HANDLER: Handler,
    TZ: ':UTC',
  }
}

function codeFolder(
  logicalId: string,
  { Metadata }: Resource,
  { Code }: FunctionProperties,
  site: Site,
): string {
  const path = Metadata['aws:asset:path']
  const folder = typeof path === 'string' ? join(site.assemblyDir, path) : site.assets.get(Code.S3Key)
  if (folder !== undefined && existsSync(folder)) return absolute(folder)
  throw new LocalStackError(
    `The code of the function ${logicalId} is not in ${site.assemblyDir}: its asset ${folder ?? Code.S3Key} is missing.`,
  )
}

/** `index.handler` names the export `handler` of the file `index`. */
function handlerOf(logicalId: string, folder: string, handler: string): [file: string, exportName: string] {
  const dot = handler.lastIndexOf('.')
  const base = join(folder, handler.slice(0, dot))
  const file = EXTENSIONS.map((extension) => base + extension).find((candidate) => existsSync(candidate))
  if (file !== undefined) return [file, handler.slice(dot + 1)]
  throw new LocalStackError(
    `The function ${logicalId} has the handler ${handler}, but there is no such file in ${folder}.`,
  )
}

/** For the console: without the eight characters of hash that CDK appends, and the word that all of them share. */
function shortName(name: string): string {
  return name.replace(/[0-9A-F]{8}$/, '').replace(/Function$/, '') || name
}
