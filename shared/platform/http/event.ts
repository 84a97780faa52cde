import * as z from 'zod'

/** API Gateway leaves out what is empty; emulators send `null`. */
const Parameters = z
  .record(z.string(), z.string())
  .nullish()
  .transform((parameters) => parameters ?? {})

/**
 * What API Gateway sends (HTTP API, payload format 2.0), as far as it is used. Header names arrive in lower case,
 * repeated ones joined by commas.
 */
export const HttpEvent = z.object({
  routeKey: z.string(),
  rawPath: z.string(),
  headers: z.record(z.string(), z.string()).default({}),
  queryStringParameters: Parameters,
  pathParameters: Parameters,
  requestContext: z.object({
    requestId: z.string(),
    http: z.object({ method: z.string(), sourceIp: z.string() }),
  }),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? undefined),
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
