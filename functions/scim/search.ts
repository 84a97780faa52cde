import type * as z from 'zod'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { VerifyingServices } from '../verified.ts'
import { groupHandlers } from './groups.ts'
import type { scimRoutes } from './routes.ts'
import type { ListQuery, SearchInput } from './shapes.ts'
import { userHandlers } from './users.ts'

type SearchHandlers = Pick<
  Handlers<typeof scimRoutes, VerifyingServices>,
  'searchScimUsers' | 'searchScimGroups'
>

/** The same lists, asked for in a body. */
export const searchHandlers: SearchHandlers = {
  searchScimUsers: (call, services) =>
    userHandlers.listScimUsers({ ...call, query: queryOf(call.body), body: undefined }, services),
  searchScimGroups: (call, services) =>
    groupHandlers.listScimGroups({ ...call, query: queryOf(call.body), body: undefined }, services),
}

function queryOf(body: z.infer<typeof SearchInput>): ListQuery {
  const { attributes, excludedAttributes, filter, startIndex, count } = body
  return {
    startIndex,
    count,
    ...(filter && { filter }),
    ...(attributes && { attributes: attributes.join() }),
    ...(excludedAttributes && { excludedAttributes: excludedAttributes.join() }),
  }
}
