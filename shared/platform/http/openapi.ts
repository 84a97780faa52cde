import * as z from 'zod'
import { REFUSALS, type RefusalCode } from '../../domain/refusal.ts'
import type { Method, Route } from './contract.ts'
import { HEADERS, NOT_MODIFIED, problemHeaders, successHeaders } from './openapi-headers.ts'
import { IDEMPOTENCY_KEY, ifMatchOf, isConditional, isMutation } from './parse.ts'
import { Problem, ScimError } from './problem.ts'
import { isPage } from './problem-page.ts'
import { CODE_HEADER, SCIM_TYPE } from './scim.ts'

type Described = Route & { readonly operationId: string; readonly context: string }

/** Refusals that an operation can give besides its own, by what it takes. */
function commonErrors(route: Route): RefusalCode[] {
  const match = ifMatchOf(route)
  return [
    'INVALID_REQUEST',
    'RATE_LIMITED',
    'TOO_MANY_FAILURES',
    'UNAUTHENTICATED',
    'FAULT',
    ...(route.access === 'public' ? [] : (['FORBIDDEN'] as const)),
    ...(route.params ? (['NOT_FOUND'] as const) : []),
    ...(route.body ? (['BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const) : []),
    ...(route.query && 'cursor' in route.query.shape ? (['INVALID_CURSOR'] as const) : []),
    ...(isMutation(route) ? (['INVALID_IDEMPOTENCY_KEY', 'IDEMPOTENCY_MISMATCH', 'CONTENDED'] as const) : []),
    ...(match === 'required' ? (['REVISION_REQUIRED'] as const) : []),
    ...(match === undefined ? [] : (['REVISION_OUTDATED'] as const)),
  ]
}

/** Every refusal an operation declares: its own and the common ones. */
function errorsOf(route: Route): RefusalCode[] {
  return [...new Set([...commonErrors(route), ...route.errors])]
}

/** The OpenAPI 3.1 document of some operations. */
export function openApi(operations: readonly Described[], version: string) {
  const schemas = new Schemas()
  const responses: Record<string, unknown> = { NotModified: NOT_MODIFIED }
  const paths: Record<string, Partial<Record<Lowercase<Method>, unknown>>> = {}
  for (const operation of operations) {
    // OpenAPI has no word for a parameter that takes the rest of the path.
    const name = operation.path.replace('+}', '}')
    const path = paths[name] ?? {}
    paths[name] = path
    path[lower(operation.method)] = describe(operation, schemas, responses)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Latchkey',
      version,
      description: 'A licensing cloud that a software vendor runs in its own AWS account.',
    },
    paths,
    components: {
      responses,
      headers: HEADERS,
      schemas: {
        Problem: schemas.of(Problem, 'output'),
        ScimError: schemas.of(ScimError, 'output'),
        ...schemas.components,
      },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of this service, or an OIDC access token.',
        },
        license: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: '`License <key>`: a license key.',
        },
      },
    },
  }
}

function describe(operation: Described, schemas: Schemas, responses: Record<string, unknown>) {
  const { access, success, params, query, body, summary, description, operationId, context } = operation
  return {
    operationId,
    tags: [context],
    summary,
    ...(description && { description }),
    security:
      access === 'public' ? [{}] : [{ bearer: [] }, ...(access.includes('license') ? [{ license: [] }] : [])],
    'x-access': access,
    parameters: [
      ...parameters(params, 'path', schemas),
      ...parameters(query, 'query', schemas),
      ...headers(operation),
    ],
    ...(body && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: {
          [typeOf(operation)]: { schema: schemas.of(body, 'input') },
          ...Object.fromEntries(
            (operation.textBody ?? []).map((type) => [type, { schema: { type: 'string', minLength: 1 } }]),
          ),
        },
      },
    }),
    responses: {
      [success.status]: {
        description: 'Done.',
        headers: successHeaders(operation),
        ...('body' in success && {
          content: Object.fromEntries(
            success.media?.map((type) => [type, { schema: RAW }]) ?? [
              [typeOf(operation), { schema: schemas.of(success.body, 'output') }],
            ],
          ),
        }),
      },
      ...(isConditional(operation) && { 304: { $ref: '#/components/responses/NotModified' } }),
      ...problems(operation, responses),
    },
  }
}

function parameters(shape: z.ZodObject | undefined, place: 'path' | 'query', schemas: Schemas) {
  return Object.entries<z.ZodType>(shape?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path' || !schema.safeParse(undefined).success,
    schema: parameter(schema, schemas),
  }))
}

