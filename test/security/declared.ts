import * as z from 'zod'
import { operations } from '../../functions/routes.ts'
import { openApi } from '../../shared/platform/http/openapi.ts'

const Headers = z.record(z.string(), z.unknown()).default({})
const Response = z.union([
  z.object({ $ref: z.string() }),
  z.object({ description: z.string(), headers: Headers, content: z.unknown().optional() }),
])
const Document = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ operationId: z.string(), responses: z.record(z.string(), Response) })),
  ),
  components: z.object({
    responses: z.record(
      z.string(),
      z.object({
        headers: Headers,
        content: z
          .object({
            'application/problem+json': z
              .object({
                schema: z.object({
                  allOf: z.tuple([
                    z.object({ $ref: z.literal('#/components/schemas/Problem') }),
                    z.object({ properties: z.object({ code: z.object({ enum: z.array(z.string()) }) }) }),
                  ]),
                }),
              })
              .optional(),
          })
          .optional(),
      }),
    ),
  }),
})

/** Where the body has no place for the code of a problem. */
const CodeHeader = z.object({
  'x-problem-code': z.object({ schema: z.object({ enum: z.array(z.string()) }) }).optional(),
})

const { paths, components } = Document.parse(openApi(operations, '0'))
const described = new Map(
  Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .map(({ operationId, responses }) => [operationId, responses]),
)

function responsesOf(operationId: string) {
  const responses = described.get(operationId)
  if (responses === undefined) throw new Error(`the OpenAPI document has no ${operationId}`)
  return responses
}

/** Every answer that the OpenAPI document declares for an operation: `200`, `404 NOT_FOUND`. */
export function declaredFor(operationId: string): ReadonlySet<string> {
  return new Set(
    Object.entries(responsesOf(operationId)).flatMap(([status, response]) => {
      if (!('$ref' in response)) return [status]
      const shared = sharedAs(response.$ref)
      const codes =
        shared.content?.['application/problem+json']?.schema.allOf[1].properties.code.enum ??
        CodeHeader.parse(shared.headers)['x-problem-code']?.schema.enum
      return codes?.map((code) => `${status} ${code}`) ?? [status]
    }),
  )
}

function sharedAs(reference: string) {
  const shared = components.responses[reference.replace('#/components/responses/', '')]
  if (shared === undefined) throw new Error(`the OpenAPI document has no ${reference}`)
  return shared
}

/** The headers that the document declares for an answer of this status, in lower case. */
export function headersFor(operationId: string, status: number): ReadonlySet<string> {
  const response = responsesOf(operationId)[status]
  if (response === undefined) return new Set()
  const { headers } = '$ref' in response ? sharedAs(response.$ref) : response
  return new Set(Object.keys(headers).map((name) => name.toLowerCase()))
}
