/** Names of SCIM's schemas and messages (RFC 7643, section 8; RFC 7644, section 8.2). */
export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
export const BULK_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse'
export const SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema'
export const RESOURCE_TYPE = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType'
export const PROVIDER = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'

/** An attribute as RFC 7643, section 7, describes one. */
export type SubAttribute = {
  name: string
  type: 'string' | 'boolean' | 'complex' | 'reference' | 'integer'
  multiValued: boolean
  description: string
  required: boolean
  caseExact: boolean
  mutability: 'readOnly' | 'readWrite' | 'immutable'
  returned: 'always' | 'default'
  uniqueness: 'none' | 'server'
  canonicalValues?: string[]
  referenceTypes?: string[]
}
export type Attribute = SubAttribute & { subAttributes?: SubAttribute[] }

const attribute = (name: string, description: string, rest: Partial<Attribute> = {}): Attribute => ({
  name,
  type: 'string',
  multiValued: false,
  description,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...rest,
})
const flag = (name: string, description: string) => attribute(name, description, { type: 'boolean' })
const readOnly = { mutability: 'readOnly' } as const

const userAttributes = [
  attribute('userName', 'The name that the person is known by to the directory.', {
    required: true,
    uniqueness: 'server',
  }),
  attribute('name', 'The parts of the name.', {
    type: 'complex',
    subAttributes: [
      attribute('formatted', 'The full name.'),
      attribute('familyName', 'The family name.'),
      attribute('givenName', 'The given name.'),
    ],
  }),
  attribute('displayName', 'The name that is shown.'),
  attribute('title', 'The title, such as Professor.'),
  flag('active', 'Who is not active holds nothing.'),
  attribute('emails', 'E-mail addresses; the primary one is used, and nobody else may have it.', {
    type: 'complex',
    multiValued: true,
    subAttributes: [
      attribute('value', 'The address.'),
      attribute('display', 'How it is shown.'),
      attribute('type', 'What it is for.', { canonicalValues: ['work', 'home', 'other'] }),
      flag('primary', 'The one to be used.'),
    ],
  }),
  attribute('addresses', 'Where the person works: the country alone is kept.', {
    type: 'complex',
    multiValued: true,
    subAttributes: [
      attribute('country', 'ISO 3166-1 alpha-2; licenses may be limited to countries.'),
      attribute('type', 'What it is for.', { canonicalValues: ['work', 'home', 'other'] }),
      flag('primary', 'The one to be used.'),
    ],
  }),
  attribute('groups', 'The groups the person is in; changed by changing the groups.', {
    type: 'complex',
    multiValued: true,
    ...readOnly,
    subAttributes: [
      attribute('value', 'The id of the group.', { ...readOnly, caseExact: true }),
      attribute('$ref', 'Where the group is.', {
        ...readOnly,
        caseExact: true,
        type: 'reference',
        referenceTypes: ['Group'],
      }),
    ],
  }),
]

const groupAttributes = [
  attribute(
    'displayName',
    'The name of the group; it gives the role of the same name unless it was given others.',
    {
      required: true,
      uniqueness: 'server',
    },
  ),
  attribute('members', 'Who is in the group.', {
    type: 'complex',
    multiValued: true,
    subAttributes: [
      attribute('value', 'The id of the person.', { mutability: 'immutable', caseExact: true }),
      attribute('$ref', 'Where the person is.', {
        mutability: 'immutable',
        caseExact: true,
        type: 'reference',
        referenceTypes: ['User'],
      }),
      attribute('type', 'What it is.', { mutability: 'immutable', canonicalValues: ['User'] }),
    ],
  }),
]

const enterpriseAttributes = [
  attribute('department', 'Puts the person into the organization of this name, if there is one.'),
]

type Schema = { id: string; name: string; description: string; attributes: Attribute[] }

export const SCHEMAS: readonly Schema[] = [
  { id: USER, name: 'User', description: 'A person.', attributes: userAttributes },
  { id: GROUP, name: 'Group', description: 'A group; it gives roles.', attributes: groupAttributes },
  {
    id: ENTERPRISE,
    name: 'EnterpriseUser',
    description: 'What enterprises add.',
    attributes: enterpriseAttributes,
  },
  ...(
    [
      [PROVIDER, 'ServiceProviderConfig', 'What this service can do.'],
      [RESOURCE_TYPE, 'ResourceType', 'A type of resources.'],
      [SCHEMA, 'Schema', 'A description of attributes.'],
    ] as const
  ).map(([id, name, description]) => ({
    id,
    name,
    description,
    attributes: [attribute('id', 'Its id.', { ...readOnly, caseExact: true })],
  })),
]

/** Common to all resources (RFC 7643, section 3.1); schemas do not list them. */
const COMMON = [
  attribute('id', 'The id.', { ...readOnly, caseExact: true, returned: 'always' }),
  attribute('externalId', 'The id in the directory.', { caseExact: true }),
  attribute('schemas', 'The schemas.', { ...readOnly, multiValued: true, returned: 'always' }),
  attribute('meta', 'What is told about the resource.', { ...readOnly, type: 'complex' }),
]

export const RESOURCES = {
  User: [...COMMON, ...userAttributes],
  Group: [...COMMON, ...groupAttributes],
} as const
export const EXTENSION = enterpriseAttributes

/** Attributes that RFC 7643 has for people and that are not kept here: to set them is no mistake, and changes nothing. */
export const NOT_KEPT: ReadonlySet<string> = new Set(
  [
    ...[
      'nickName',
      'profileUrl',
      'userType',
      'preferredLanguage',
      'locale',
      'timezone',
      'password',
      'phoneNumbers',
    ],
    ...['ims', 'photos', 'entitlements', 'roles', 'x509Certificates'],
    ...['employeeNumber', 'costCenter', 'organization', 'division', 'manager'],
  ].map((name) => name.toLowerCase()),
)

/** Attribute names are the same whatever their case. */
export function findAttribute<A extends SubAttribute>(all: readonly A[], name: string): A | undefined {
  return all.find((one) => one.name.toLowerCase() === name.toLowerCase())
}
