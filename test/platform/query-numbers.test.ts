import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { operations } from '../../functions/routes.ts'
import { openApi } from '../../shared/platform/http/openapi.ts'

const Integer = z.object({ type: z.literal('integer'), minimum: z.int(), maximum: z.int() })
const Document = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        operationId: z.string(),
        parameters: z.array(z.object({ name: z.string(), in: z.string(), schema: z.unknown() })),
      }),
    ),
  ),
})

/** Every number that the OpenAPI document has in a query, with the schema that reads it. */
const numbers = Object.values(Document.parse(openApi(operations, '0')).paths)
  .flatMap((methods) => Object.values(methods))
  .flatMap(({ operationId, parameters }) =>
    parameters.flatMap(({ name, in: place, schema }) => {
      const integer = Integer.safeParse(schema)
      const reads = operations.find((one) => one.operationId === operationId)?.query?.shape[name]
      if (place !== 'query' || !integer.success || reads === undefined) return []
      return [[`${operationId} ${name}`, integer.data, reads] as const]
    }),
  )

const NOT_WHOLE = [
  ...[
    '',
    ' ',
    ' 5',
    '5 ',
    '+5',
    '05',
    '00',
    '-0',
    '-05',
    '5.0',
    '5.',
    '1e1',
    '0x10',
    '0b1',
    '1_0',
    '1,0',
    '٥',
    '5n',
  ],
  ...['NaN', 'Infinity', 'null', 'true', '[5]', '9007199254740993', '-9007199254740993', '9'.repeat(400)],
]

describe('a number in a query is a whole one in digits, within what the document says', () => {
  test.each(numbers)('%s', (_, { minimum, maximum }, reads) => {
    const taken = [minimum, maximum].map((number) => reads.safeParse(String(number)).data)
    expect(taken).toEqual([minimum, maximum])
    const outside = [minimum - 1, maximum + 1].map(String)
    expect([...NOT_WHOLE, ...outside].filter((text) => reads.safeParse(text).success)).toEqual([])
  })

  test('and there is one of every list', () => {
    expect(numbers.length).toBeGreaterThan(50)
  })
})
