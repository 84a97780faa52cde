import type { Operation } from '../../functions/routes.ts'
import { type Role, TenantRole } from '../../shared/domain/access.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import type { Api } from '../support/api.ts'
import { publishAll } from '../support/audit.ts'
import { type Catalog, createCatalog } from './catalog.ts'
import { hints } from './hints.ts'
import type { Fields } from './plausible.ts'
import { named, pathOf, requestFor, type Sent, someRole } from './requests.ts'
import { createTenancy, type Tenancy } from './tenancy.ts'

/** A vendor with a catalog and one tenant that has something of everything. */
export type World = { readonly api: Api; readonly catalog: Catalog; readonly tenancy: Tenancy }

/** What an operation needs so that what is plausible is also answered with success. */
export type Hint = {
  /** Who calls; somebody of the vendor's, where one may, unless said otherwise. */
  readonly as?: Role
  /** What has to be there first; what it returns is known besides. A name whose value is undefined is known no
   * more; `ifMatch` is sent as that header. */
  readonly first?: (world: World) => Promise<Fields> | Fields
  /** The whole body, where one made from its schema will not do. */
  readonly body?: (known: Readonly<Record<string, string>>) => unknown
}

export async function createWorld(api: Api): Promise<World> {
  const catalog = await createCatalog(api)
  const tenancy = await createTenancy(api, catalog)
  await publishAll(api)
  return { api, catalog, tenancy }
}

/**
 * A request that an operation's contract takes and that is answered with success, once: made from the contract, what is
 * in the world, and the operation's hint. What the hint says has to be there first is made.
 */
export async function callFor(world: World, operation: Operation): Promise<Sent> {
  const { api, tenancy } = world
  const hint: Hint = hints[operation.operationId] ?? {}
  const all = { ...tenancy.known, scopes: [operation.operationId], ...(await hint.first?.(world)) }
  const known = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  const role = hint.as ?? someRole(operation) ?? 'vendor:admin'
  const token = await tokenOf(world, role, known)
  const sent = {
    ...requestFor(operation, known),
    token,
    ...(hint.body && { body: hint.body(textsOf(known)) }),
  }
  const etag = known['ifMatch'] ?? (await etagOf(api, operation, sent))
  return etag === undefined ? sent : { ...sent, headers: { 'if-match': String(etag) } }
}

/** Of the tenant that is known, which may be another one than that of the world. */
function tokenOf(
  { api, tenancy }: World,
  role: Role,
  { tenantId }: Readonly<Fields>,
): Promise<string> | string {
  if (!TenantRole.safeParse(role).success) return api.token(role)
  const own = tenantId === tenancy.known.tenantId ? tenancy.tokens.get(role) : undefined
  return own ?? api.token(role, TenantId.parse(tenantId))
}

/** What an edit has to name: the revision that a read at the same place answers, where there is one. */
async function etagOf(
  api: Api,
  { path, versioned, method }: Operation,
  sent: Sent,
): Promise<string | undefined> {
  const [, read] = named.find(([, one]) => one.method === 'GET' && one.path === path) ?? []
  if (!versioned || method !== 'PATCH' || read === undefined) return undefined
  const { headers } = await api.call('GET', pathOf(read, sent.params), { token: sent.token })
  return headers['etag']
}

const textsOf = (known: Readonly<Fields>) =>
  Object.fromEntries(
    Object.entries(known).filter((one): one is [string, string] => typeof one[1] === 'string'),
  )
