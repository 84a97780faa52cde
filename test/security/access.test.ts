import { afterAll, describe, expect, test } from 'vitest'
import { type Operation, operations } from '../../functions/routes.ts'
import { startApi } from '../support/api.ts'
import { createCatalog } from '../world/catalog.ts'
import { named, requestFor, type Sent, send } from '../world/requests.ts'
import { createTenancy } from '../world/tenancy.ts'
import { faultsOf, rowsOf } from './battery.ts'
import { type Credential, credentials } from './credentials.ts'

const api = await startApi()
afterAll(api.stop)
const tenancy = await createTenancy(api, await createCatalog(api))
const all = await credentials(api, tenancy)

// Each from an address of its own: how often one address may fail is another matter.
let addresses = 0
function from(): string {
  addresses += 1
  return `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`
}

/** What nobody may refuse but for the credential: all of it is valid, and its ids but the tenant's exist nowhere. */
function requestBy(operation: Operation, { authorization }: Credential): Sent {
  const { tenantId, role } = tenancy.known
  // A token may be asked for that may do what this one may.
  const known = { tenantId, role, scopes: [operation.operationId] }
  const { headers, ...request } = requestFor(operation, known)
  return {
    ...request,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    address: from(),
  }
}

/** What is wrong with how an operation answers a credential. */
async function wrongWith(operation: Operation, credential: Credential): Promise<string[]> {
  const { operationId, access } = operation
  const answer = await send(api, operation, requestBy(operation, credential))
  const faults = faultsOf(operation, answer)
  const wanted = credential.expected(operationId, access)
  const { status, headers } = answer
  if (wanted === 'in' ? status === 401 || status === 403 || status === 429 : status !== wanted)
    faults.push(`${status} instead of ${wanted}`)
  if (wanted === 'in' && (headers['ratelimit'] === undefined || headers['ratelimit-policy'] === undefined))
    faults.push('does not tell the rate limit')
  if (wanted === 401 && headers['www-authenticate'] === undefined) faults.push('does not say how to come in')
  return faults.map((fault) => `${credential.name}: ${fault}`)
}

/** The first of its function that is public, or is not. */
const isFirst = ({ operationId, context, access }: Operation) =>
  operationId ===
  operations.find((one) => one.context === context && (one.access === 'public') === (access === 'public'))
    ?.operationId

/**
 * With what an operation is asked: who is somebody, all of them. What is nobody's does not come as far as the operation:
 * a third of it, the next third for the next one, and all of it at one door of each kind of each function.
 */
const triedOn = (operation: Operation): readonly Credential[] =>
  all.filter(({ isBad }, at) => !isBad || isFirst(operation) || at % 3 === operations.indexOf(operation) % 3)

const wrongWithAll = async (operation: Operation, credentials: readonly Credential[]) =>
  (await Promise.all(credentials.map((one) => wrongWith(operation, one)))).flat()

describe('every operation, with every credential that it refuses', async () => {
  const before = await rowsOf(api.table)

  test.each(named)('%s', async (operationId, operation) => {
    const refused = triedOn(operation).filter((one) => one.expected(operationId, operation.access) !== 'in')
    expect(await wrongWithAll(operation, refused)).toEqual([])
  })

  test('and none of that changed anything', async () => {
    expect(await rowsOf(api.table)).toEqual(before)
  })
})

describe('every operation, with every credential that it lets in', () => {
  test.each(named)('%s', async (operationId, operation) => {
    const welcome = triedOn(operation).filter((one) => one.expected(operationId, operation.access) === 'in')
    expect(await wrongWithAll(operation, welcome)).toEqual([])
  })

  test('and there are operations that are public, for roles, and for license keys', () => {
    const kinds = named.map(([, { access }]) =>
      access === 'public' ? 'public' : access.includes('license') ? 'license' : 'role',
    )
    expect(new Set(kinds)).toEqual(new Set(['public', 'role', 'license']))
    expect(all.length).toBeGreaterThan(30)
  })
})
