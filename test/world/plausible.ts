import fc from 'fast-check'
import * as z from 'zod'

/** The part of JSON Schema that zod writes for the shapes of this API. */
export type Shape = {
  $ref?: string | undefined
  $defs?: Record<string, Shape> | undefined
  const?: unknown
  enum?: unknown[] | undefined
  anyOf?: Shape[] | undefined
  oneOf?: Shape[] | undefined
  allOf?: Shape[] | undefined
  type?: string | undefined
  format?: string | undefined
  pattern?: string | undefined
  minLength?: number | undefined
  minimum?: number | undefined
  exclusiveMinimum?: number | undefined
  minItems?: number | undefined
  items?: Shape | undefined
  properties?: Record<string, Shape> | undefined
  required?: string[] | undefined
  additionalProperties?: boolean | Shape | undefined
}

const Shape: z.ZodType<Shape> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    $defs: z.record(z.string(), Shape).optional(),
    const: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    anyOf: z.array(Shape).optional(),
    oneOf: z.array(Shape).optional(),
    allOf: z.array(Shape).optional(),
    // Several: the first will do.
    type: z.union([z.string(), z.array(z.string()).transform(([first]) => first ?? 'null')]).optional(),
    format: z.string().optional(),
    pattern: z.string().optional(),
    minLength: z.number().optional(),
    minimum: z.number().optional(),
    exclusiveMinimum: z.number().optional(),
    minItems: z.number().optional(),
    items: Shape.optional(),
    properties: z.record(z.string(), Shape).optional(),
    required: z.array(z.string()).optional(),
    additionalProperties: z.union([z.boolean(), Shape]).optional(),
  }),
)

export type Fields = Record<string, unknown>
/** Values for fields by their name, wherever they stand: ids of what exists, for example. */
export type Known = Readonly<Fields>

const shapes = { input: new WeakMap<z.ZodType, Shape>(), output: new WeakMap<z.ZodType, Shape>() }

/** The schema as JSON Schema, made once. */
export function shapeOf(schema: z.ZodType, io: 'input' | 'output' = 'input'): Shape {
  const known = shapes[io].get(schema)
  if (known !== undefined) return known
  const shape = Shape.parse(z.toJSONSchema(schema, { io, unrepresentable: 'any' }))
  shapes[io].set(schema, shape)
  return shape
}

/** The fields of an object, by name; none where it is no object. */
export function fieldsOf(schema: z.ZodType | undefined, io: 'input' | 'output' = 'input'): string[] {
  if (schema === undefined) return []
  const shape = shapeOf(schema, io)
  return [shape, ...(shape.anyOf ?? [])].flatMap(({ properties }) => Object.keys(properties ?? {}))
}

/**
 * A value that the schema takes, made from the schema alone: what is required, what is known by its name, and an optional
 * field where it will not do without. The same one each time.
 *
 * @param wanted where the schema does not take all that is known at once, these before others
 * @throws an Error if it cannot find one: then this has something to learn
 */
export function plausible(
  schema: z.ZodType,
  known: Known = {},
  io: 'input' | 'output' = 'input',
  wanted: readonly string[] = [],
): unknown {
  const shape = shapeOf(schema, io)
  const defs = shape.$defs ?? {}
  const least = make(shape, { defs, known })
  if (schema.safeParse(least).success) return least
  const optional = Object.entries(resolve(shape, defs).properties ?? {}).filter(
    ([name]) => !shape.required?.includes(name),
  )
  for (const [name, field] of optional) {
    const value = { ...Object(least), [name]: make(field, { defs, known }, name) }
    if (schema.safeParse(value).success) return value
  }
  const some = takenOf(schema, Object(least), shape.required ?? [], wanted)
  if (schema.safeParse(some).success) return some
  const { error } = schema.safeParse(least)
  throw new Error(`plausible.ts finds no value for a schema; ${JSON.stringify(least)}: ${error?.message}`)
}

/** As many of the fields as the schema takes together, beside those that are required. */
function takenOf(
  schema: z.ZodType,
  all: Fields,
  required: readonly string[],
  wanted: readonly string[],
): Fields {
  const fields = Object.entries(all)
  let value = Object.fromEntries(fields.filter(([name]) => required.includes(name)))
  for (const [name, field] of fields.toSorted(([a], [b]) => wanted.indexOf(b) - wanted.indexOf(a))) {
    const more = { ...value, [name]: field }
    if (schema.safeParse(more).success) value = more
  }
  return value
}

type World = { readonly defs: Readonly<Record<string, Shape>>; readonly known: Known }

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2030-01-01T00:00:00.000Z',
  duration: 'P30D',
  email: 'ada@example.test',
  uri: 'https://example.test/',
}

function resolve(shape: Shape, defs: Readonly<Record<string, Shape>>): Shape {
  const name = shape.$ref?.replace('#/$defs/', '')
  return (name !== undefined && defs[name]) || shape
}

function make(given: Shape, world: World, name?: string): unknown {
  if (name !== undefined && name in world.known) return world.known[name]
  const shape = resolve(given, world.defs)
  const [option] = shape.enum ?? []
  const choice = shape.anyOf?.[0] ?? shape.oneOf?.[0] ?? shape.allOf?.[0]
  if (shape.const !== undefined) return shape.const
  if (option !== undefined) return option
  if (choice !== undefined) return make(choice, world, name)
  switch (shape.type) {
    case 'string':
      return text(shape)
    case 'integer':
    case 'number':
      return Math.max(1, shape.minimum ?? 1, (shape.exclusiveMinimum ?? 0) + 1)
    case 'boolean':
      return false
    case 'array':
      return Array.from({ length: shape.minItems ?? 0 }, () => make(shape.items ?? {}, world))
    case 'object':
      return Object.fromEntries(
        Object.entries(shape.properties ?? {})
          .filter(([field]) => shape.required?.includes(field) || field in world.known)
          .map(([field, part]) => [field, make(part, world, field)]),
      )
    default:
      return 'anything'
  }
}

const samples = new Map<string, string>()

function text({ format, pattern, minLength }: Shape): string {
  const known = format === undefined ? undefined : FORMATS[format]
  if (known !== undefined) return known
  if (pattern === undefined) return 'x'.repeat(Math.max(8, minLength ?? 0))
  // A number in a query.
  if (new RegExp(pattern).test('1')) return '1'
  const sample =
    samples.get(pattern) ??
    fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 1, seed: 7 })[0] ??
    ''
  samples.set(pattern, sample)
  return sample
}
