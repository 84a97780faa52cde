import { Validations } from 'aws-cdk-lib'
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { type ContextName, operations } from '../../functions/routes.ts'
import type { Method } from '../../shared/platform/http/contract.ts'
import type { Stage } from '../stage.ts'
import { createLogGroup } from './log-group.ts'

/**
 * What is written of each request: a closed list, without path, query, headers or body, so that no key, token or
 * name gets into it (HTTP API access logging variables, API Gateway developer guide).
 */
const ACCESS_LOG = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  routeKey: '$context.routeKey',
  method: '$context.httpMethod',
  status: '$context.status',
  sourceIp: '$context.identity.sourceIp',
  milliseconds: '$context.responseLatency',
  functionMilliseconds: '$context.integration.latency',
  bytes: '$context.responseLength',
  error: '$context.integrationErrorMessage',
}

const HTTP_METHOD: Readonly<Record<Method, HttpMethod>> = {
  GET: HttpMethod.GET,
  POST: HttpMethod.POST,
  PATCH: HttpMethod.PATCH,
  PUT: HttpMethod.PUT,
  DELETE: HttpMethod.DELETE,
}

/**
 * The HTTP API: a route for each path of the route table, and `$default` for all else, so that an unknown path is
 * answered by a problem document too. No CORS: browsers of other origins have no business here.
 */
export function createApi(
  scope: Construct,
  stage: Stage,
  functions: ReadonlyMap<ContextName, LambdaFunction>,
): { api: HttpApi; stage: HttpStage } {
  const integrations = new Map(
    [...functions].map(([context, lambda]) => [
      context,
      // One permission per function, for this API, and not one per route: a function's policy ends at 20 KB.
      new HttpLambdaIntegration(context, lambda, { scopePermissionToRoute: false }),
    ]),
  )
  const integrationOf = (context: ContextName) => {
    const integration = integrations.get(context)
    if (integration === undefined) throw new RangeError(`no function for context ${context}`)
    return integration
  }
  const api = new HttpApi(scope, 'Api', {
    description: `Latchkey ${stage.name}`,
    createDefaultStage: false,
    defaultIntegration: integrationOf('service'),
  })
  for (const [path, own] of Map.groupBy(operations, (operation) => operation.path)) {
    const [first, ...others] = own
    if (first === undefined) continue
    // A stack has at most 500 resources (CloudFormation quotas), and half of ours are routes. The function tells the
    // methods of a path apart where all of them are its own, and answers those that are none.
    const isOneForAll = others.length > 0 && others.every(({ context }) => context === first.context)
    const routes = isOneForAll
      ? [{ methods: [HttpMethod.ANY], context: first.context }]
      : own.map(({ method, context }) => ({ methods: [HTTP_METHOD[method]], context }))
    for (const { methods, context } of routes)
      api.addRoutes({ path, methods, integration: integrationOf(context) })
  }
  const apiStage = new HttpStage(scope, 'ApiStage', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    throttle: { rateLimit: stage.throttle.rate, burstLimit: stage.throttle.burst },
    accessLogSettings: {
      destination: new LogGroupLogDestination(createLogGroup(scope, 'AccessLog', stage)),
      format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
    },
  })
  Validations.of(api).acknowledge({
    id: 'AwsSolutions-APIG4',
    reason:
      'Every request is authenticated and authorized in the function from the same route table that makes these routes; a test visits every route with every role. License keys and tokens are hashed with a KMS secret, which no authorizer of API Gateway can do.',
  })
  return { api, stage: apiStage }
}
