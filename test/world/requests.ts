import { type Operation, operations } from '../../functions/routes.ts'
import type { Role } from '../../shared/domain/access.ts'
import type { Answer, Api, CallOptions } from '../support/api.ts'
import { type Fields, type Known, plausible } from './plausible.ts'

export const named = operations.map((operation) => [operation.operationId, operation] as const)

/** A request to an operation in its parts; `params` are put into its path. */
export type Sent = CallOptions & { readonly params?: Readonly<Fields> }

/** A request that the operation's contract takes, with what is known by name put in its places. */
export function requestFor(
  { params, query, body, versioned, method }: Operation,
  known: Known = {},
  wanted: readonly string[] = [],
): Sent {
  const text = (fields: unknown) =>
    Object.fromEntries(Object.entries(Object(fields)).map(([name, value]) => [name, String(value)]))
  return {
    ...(params && { params: text(plausible(params, known)) }),
    ...(query && { query: text(plausible(query, known)) }),
    ...(body && { body: plausible(body, known, 'input', wanted) }),
    ...(versioned && method === 'PATCH' && { headers: { 'if-match': '"1"' } }),
  }
}

export function pathOf({ path }: Operation, params: Readonly<Fields> = {}): string {
  return path.replaceAll(/\{(\w+)\+?\}/g, (_, name: string) => encodeURIComponent(String(params[name])))
}

export function send(api: Api, operation: Operation, { params, ...options }: Sent): Promise<Answer> {
  return api.call(operation.method, pathOf(operation, params), options)
}

/** Somebody who may call an operation: a role of the vendor's, where one may. */
export function someRole({ access }: Operation): Role | undefined {
  if (access === 'public') return 'vendor:admin'
  const roles = access.filter((one) => one !== 'license')
  return roles.find((role) => role.startsWith('vendor:')) ?? roles[0]
}
