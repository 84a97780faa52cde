import * as z from 'zod'
import { Profile } from '../../shared/domain/directory.ts'
import { Email } from '../../shared/domain/email.ts'
import { ScimError } from '../../shared/platform/http/problem.ts'
import { wholeNumber } from '../../shared/platform/http/shapes.ts'
import { GroupId, UserId } from '../../shared/platform/ids.ts'
import { ENTERPRISE } from './schemas.ts'

const Text = z.string().max(200).nullish()
const Names = z.array(z.string().max(200)).max(20)

/** Directories send more than is kept: what is not named here is left out (RFC 7644, section 3.3). */
const NameInput = z.object({ formatted: Text, familyName: Text, givenName: Text })
const EmailInput = z.object({
  value: Email.nullish(),
  type: Text,
  primary: z.boolean().nullish(),
  display: Text,
})
const AddressInput = z.object({ country: Text, type: Text, primary: z.boolean().nullish() })

export const UserInput = z.object({
  schemas: Names.min(1),
  externalId: z.string().trim().max(200).nullish(),
  /** Not trimmed: a directory finds a person again by what it said. One of spaces alone names nobody. */
  userName: Profile.shape.userName.regex(/\S/, 'must not be blank'),
  name: NameInput.nullish(),
  displayName: Text,
  title: Text,
  active: z.boolean().nullish(),
  emails: z.array(EmailInput).max(20).nullish(),
  addresses: z.array(AddressInput).max(20).nullish(),
  [ENTERPRISE]: z.object({ department: Text }).nullish(),
})
export type UserInput = z.infer<typeof UserInput>

const Member = z.object({ value: z.string().min(1).max(200) })
export const GroupInput = z.object({
  schemas: Names.min(1),
  externalId: z.string().trim().max(200).nullish(),
  displayName: z.string().trim().min(1).max(200),
  members: z.array(Member).max(10_000).nullish(),
})

export const Operation = z.object({
  /** In any case: Entra's begin with a capital. */
  op: z.string().regex(/^([Aa][Dd][Dd]|[Rr][Ee][Pp][Ll][Aa][Cc][Ee]|[Rr][Ee][Mm][Oo][Vv][Ee])$/),
  path: z.string().max(500).nullish(),
  value: z.unknown().optional(),
})
export const PatchInput = z.object({
  schemas: Names.min(1),
  Operations: z.array(Operation).min(1).max(1_000),
})

export const BulkInput = z.object({
  schemas: Names.min(1),
  failOnErrors: z.int().min(1).nullish(),
  Operations: z
    .array(
      z.object({
        method: z.string().max(10),
        path: z.string().max(300),
        bulkId: z.string().max(200).nullish(),
        version: z.string().max(100).nullish(),
        data: z.unknown().optional(),
      }),
    )
    .max(100),
})
export type BulkInput = z.infer<typeof BulkInput>

/** Entra's base address may have this flag, which then comes with every request; it asks for what is done anyway. */
const Flags = { aadOptscim062020: z.string().max(10).optional() }
const AttributeNames = z.string().max(1_000).optional()
export const NoQuery = z.strictObject(Flags)
export const ReadQuery = z.strictObject({
  ...Flags,
  attributes: AttributeNames,
  excludedAttributes: AttributeNames,
})
/** What is too small is taken for the smallest (RFC 7644, section 3.4.2.4). */
const Whole = wholeNumber(Number.MIN_SAFE_INTEGER)
export const ListQuery = z.strictObject({
  ...ReadQuery.shape,
  filter: z.string().min(1).max(1_000).optional(),
  startIndex: Whole.default(1),
  count: Whole.default(100),
  sortBy: z.string().max(200).optional(),
  sortOrder: z.enum(['ascending', 'descending']).optional(),
})
export type ListQuery = z.infer<typeof ListQuery>

/** A list asked for in a body, so that its filter stands in no log (RFC 7644, section 3.4.3). */
export const SearchInput = z.object({
  schemas: Names.min(1),
  attributes: z.array(z.string().max(200)).max(50).optional(),
  excludedAttributes: z.array(z.string().max(200)).max(50).optional(),
  filter: ListQuery.shape.filter,
  startIndex: z.int().default(1),
  count: z.int().default(100),
})

