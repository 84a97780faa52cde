import * as z from 'zod'
import { OrganizationId, TenantId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import type { Caller } from './access.ts'
import { type Refusal, refuse } from './refusal.ts'
import { Name } from './terms.ts'

/** A part of a tenant: a school, a department. They form a tree. */
export const OrganizationDraft = z.strictObject({
  name: Name,
  /** The one above; the tenant itself if absent. */
  parentId: OrganizationId.optional(),
})

export const Organization = z
  .strictObject({
    id: OrganizationId,
    tenantId: TenantId,
    ...OrganizationDraft.shape,
    createdAt: Instant,
    archivedAt: Instant.optional(),
    revision: z.int().positive(),
  })
  .meta({ id: 'Organization' })
export type Organization = z.infer<typeof Organization>

export type Organizations = ReadonlyMap<OrganizationId, Organization>

/** Levels; what people still find their way in. */
const MOST_LEVELS = 10
/** The tree is read whole, with every adjustment of a seat: at some 200 bytes each a fifth of a megabyte. */
export const MOST_ORGANIZATIONS = 1_000

/** An organization and those above it, nearest first. Ends at the tenant, or where the tree is not one. */
export function pathOf(id: OrganizationId | undefined, all: Organizations): OrganizationId[] {
  const path: OrganizationId[] = []
  for (let at = id; at !== undefined && !path.includes(at); at = all.get(at)?.parentId) path.push(at)
  return path
}

/** Is `inner` the organization itself or below it? */
export const isWithin = (inner: OrganizationId | undefined, outer: OrganizationId, all: Organizations) =>
  pathOf(inner, all).includes(outer)

/** May the organization lie below its parent? No cycle, not too deep, not below an archived one. */
export function checkPlace(
  { id, parentId }: Pick<Organization, 'id' | 'parentId'>,
  all: Organizations,
): Refusal | undefined {
  if (parentId === undefined) return undefined
  const parent = all.get(parentId)
  if (parent === undefined) return refuse('NOT_FOUND', 'There is no such organization to be below.')
  if (parent.archivedAt !== undefined) return refuse('ARCHIVED', `${parent.name} is archived.`)
  const above = pathOf(parentId, all)
  if (above.includes(id))
    return refuse('ORGANIZATION_MISPLACED', `${parent.name} is itself below it, so it cannot be above.`)
  const depth = above.length + heightOf(id, all)
  return depth > MOST_LEVELS
    ? refuse('ORGANIZATION_MISPLACED', `It would make ${depth} levels, at most ${MOST_LEVELS} are possible.`)
    : undefined
}

function heightOf(id: OrganizationId, all: Organizations): number {
  let height = 1
  for (const one of all.keys()) {
    const place = pathOf(one, all).indexOf(id)
    if (place >= 0) height = Math.max(height, place + 1)
  }
  return height
}

/** May the caller know of what belongs to this organization (or to the tenant itself, if undefined)? */
export function seesOrganization(
  caller: Caller,
  id: OrganizationId | undefined,
  all: Organizations,
): boolean {
  if (caller.kind !== 'tenant' || caller.role !== 'org:admin') return true
  return caller.organizationId !== undefined && isWithin(id, caller.organizationId, all)
}