/** A number comes as text; what it has to be then is what is parsed of it. */
function parameter(schema: z.ZodType, schemas: Schemas): Schema {
  const input = schemas.of(schema, 'input')
  if ('$ref' in input) return input
  const output = schemas.of(schema, 'output')
  return output['type'] === 'integer' ? output : input
}

/** What is no JSON: text, or bytes. */
const RAW = { type: 'string' }

const typeOf = ({ dialect }: Route) => (dialect === 'scim' ? SCIM_TYPE : 'application/json')

function headers(route: Route) {
  const text = { type: 'string' }
  const match = ifMatchOf(route)
  const pattern = IDEMPOTENCY_KEY.source
  return [
    ...(isMutation(route)
      ? [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { ...text, pattern } }]
      : []),
    ...(isConditional(route) ? [{ name: 'If-None-Match', in: 'header', required: false, schema: text }] : []),
    ...(match ? [{ name: 'If-Match', in: 'header', required: match === 'required', schema: text }] : []),
  ]
}

/**
 * One response per status, named after its codes and kept once; its codes are an enumeration, and its description says
 * what to do about each.
 */
function problems(route: Route, responses: Record<string, unknown>) {
  const byStatus = Map.groupBy(errorsOf(route), (code) => REFUSALS[code].status)
  return Object.fromEntries(
    [...byStatus]
      .toSorted(([a], [b]) => a - b)
      .map(([status, codes]) => {
        const isScim = route.dialect === 'scim'
        const name = [...(isScim ? ['SCIM'] : isPage(route) ? ['PAGE'] : []), ...codes].join('-')
        responses[name] = isScim ? scimResponse(codes) : problemResponse(codes, isPage(route))
        return [status, { $ref: `#/components/responses/${name}` }]
      }),
  )
}

const adviceFor = (codes: readonly RefusalCode[]) =>
  codes.map((code) => `${code}: ${REFUSALS[code].next}`).join('\n')

function scimResponse(codes: readonly RefusalCode[]) {
  return {
    description: adviceFor(codes),
    headers: { ...problemHeaders(codes), [CODE_HEADER]: { schema: { type: 'string', enum: codes } } },
    content: { [SCIM_TYPE]: { schema: { $ref: '#/components/schemas/ScimError' } } },
  }
}

function problemResponse(codes: readonly RefusalCode[], mayBePage: boolean) {
  const schema = {
    allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes } } }],
  }
  return {
    description: adviceFor(codes),
    headers: problemHeaders(codes),
    content: { 'application/problem+json': { schema }, ...(mayBePage && { 'text/html': { schema: RAW } }) },
  }
}

type Schema = Record<string, unknown>

/**
 * Turns zod schemas into JSON Schema; those with an id become components, once each. What comes in and what goes out
 * can differ (a default may be left out of a request), so a component of a request has `Input` behind its name.
 */
class Schemas {
  readonly components: Record<string, unknown> = {}

  of(schema: z.ZodType, io: 'input' | 'output'): Schema {
    const suffix = io === 'input' ? 'Input' : ''
    const {
      $schema: _,
      $defs,
      ...own
    } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12', override: notBlank })
    for (const [id, { id: __, ...component }] of Object.entries<Schema>($defs ?? {})) {
      this.components[`${id}${suffix}`] = pointed(component, suffix)
    }
    const { id, ...rest } = own
    if (typeof id !== 'string') return pointed(rest, suffix)
    this.components[`${id}${suffix}`] = pointed(rest, suffix)
    return { $ref: `#/components/schemas/${id}${suffix}` }
  }
}

/** What is trimmed before its length is looked at may not be spaces alone. */
function notBlank({ zodSchema, jsonSchema }: Parameters<Override>[0]): void {
  const { def } = zodSchema._zod
  const isTrimmed = def.type === 'string' && def.checks?.some((one) => one._zod.def.check === 'overwrite')
  if (isTrimmed && jsonSchema.minLength === 1) jsonSchema.pattern ??= '^\\s*\\S'
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>

/** The same schema with its references pointing at the components. */
function pointed(schema: Schema, suffix: string): Schema {
  const text = JSON.stringify(schema).replaceAll(/"#\/\$defs\/(\w+)"/g, `"#/components/schemas/$1${suffix}"`)
  return AnySchema.parse(JSON.parse(text))
}

const AnySchema = z.record(z.string(), z.unknown())

function lower(method: Method): Lowercase<Method> {
  const names: Record<Method, Lowercase<Method>> = {
    GET: 'get',
    POST: 'post',
    PATCH: 'patch',
    PUT: 'put',
    DELETE: 'delete',
  }
  return names[method]
}
