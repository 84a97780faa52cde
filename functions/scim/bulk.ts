import type * as z from 'zod'
import {
  fieldErrors,
  isRefusal,
  notFound,
  REFUSALS,
  type Refusal,
  refuse,
} from '../../shared/domain/refusal.ts'
import type { Call } from '../../shared/platform/http/contract.ts'
import { ScimError } from '../../shared/platform/http/problem.ts'
import { scimError } from '../../shared/platform/http/scim.ts'
import { GroupId, UserId } from '../../shared/platform/ids.ts'
import type { VerifyingServices } from '../verified.ts'
import { groupHandlers } from './groups.ts'
import { RESERVE } from './membership.ts'
import type { scimRoutes } from './routes.ts'
import { BULK_RESPONSE } from './schemas.ts'
import { type BulkInput, type BulkResult, GroupInput, PatchInput, UserInput } from './shapes.ts'
import { userHandlers } from './users.ts'

type BulkCall = Call<(typeof scimRoutes)['bulkScim']>
type Operation = BulkInput['Operations'][number]
type Result = BulkResult['Operations'][number]

const REFERENCE = /"bulkId:([^"]{1,200})"/g

/** One that the time did not allow: the same again does it. */
const unfinished = refuse('UNFINISHED', 'The time was over before it.', { retryAfter: 1 })

/**
 * Does them one after the other, each for itself; what names another by its bulkId comes after that one. What time does
 * not allow is told to be undone, so that nobody is left without an answer of what was done.
 */
export async function bulk(call: BulkCall, services: VerifyingServices): Promise<BulkResult> {
  const { Operations, failOnErrors } = call.body
  const results = new Map<number, Result>()
  const ids = new Map<string, string>()
  const bulkIds = new Set(
    Operations.flatMap(({ bulkId, method }) => (bulkId && isPost(method) ? [bulkId] : [])),
  )
  let errors = 0
  let open = [...Operations.entries()]
  while (open.length > 0) {
    const before = open.length
    const later: typeof open = []
    for (const [place, operation] of open) {
      if (isEnough()) return answer()
      const missing = referencesIn(operation).filter((one) => !ids.has(one))
      if (missing.some((one) => bulkIds.has(one))) {
        later.push([place, operation])
        continue
      }
      await run(place, operation, missing)
    }
    open = later
    if (open.length !== before) continue
    // They wait for each other, or for one that was refused.
    for (const [place, operation] of open) {
      if (isEnough()) return answer()
      await run(
        place,
        operation,
        referencesIn(operation).filter((one) => !ids.has(one)),
      )
    }
    open = []
  }
  return answer()

  function isEnough(): boolean {
    return typeof failOnErrors === 'number' && errors >= failOnErrors
  }

  async function run(place: number, operation: Operation, missing: readonly string[]): Promise<void> {
    const [unknown] = missing
    const done =
      call.remaining() < RESERVE
        ? unfinished
        : unknown === undefined
          ? await perform(call, services, resolved(operation, ids))
          : refuse('INVALID_REQUEST', `bulkId:${unknown} was not made here.`, {
              members: { scimType: 'invalidValue' },
            })
    const { method, bulkId } = operation
    const common = { method, ...(bulkId && { bulkId }) }
    if (isRefusal(done)) {
      errors += 1
      // Nobody waits for it any more.
      if (bulkId) bulkIds.delete(bulkId)
      const status = String(REFUSALS[done.refused].status)
      results.set(place, { ...common, status, response: ScimError.parse(scimError(done)) })
      return
    }
    if (bulkId && isPost(method) && done.id) ids.set(bulkId, done.id)
    const { status, location, version } = done
    results.set(place, { ...common, status, ...(location && { location }), ...(version && { version }) })
  }

  function answer(): BulkResult {
    const all = [...results].toSorted(([a], [b]) => a - b).map(([, result]) => result)
    return { schemas: [BULK_RESPONSE], Operations: all }
  }
}

const isPost = (method: string) => method.toUpperCase() === 'POST'

const referencesIn = ({ path, data }: Operation): string[] =>
  [...JSON.stringify([path.replace(/^.*\/(?=bulkId:)/, ''), data ?? null]).matchAll(REFERENCE)].map(
    ([, id = '']) => id,
  )

