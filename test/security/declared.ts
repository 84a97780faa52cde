import * as z from 'zod'
import { operations } from '../../functions/routes.ts'
import { openApi } from '../../shared/platform/http/openapi.ts'

const Response = z.union([
  z.object({ $ref: z.string() }),
  z.object({ description: z.string(), content: z.unknown().optional() }),
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
        /** Where the body has no place for the code. */
        headers: z
          .object({ 'x-problem-code': z.object({ schema: z.object({ enum: z.array(z.string()) }) }) })
          .optional(),
        content: z.object({
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
        }),
      }),
    ),
  }),
})

const { paths, components } = Document.parse(openApi(operations, '0'))
const described = new Map(
  Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .map(({ operationId, responses }) => [operationId, answersOf(responses)]),
)

/** Every answer that the OpenAPI document declares for an operation: `200`, `404 NOT_FOUND`. */
export function declaredFor(operationId: string): ReadonlySet<string> {
  const answers = described.get(operationId)
  if (answers === undefined) throw new Error(`the OpenAPI document has no ${operationId}`)
  return answers
}

function answersOf(responses: Readonly<Record<string, z.infer<typeof Response>>>): ReadonlySet<string> {
  return new Set(
    Object.entries(responses).flatMap(([status, response]) => {
      if (!('$ref' in response)) return [status]
      const shared = components.responses[response.$ref.replace('#/components/responses/', '')]
      const codes =
        shared?.content['application/problem+json']?.schema.allOf[1].properties.code.enum ??
        shared?.headers?.['x-problem-code'].schema.enum ??
        []
      return codes.map((code) => `${status} ${code}`)
    }),
  )
}
