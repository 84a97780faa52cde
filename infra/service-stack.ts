import { type App, CfnOutput, Stack } from 'aws-cdk-lib'
import { createAlarms } from './constructs/alarms.ts'
import { createApi } from './constructs/api.ts'
import { createContextFunction, functionOf } from './constructs/context-function.ts'
import { createDashboard } from './constructs/dashboard.ts'
import { createJobs } from './constructs/jobs.ts'
import { createMail } from './constructs/mail.ts'
import { createKeys } from './constructs/signing-keys.ts'
import { createStreams } from './constructs/streams.ts'
import { createTable } from './constructs/table.ts'
import { contextNames } from './contexts.ts'
import type { Stage } from './stage.ts'

/**
 * One stage of the service, as one stack: account and region are those it is deployed to.
 *
 * @param bundles the folder with `<context>/index.mjs`
 */
export function createServiceStack(app: App, stage: Stage, bundles: string): Stack {
  const stack = new Stack(app, 'Service', {
    stackName: `latchkey-${stage.name}`,
    description: `Latchkey, the licensing cloud: stage ${stage.name}`,
    terminationProtection: stage.protect,
  })
  const resources = { stage, table: createTable(stack, stage), keys: createKeys(stack, stage) }
  const functions = new Map(
    contextNames.map((context) => [context, createContextFunction(stack, context, resources, bundles)]),
  )
  const { api, stage: apiStage } = createApi(stack, stage, functions)
  const jobs = createJobs(stack, functions)
  const notifications = functionOf(functions, 'notifications')
  createMail(
    stack,
    stage,
    notifications,
    jobs.find(({ context }) => context === 'notifications')?.deadLetters,
  )
  // The API leads to functions, so its address is known after them.
  if (stage.publicUrl === undefined) notifications.addEnvironment('PUBLIC_URL', api.apiEndpoint)
  const streams = createStreams(stack, resources.table, functions)
  createAlarms(stack, stage, { functions, apiStage, jobs, streams })
  createDashboard(stack, stage, { functions, api, table: resources.table, streams })
  output(stack, 'ApiUrl', api.apiEndpoint, 'Where the API answers')
  output(stack, 'TableName', resources.table.tableName, 'The one table')
  output(stack, 'CredentialKeyId', resources.keys.credentials.keyId, 'What npm run first-token needs')
  output(stack, 'Issuer', stage.issuer, 'What every signature says in iss')
  return stack
}

function output(stack: Stack, id: string, value: string, description: string): void {
  new CfnOutput(stack, id, { value, description })
}
