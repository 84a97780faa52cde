import * as z from 'zod'

/** What goes out: a status, headers (several `set-cookie` are several values) and bytes. */
export type HttpAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Buffer
}

const Structured = z.object({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).nullish(),
  cookies: z.array(z.string()).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
})
const HasStatus = z.object({ statusCode: z.unknown().refine((value) => value !== undefined) })

/**
 * What API Gateway makes of what a function returned, payload format 2.0: the answer it describes, or, when it has no
 * `statusCode`, itself as a JSON body.
 *
 * @returns undefined when it is neither; API Gateway answers 500 then
 */
export function toAnswer(payload: string): HttpAnswer | undefined {
  const returned: unknown = JSON.parse(payload)
  if (!HasStatus.safeParse(returned).success) {
    const body = typeof returned === 'string' ? returned : payload
    return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) }
  }
  const parsed = Structured.safeParse(returned)
  if (!parsed.success) return undefined
  const { statusCode, headers, cookies, body, isBase64Encoded } = parsed.data
  const bytes = Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8')
  const sent: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers ?? {})) sent[name.toLowerCase()] = value
  if (bytes.length > 0) sent['content-type'] ??= 'text/plain;charset=UTF-8'
  if (cookies) sent['set-cookie'] = [...cookies, ...[sent['set-cookie'] ?? []].flat()]
  return { status: statusCode, headers: sent, body: bytes }
}

/** API Gateway's own answers. */
export function gatewayAnswer(status: number, message: string): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ message })),
  }
}