const Meta = z.strictObject({
  resourceType: z.string(),
  created: z.string().optional(),
  lastModified: z.string().optional(),
  location: z.string(),
  version: z.string().optional(),
})
const Out = z.string().optional()

/** All but the id may be left out, if it was not asked for. */
export const UserResource = z
  .strictObject({
    schemas: z.array(z.string()),
    id: UserId,
    externalId: Out,
    userName: Out,
    name: z.strictObject({ formatted: Out, familyName: Out, givenName: Out }).optional(),
    displayName: Out,
    title: Out,
    active: z.boolean().optional(),
    emails: Profile.shape.emails.optional(),
    addresses: Profile.shape.addresses.optional(),
    groups: z.array(z.strictObject({ value: GroupId, $ref: z.string().optional() })).optional(),
    [ENTERPRISE]: z.strictObject({ department: Out }).optional(),
    meta: Meta.optional(),
  })
  .meta({ id: 'ScimUser' })
export type UserResource = z.infer<typeof UserResource>

export const GroupResource = z
  .strictObject({
    schemas: z.array(z.string()),
    id: GroupId,
    externalId: Out,
    displayName: Out,
    members: z
      .array(
        z.strictObject({ value: UserId, $ref: z.string().optional(), type: z.literal('User').optional() }),
      )
      .optional(),
    meta: Meta.optional(),
  })
  .meta({ id: 'ScimGroup' })
export type GroupResource = z.infer<typeof GroupResource>

export const listOf = <S extends z.ZodType>(resource: S) =>
  z.strictObject({
    schemas: z.array(z.string()),
    totalResults: z.int(),
    startIndex: z.int(),
    itemsPerPage: z.int(),
    Resources: z.array(resource),
  })

export const BulkResult = z.strictObject({
  schemas: z.array(z.string()),
  Operations: z.array(
    z.strictObject({
      method: z.string(),
      bulkId: Out,
      version: Out,
      location: Out,
      status: z.string(),
      response: ScimError.optional(),
    }),
  ),
})
export type BulkResult = z.infer<typeof BulkResult>

const SubAttributeShape = z.strictObject({
  name: z.string(),
  type: z.string(),
  multiValued: z.boolean(),
  description: z.string(),
  required: z.boolean(),
  caseExact: z.boolean(),
  mutability: z.string(),
  returned: z.string(),
  uniqueness: z.string(),
  canonicalValues: z.array(z.string()).optional(),
  referenceTypes: z.array(z.string()).optional(),
})
export const SchemaResource = z
  .strictObject({
    schemas: z.array(z.string()),
    id: z.string(),
    name: z.string(),
    description: z.string(),
    attributes: z.array(SubAttributeShape.extend({ subAttributes: z.array(SubAttributeShape).optional() })),
    meta: Meta,
  })
  .meta({ id: 'ScimSchema' })

export const ResourceTypeResource = z
  .strictObject({
    schemas: z.array(z.string()),
    id: z.string(),
    name: z.string(),
    endpoint: z.string(),
    description: z.string(),
    schema: z.string(),
    schemaExtensions: z.array(z.strictObject({ schema: z.string(), required: z.boolean() })).optional(),
    meta: Meta,
  })
  .meta({ id: 'ScimResourceType' })

const Supported = z.strictObject({ supported: z.boolean() })
export const ProviderConfig = z.strictObject({
  schemas: z.array(z.string()),
  documentationUri: z.string().optional(),
  patch: Supported,
  bulk: z.strictObject({ supported: z.boolean(), maxOperations: z.int(), maxPayloadSize: z.int() }),
  filter: z.strictObject({ supported: z.boolean(), maxResults: z.int() }),
  changePassword: Supported,
  sort: Supported,
  etag: Supported,
  authenticationSchemes: z.array(
    z.strictObject({
      type: z.string(),
      name: z.string(),
      description: z.string(),
      specUri: z.string(),
      primary: z.boolean(),
    }),
  ),
  meta: Meta,
})
