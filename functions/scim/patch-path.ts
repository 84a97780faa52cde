import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import {
  type Attribute,
  ENTERPRISE,
  EXTENSION,
  findAttribute,
  NOT_KEPT,
  RESOURCES,
  type SubAttribute,
} from './schemas.ts'

/** Where an operation of a PATCH applies (RFC 7644, section 3.5.2). */
export type Target =
  | { readonly kind: 'extension' }
  | {
      readonly kind: 'attribute'
      readonly isExtension: boolean
      readonly attribute: Attribute
      readonly filter?: string
      readonly sub?: SubAttribute
    }
  /** Something that is not kept here. */
  | { readonly kind: 'ignored' }

const CORE = /^urn:ietf:params:scim:schemas:core:2\.0:(user|group)(?::|$)/i
const OTHER_URN = /^urn:[\w.:-]+$/i
/** `emails[type eq "work"].value`: an attribute, which of its values, and a part of it. */
const PATH = /^(\$?\w[\w-]*)(?:\[(.*)\])?(?:\.(\$?\w[\w-]*))?$/s

export function readPath(text: string, resource: keyof typeof RESOURCES): Target | Refusal {
  const isExtension = text.toLowerCase().startsWith(ENTERPRISE.toLowerCase())
  if (isExtension && text.length === ENTERPRISE.length) return { kind: 'extension' }
  const own = isExtension ? text.slice(ENTERPRISE.length).replace(/^[:.]/, '') : text.replace(CORE, '')
  if (OTHER_URN.test(own)) return { kind: 'ignored' }
  const [, name = '', filter, subName] = PATH.exec(own) ?? []
  const attributes: readonly Attribute[] = isExtension ? EXTENSION : RESOURCES[resource]
  const attribute = findAttribute(attributes, name)
  if (attribute === undefined)
    return NOT_KEPT.has(name.toLowerCase())
      ? { kind: 'ignored' }
      : badPath(text, 'there is no such attribute')
  if (filter !== undefined && !attribute.multiValued) return badPath(text, `${name} has one value`)
  if (subName === undefined)
    return { kind: 'attribute', isExtension, attribute, ...(filter !== undefined && { filter }) }
  const sub = findAttribute(attribute.subAttributes ?? [], subName)
  // Of an address or a name there is more than is kept.
  if (sub === undefined)
    return attribute.type === 'complex'
      ? { kind: 'ignored' }
      : badPath(text, `${name} has no part called ${subName}`)
  return { kind: 'attribute', isExtension, attribute, sub, ...(filter !== undefined && { filter }) }
}

export const badPath = (path: string, why: string): Refusal =>
  refuse('INVALID_REQUEST', `The path ${path.slice(0, 200)} is not valid: ${why}.`, {
    members: { scimType: 'invalidPath' },
  })

export const badValue = (path: string, why: string): Refusal =>
  refuse('INVALID_REQUEST', `The value for ${path.slice(0, 200)} is not valid: ${why}.`, {
    members: { scimType: 'invalidValue' },
  })

export const noTarget = (why: string): Refusal =>
  refuse('INVALID_REQUEST', why, { members: { scimType: 'noTarget' } })

export const fixed = (name: string): Refusal =>
  refuse('INVALID_REQUEST', `${name} cannot be changed.`, { members: { scimType: 'mutability' } })
