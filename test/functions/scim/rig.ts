import * as z from 'zod'
import type { Api, CallOptions } from '../../support/api.ts'
import { createPeople } from '../../support/people.ts'
import { expected } from '../../support/scenario.ts'

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** A resource, as loosely as a directory reads it. */
export const Resource = z.looseObject({
  id: z.string(),
  userName: z.string().optional(),
  displayName: z.string().optional(),
  active: z.boolean().optional(),
  members: z.array(z.looseObject({ value: z.string() })).optional(),
  meta: z.object({
    version: z.string(),
    created: z.string().optional(),
    lastModified: z.string().optional(),
  }),
})
export const List = z.looseObject({ totalResults: z.int(), Resources: z.array(Resource) })

/** A tenant with seats, and its directory. */
export async function createDirectory(api: Api, limits: Record<string, number>) {
  const people = await createPeople(api, limits)
  const token = await api.token('tenant:scim', people.tenantId)
  const call = (method: string, path: string, { headers, ...options }: CallOptions = {}) =>
    api.call(method, `/scim/v2${path}`, {
      token,
      ...options,
      headers: { 'content-type': 'application/scim+json', ...headers },
    })
  const post = async (path: string, body: object) =>
    Resource.parse(expected(201, await call('POST', path, { body })))
  return {
    ...people,
    token,
    scim: call,
    patch: (path: string, ...Operations: object[]) =>
      call('PATCH', path, { body: { schemas: [PATCH], Operations } }),
    addUser: (userName: string, body: object = {}) =>
      post('/Users', { schemas: [USER], userName, active: true, ...body }),
    addGroup: (displayName: string, ...members: string[]) =>
      post('/Groups', {
        schemas: [GROUP],
        displayName,
        ...(members.length > 0 && { members: members.map((value) => ({ value })) }),
      }),
    get: async (path: string, query: Record<string, string> = {}) =>
      Resource.parse(expected(200, await call('GET', path, { query }))),
    list: async (path: string, query: Record<string, string> = {}) =>
      List.parse(expected(200, await call('GET', path, { query }))),
  }
}
