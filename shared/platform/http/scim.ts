import { REFUSALS, type Refusal, type RefusalCode } from '../../domain/refusal.ts'

/**
 * What differs on routes that speak SCIM (RFC 7644): the media type, the bodies of errors (section 3.12), and entity
 * tags, which are in `meta.version` of a resource and may be named in If-Match but need not be (section 3.14).
 */
export const SCIM_TYPE = 'application/scim+json'
export const SCIM_ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'
/** Where the code of a refusal stands: the standard's error body has no place for it. */
export const CODE_HEADER = 'x-problem-code'

/** Detail error keywords (RFC 7644, table 9). */
export const SCIM_TYPES = [
  'invalidFilter',
  'tooMany',
  'uniqueness',
  'mutability',
  'invalidSyntax',
  'invalidPath',
  'noTarget',
  'invalidValue',
] as const

/** The keyword for a refusal that does not say its own in `members`. */
const KEYWORDS: Readonly<Partial<Record<RefusalCode, (typeof SCIM_TYPES)[number]>>> = {
  INVALID_REQUEST: 'invalidValue',
  PERSON_EXISTS: 'uniqueness',
  GROUP_EXISTS: 'uniqueness',
}

/** The body of an error; the fields that are wrong stand in its detail. */
export function scimError({ refused, detail, errors = [], members }: Refusal): ScimErrorBody {
  const isNoJson = errors.some(({ field, message }) => field === '/body' && message === 'is not JSON')
  const scimType = isNoJson ? 'invalidSyntax' : (members?.['scimType'] ?? KEYWORDS[refused])
  return {
    schemas: [SCIM_ERROR],
    status: String(REFUSALS[refused].status),
    ...(scimType && { scimType }),
    detail: [detail, ...errors.map(({ field, message }) => `${field}: ${message}`)].join(' '),
  }
}

type ScimErrorBody = { schemas: [string]; status: string; scimType?: string; detail: string }

const DISCOVERY = /^\/scim\/v2\/(ServiceProviderConfig|Schemas|ResourceTypes)(\/[^/]*)?$/

/** Is it for SCIM, though no operation is there? */
export const isScimPath = (path: string) => /^\/scim(\/|$)/.test(path)
/** A search over all types of resources at once, which is answered 501 where there is none (RFC 7644, section 3.4.3). */
export const isScimSearch = (path: string) => path === '/scim/v2/.search'
/** A place that answers GET and nothing else (RFC 7644, section 4). */
export const isReadOnlyScimPath = (path: string) => DISCOVERY.test(path)

/** Is an entity tag among those that a header names? Weak comparison (RFC 9110, section 8.8.3.2). */
export function namesEtag(header: string | undefined, etag: string): boolean {
  const plain = (tag: string) => tag.trim().replace(/^W\//, '')
  return header?.split(',').some((one) => one.trim() === '*' || plain(one) === plain(etag)) === true
}
