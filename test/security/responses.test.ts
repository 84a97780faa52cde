import { describe, expect, test } from 'vitest'
import type { Operation } from '../../functions/routes.ts'
import { type Caller, TenantRole, VendorRole } from '../../shared/domain/access.ts'
import { serve } from '../../shared/platform/http/pipeline.ts'
import { fakePorts, type Line, problemOf, send } from '../platform/small-service.ts'
import { licenseId, PRODUCT, TENANT } from '../support/licenses.ts'
import { type Fields, plausible, type Shape, shapeOf } from '../world/plausible.ts'
import { named, requestFor, someRole } from '../world/requests.ts'

const SECRET = 'hash of a secret'
const REQUEST = { tenantId: TENANT }

function callerOf(operation: Operation): Caller {
  const role = someRole(operation)
  const vendor = VendorRole.safeParse(role)
  if (vendor.success) return { kind: 'vendor', role: vendor.data, subject: 'tok' }
  const tenant = TenantRole.safeParse(role)
  if (tenant.success) return { kind: 'tenant', role: tenant.data, tenantId: TENANT, subject: 'tok' }
  return { kind: 'license', tenantId: TENANT, productId: PRODUCT, licenseId: licenseId(1), subject: 'lic' }
}

/** What leaves when the handler of an operation, as it stands in the table, replies with something. */
async function answerWith(operation: Operation, reply: unknown) {
  const lines: Line[] = []
  const { operationId, method, path } = operation
  const handler = serve(
    { [operationId]: operation },
    // As a reply that was kept, because the type of a fresh one lets nothing undeclared through; the way out is the same.
    { [operationId]: async () => ({ replayed: reply }) },
    async () => undefined,
    async () => ({ ...fakePorts(lines), authenticate: async () => callerOf(operation) }),
  )
  const { params, query, body, headers } = requestFor(operation, REQUEST)
  const texts = Object.entries({ ...params }).map(([name, value]) => [name, String(value)])
  const response = await send(handler, `${method} ${path}`, {
    pathParameters: Object.fromEntries(texts),
    ...(query && { query }),
    ...(headers && { headers }),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { response, lines }
}

describe('what a handler replies leaves only as its operation declares it', () => {
  test.each(named)('%s', async (_, operation) => {
    const { success } = operation
    if (!('body' in success)) {
      const { response } = await answerWith(operation, { secretHash: SECRET })
      expect([response.statusCode, response.body]).toEqual([success.status, ''])
      return
    }
    const reply: Fields = Object(plausible(success.body, { timeZone: 'UTC' }, 'output'))
    const good = await answerWith(operation, reply)
    expect(good.response.statusCode).toBe(success.status)
    if (isOpen(shapeOf(success.body, 'output'))) return
    const { response, lines } = await answerWith(operation, { ...reply, secretHash: SECRET })
    expect(response.statusCode).toBe(500)
    const isScim = operation.dialect === 'scim'
    expect(isScim ? response.headers['x-problem-code'] : problemOf(response).code).toBe('FAULT')
    expect(response.body).not.toContain(SECRET)
    expect(String(lines[0]?.cause)).toContain('secretHash')
    expect(String(lines[0]?.cause)).not.toContain(SECRET)
  })
})

/** An object that takes fields it does not name. */
const isOpen = ({ type, properties, additionalProperties }: Shape) =>
  type === 'object' && properties !== undefined && additionalProperties !== false

/** Places of a shape that let through what nobody declared: objects that are open, and values of any kind. */
function openPlaces(shape: Shape, place: string): string[] {
  const parts = (name: string, shapes: readonly Shape[] = []) =>
    shapes.flatMap((part) => openPlaces(part, name))
  // `allOf` only narrows.
  const { properties = {}, items, anyOf, oneOf, allOf, $defs = {}, additionalProperties } = shape
  const isAnything =
    shape.type === undefined &&
    [anyOf, oneOf, allOf, shape.$ref, shape.const, shape.enum].every((one) => one === undefined)
  return [
    ...(isAnything || isOpen(shape) ? [place] : []),
    ...Object.entries(properties).flatMap(([name, part]) => openPlaces(part, `${place}.${name}`)),
    ...Object.entries($defs).flatMap(([name, part]) => openPlaces(part, name)),
    ...(items ? openPlaces(items, `${place}[]`) : []),
    ...(typeof additionalProperties === 'object' && Object.keys(properties).length === 0
      ? openPlaces(additionalProperties, `${place}{}`)
      : []),
    ...parts(place, [...(anyOf ?? []), ...(oneOf ?? [])]),
  ]
}

/** Places that hold whatever their owner put there, and why nothing else can. */
const OPEN: Readonly<Record<string, string>> = {
  getOpenApi: 'the committed document',
  'Event.before{}': 'the fields that changed, as a view showed them',
  'Event.after{}': 'the fields that changed, as a view showed them',
  // The event again, as its message shows it.
  ...Object.fromEntries(
    ['getWebhookDelivery', 'getVendorWebhookDelivery'].flatMap((operationId) =>
      ['before', 'after'].map((part) => [`${operationId}.message.data.${part}{}`, 'the fields that changed']),
    ),
  ),
}

test('no declared answer has room for what is not declared', () => {
  const open = named.flatMap(([operationId, { success }]) =>
    'body' in success ? openPlaces(shapeOf(success.body, 'output'), operationId) : [],
  )
  expect([...new Set(open)].toSorted()).toEqual(Object.keys(OPEN).toSorted())
})
