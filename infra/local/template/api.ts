import { createHash } from 'node:crypto'
import * as z from 'zod'
import { arn, type Handler, propertiesOf, unsupported } from './site.ts'

/** Longest and usual time API Gateway waits for an integration. */
const DEFAULT_TIMEOUT = 30_000

const ApiProperties = z.object({
  ProtocolType: z.string().default('HTTP'),
  CorsConfiguration: z.unknown().optional(),
})
const StageProperties = z.object({ StageName: z.string() })
const IntegrationProperties = z.object({
  IntegrationType: z.string(),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.string().default('1.0'),
  TimeoutInMillis: z.number().default(DEFAULT_TIMEOUT),
})
const RouteProperties = z.object({
  RouteKey: z.string(),
  Target: z.string(),
  AuthorizationType: z.string().default('NONE'),
})

/** AWS::ApiGatewayV2::Api: the HTTP front. There is one. */
export const api: Handler = (logicalId, resource, site) => {
  const { ProtocolType, CorsConfiguration } = propertiesOf(ApiProperties, logicalId, resource, site)
  // Ten characters, as those of AWS; the same at each start.
  const id = createHash('sha256').update(logicalId).digest('hex').slice(0, 10)
  if (ProtocolType !== 'HTTP') unsupported(site, logicalId, resource, `protocol ${ProtocolType}`)
  else if (site.apis.length > 0) unsupported(site, logicalId, resource, 'a second API')
  else site.apis.push(id)
  if (CorsConfiguration !== undefined) unsupported(site, logicalId, resource, 'property CorsConfiguration')
  return {
    ref: id,
    attributes: { ApiId: id, ApiEndpoint: site.url, Arn: arn('apigateway', `/apis/${id}`) },
  }
}

/** AWS::ApiGatewayV2::Stage: only `$default`, which adds nothing to the path. Throttling has no meaning here. */
export const stage: Handler = (logicalId, resource, site) => {
  const { StageName } = propertiesOf(StageProperties, logicalId, resource, site)
  if (StageName !== '$default') unsupported(site, logicalId, resource, `stage ${StageName}`)
  return { ref: StageName, attributes: {} }
}

/** AWS::ApiGatewayV2::Integration: a function behind routes. */
export const integration: Handler = (logicalId, resource, site) => {
  const properties = propertiesOf(IntegrationProperties, logicalId, resource, site)
  const { IntegrationType, IntegrationUri, PayloadFormatVersion, TimeoutInMillis } = properties
  // Either the function's ARN, or API Gateway's own with that inside.
  const [functionArn = ''] = /arn:aws:lambda:[^/]+/.exec(IntegrationUri) ?? []
  const target = site.functions.get(functionArn)
  if (IntegrationType !== 'AWS_PROXY' || PayloadFormatVersion !== '2.0' || target === undefined) {
    unsupported(
      site,
      logicalId,
      resource,
      `${IntegrationType} of format ${PayloadFormatVersion} to ${IntegrationUri}`,
    )
  } else {
    site.integrations.set(logicalId, {
      invoke: (event) => target.invoke(event),
      timeoutMilliseconds: TimeoutInMillis,
    })
  }
  return { ref: logicalId, attributes: { IntegrationId: logicalId } }
}

/** AWS::ApiGatewayV2::Route. */
export const route: Handler = (logicalId, resource, site) => {
  const { RouteKey, Target, AuthorizationType } = propertiesOf(RouteProperties, logicalId, resource, site)
  const target = site.integrations.get(Target.replace(/^integrations\//, ''))
  if (AuthorizationType !== 'NONE')
    unsupported(site, logicalId, resource, `authorization ${AuthorizationType}`)
  if (target === undefined) unsupported(site, logicalId, resource, `target ${Target}`)
  else site.routes.add(RouteKey, target)
  return { ref: logicalId, attributes: { RouteId: logicalId } }
}
