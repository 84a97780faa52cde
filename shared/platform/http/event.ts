import * as z from 'zod'

/**
 * What API Gateway sends (HTTP API, payload format 2.0), as far as it is used. Header names arrive in lower case,
 * repeated ones joined by commas.
 */
export const HttpEvent = z.object({
  routeKey: z.string(),
  rawPath: z.string(),
  headers: z.record(z.string(), z.string()).default({}),
  queryStringParameters: z.record(z.string(), z.string()).default({}),
  pathParameters: z.record(z.string(), z.string()).default({}),
  requestContext: z.object({
    requestId: z.string(),
    http: z.object({ method: z.string(), sourceIp: z.string() }),
  }),
  body: z.string().optional(),
  isBase64Encoded: z.boolean(),
})
export type HttpEvent = z.infer<typeof HttpEvent>

export type HttpResult = {
  statusCode: number
  headers: Record<string, string>
  body: string
  /** The body is base64 of what is to be sent. */
  isBase64Encoded?: true
}
