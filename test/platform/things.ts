import * as z from 'zod'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import type { Ports } from '../../shared/platform/http/exchange.ts'
import { fakePorts, smallService } from './small-service.ts'

const Thing = z.strictObject({ name: z.string(), revision: z.int() })
export const routes = {
  readThing: {
    method: 'GET',
    path: '/things/{thingId}',
    access: ['vendor:admin'],
    params: z.strictObject({ thingId: z.string() }),
    success: { status: 200, body: Thing },
    errors: [],
    summary: 'Read a thing',
    versioned: true,
  },
  makeThing: {
    method: 'POST',
    path: '/things',
    access: ['vendor:admin'],
    query: z.strictObject({ loud: z.string().optional() }),
    body: z.strictObject({ name: z.string() }),
    bodyLimit: 100,
    success: { status: 201, body: Thing },
    errors: [],
    summary: 'Make a thing',
  },
  editThing: {
    method: 'PATCH',
    path: '/things/{thingId}',
    access: ['vendor:admin'],
    params: z.strictObject({ thingId: z.string() }),
    body: z.strictObject({ name: z.string().optional() }),
    success: { status: 200, body: Thing },
    errors: [],
    summary: 'Edit a thing',
    versioned: true,
  },
  dropThing: {
    method: 'DELETE',
    path: '/things/{thingId}',
    access: ['vendor:admin'],
    params: z.strictObject({ thingId: z.string() }),
    success: { status: 204 },
    errors: [],
    summary: 'Drop a thing',
  },
  readNews: {
    method: 'GET',
    path: '/news',
    access: 'public',
    success: { status: 200, body: z.strictObject({ caller: z.string(), key: z.string() }) },
    errors: [],
    summary: 'Read the news',
    cacheSeconds: 300,
  },
} as const satisfies RouteTable

export const thing = { name: 'Lamp', revision: 3 }

/** The service above; `made` counts what was made. */
export function things(ports: Ports = fakePorts()) {
  const made: string[] = []
  const handler = smallService(
    routes,
    {
      readThing: async () => thing,
      makeThing: async ({ body }) => {
        made.push(body.name)
        return { name: body.name, revision: 1 }
      },
      editThing: async ({ revision }) => ({ ...thing, revision: revision + 1 }),
      dropThing: async () => undefined,
      readNews: async ({ caller, licenseKey }) => ({ caller: caller.kind, key: licenseKey ?? 'none' }),
    },
    ports,
  )
  return { handler, made }
}

export const json = (value: unknown) => ({ body: JSON.stringify(value) })
export const PATH = { pathParameters: { thingId: 'lamp' } }
