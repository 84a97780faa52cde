import { notFound } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { VerifyingServices } from '../verified.ts'
import { MOST_RESULTS } from './list-users.ts'
import type { scimRoutes } from './routes.ts'
import { ENTERPRISE, GROUP, LIST, PROVIDER, RESOURCE_TYPE, SCHEMA, SCHEMAS, USER } from './schemas.ts'

type DiscoveryHandlers = Pick<
  Handlers<typeof scimRoutes, VerifyingServices>,
  'getScimProvider' | 'listScimSchemas' | 'getScimSchema' | 'listScimResourceTypes' | 'getScimResourceType'
>

const meta = (resourceType: string, place: string, issuer: string) => ({
  resourceType,
  location: `${issuer}/scim/v2/${place}`,
})

const list = <T>(Resources: T[]) => ({
  schemas: [LIST],
  totalResults: Resources.length,
  startIndex: 1,
  itemsPerPage: Resources.length,
  Resources,
})

const schemas = (issuer: string) =>
  SCHEMAS.map((one) => ({ schemas: [SCHEMA], ...one, meta: meta('Schema', `Schemas/${one.id}`, issuer) }))

const resourceTypes = (issuer: string) =>
  [
    {
      name: 'User',
      endpoint: '/Users',
      description: 'People of the tenant.',
      schema: USER,
      schemaExtensions: [{ schema: ENTERPRISE, required: false }],
    },
    { name: 'Group', endpoint: '/Groups', description: 'Groups: they give roles.', schema: GROUP },
  ].map((one) => ({
    schemas: [RESOURCE_TYPE],
    id: one.name,
    ...one,
    meta: meta('ResourceType', `ResourceTypes/${one.name}`, issuer),
  }))

/** What SCIM lets a client find out (RFC 7644, section 4). */
export const discoveryHandlers: DiscoveryHandlers = {
  getScimProvider: async (_, { issuer }) => ({
    schemas: [PROVIDER],
    patch: { supported: true },
    bulk: { supported: true, maxOperations: 100, maxPayloadSize: 256 * 1024 },
    filter: { supported: true, maxResults: MOST_RESULTS },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Token',
        description: 'A token with the role tenant:scim, as Authorization: Bearer.',
        specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
        primary: true,
      },
    ],
    meta: meta('ServiceProviderConfig', 'ServiceProviderConfig', issuer),
  }),

  listScimSchemas: async (_, { issuer }) => list(schemas(issuer)),

  getScimSchema: async ({ params }, { issuer }) =>
    schemas(issuer).find(({ id }) => id.toLowerCase() === params.id.toLowerCase()) ?? notFound,

  listScimResourceTypes: async (_, { issuer }) => list(resourceTypes(issuer)),

  getScimResourceType: async ({ params }, { issuer }) =>
    resourceTypes(issuer).find(({ id }) => id === params.id) ?? notFound,
}