/** The operation with ids in the places of bulkIds. */
function resolved({ path, data, ...rest }: Operation, ids: ReadonlyMap<string, string>): Operation {
  const text = JSON.stringify(data ?? null).replaceAll(REFERENCE, (_, id: string) =>
    JSON.stringify(ids.get(id)),
  )
  const own = path.replace(/bulkId:(.+)$/, (_, id: string) => ids.get(id) ?? '')
  return { ...rest, path: own, data: JSON.parse(text) }
}

type Done = { status: string; id?: string; location?: string; version?: string }

/** One of them, by the handler that its own request would have reached. */
async function perform(
  call: BulkCall,
  services: VerifyingServices,
  { method, path, data, version }: Operation,
): Promise<Done | Refusal> {
  const revision = revisionOf(version ?? undefined)
  if (revision === undefined) return refuse('REVISION_OUTDATED', `${version} is no version of this resource.`)
  const common = { ...call, query: {}, revision, idempotencyKey: undefined, fingerprint: '' }
  const [, type, id] = /^\/?(?:scim\/v2\/)?(Users|Groups)(?:\/([^/?]+))?\/?$/.exec(path) ?? []
  const verb = `${method.toUpperCase()} ${type ?? ''}${id === undefined ? '' : '/id'}`
  const [userId, groupId] = [UserId.safeParse(id), GroupId.safeParse(id)]
  switch (verb) {
    case 'POST Users':
      return made(
        201,
        await parsed(UserInput, data, (body) =>
          userHandlers.createScimUser({ ...common, params: undefined, body }, services),
        ),
      )
    case 'PUT Users/id':
      if (!userId.success) return notFound
      return made(
        200,
        await parsed(UserInput, data, (body) =>
          userHandlers.replaceScimUser({ ...common, params: { userId: userId.data }, body }, services),
        ),
      )
    case 'PATCH Users/id':
      if (!userId.success) return notFound
      return made(
        200,
        await parsed(PatchInput, data, (body) =>
          userHandlers.patchScimUser({ ...common, params: { userId: userId.data }, body }, services),
        ),
      )
    case 'DELETE Users/id':
      if (!userId.success) return notFound
      return made(
        204,
        await userHandlers.deleteScimUser(
          { ...common, params: { userId: userId.data }, body: undefined },
          services,
        ),
      )
    case 'POST Groups':
      return made(
        201,
        await parsed(GroupInput, data, (body) =>
          groupHandlers.createScimGroup({ ...common, params: undefined, body }, services),
        ),
      )
    case 'PUT Groups/id':
      if (!groupId.success) return notFound
      return made(
        200,
        await parsed(GroupInput, data, (body) =>
          groupHandlers.replaceScimGroup({ ...common, params: { groupId: groupId.data }, body }, services),
        ),
      )
    case 'PATCH Groups/id':
      if (!groupId.success) return notFound
      return made(
        204,
        await parsed(PatchInput, data, (body) =>
          groupHandlers.patchScimGroup({ ...common, params: { groupId: groupId.data }, body }, services),
        ),
      )
    case 'DELETE Groups/id':
      if (!groupId.success) return notFound
      return made(
        204,
        await groupHandlers.deleteScimGroup(
          { ...common, params: { groupId: groupId.data }, body: undefined },
          services,
        ),
      )
    default:
      return refuse('INVALID_REQUEST', `There is no ${method} ${path}.`, {
        members: { scimType: 'invalidSyntax' },
      })
  }
}

function revisionOf(version: string | undefined): number | undefined {
  if (version === undefined) return 0
  const [, digits] = /^(?:W\/)?"?([1-9]\d{0,14})"?$/.exec(version) ?? []
  return digits === undefined ? undefined : Number(digits)
}

async function parsed<S extends z.ZodType, T>(
  schema: S,
  data: unknown,
  then: (body: z.output<S>) => Promise<T>,
): Promise<T | Refusal> {
  const read = schema.safeParse(data)
  if (read.success) return then(read.data)
  return refuse('INVALID_REQUEST', 'The data is not valid.', { errors: fieldErrors(read.error, '/data') })
}

type Resource = { id: string; meta?: { location: string; version?: string | undefined } | undefined }

function made(status: number, reply: Resource | { replayed: unknown } | Refusal | undefined): Done | Refusal {
  if (isRefusal(reply)) return reply
  if (reply === undefined || !('id' in reply)) return { status: String(status) }
  const { id, meta } = reply
  return {
    status: String(status),
    id,
    ...(meta && { location: meta.location, ...(meta.version && { version: meta.version }) }),
  }
}
