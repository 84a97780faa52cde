import { expect, test } from 'vitest'
import { LocalStackError } from '../../../infra/local/errors.ts'
import { RouteTable } from '../../../infra/local/http/routes.ts'

const target = { invoke: async () => '', timeoutMilliseconds: 1 }

function tableOf(routeKeys: readonly string[]): RouteTable {
  const table = new RouteTable()
  for (const routeKey of routeKeys) table.add(routeKey, target)
  return table
}

// Parameters before literals: the order of the template must not matter.
const licenses = tableOf([
  'POST /v1/licenses/{id}/{action}',
  'GET /v1/licenses/{id}',
  'ANY /v1/licenses/{id}',
  'POST /v1/licenses/{id}/revoke',
  'POST /v1/licenses/import',
  'POST /v1/licenses',
  'GET /v1/{kind}/import',
  'GET /.well-known/jwks.json',
  'GET /',
])

test.each([
  ['POST', '/v1/licenses', 'POST /v1/licenses', undefined],
  ['POST', '/v1/licenses/import', 'POST /v1/licenses/import', undefined],
  ['PUT', '/v1/licenses/import', 'ANY /v1/licenses/{id}', { id: 'import' }],
  ['GET', '/v1/licenses/lic_1', 'GET /v1/licenses/{id}', { id: 'lic_1' }],
  ['DELETE', '/v1/licenses/lic_1', 'ANY /v1/licenses/{id}', { id: 'lic_1' }],
  ['POST', '/v1/licenses/lic_1/revoke', 'POST /v1/licenses/{id}/revoke', { id: 'lic_1' }],
  ['POST', '/v1/licenses/lic_1/renew', 'POST /v1/licenses/{id}/{action}', { id: 'lic_1', action: 'renew' }],
  ['GET', '/v1/licenses/import', 'GET /v1/licenses/{id}', { id: 'import' }],
  ['GET', '/v1/licenses/a%20b%2Fc', 'GET /v1/licenses/{id}', { id: 'a b/c' }],
  ['GET', '/.well-known/jwks.json', 'GET /.well-known/jwks.json', undefined],
  ['GET', '/', 'GET /', undefined],
])('%s %s goes to %s', (method, path, routeKey, pathParameters) => {
  expect(licenses.match(method, path)).toMatchObject({ routeKey, pathParameters })
})

test.each([
  ['another method', 'PUT', '/v1/licenses'],
  ['a slash at the end', 'POST', '/v1/licenses/'],
  ['an empty parameter', 'GET', '/v1/licenses/'],
  ['a longer path', 'GET', '/v1/licenses/a/b/c'],
  ['another case', 'POST', '/v1/Licenses'],
  ['nothing that is a path', 'OPTIONS', '*'],
])('%s fits nothing', (_, method, path) => {
  expect(licenses.match(method, path)).toBeUndefined()
})

test('$default takes what nothing else fits', () => {
  const table = tableOf(['$default', 'GET /v1/health'])
  expect(table.match('GET', '/v1/health')?.routeKey).toBe('GET /v1/health')
  expect(table.match('PUT', '/anything')?.routeKey).toBe('$default')
})

// However it is ordered, the closest fits: a rest takes one segment at least, and what is more precise comes first.
const files = tableOf([
  'GET /files/{path+}',
  'GET /files/{id}/info',
  'GET /files/{id}',
  'GET /{all+}',
  'GET /files/a/b',
])

test.each([
  ['/files/a', 'GET /files/{id}', { id: 'a' }],
  ['/files/a/b', 'GET /files/a/b', undefined],
  ['/files/a/c', 'GET /files/{path+}', { path: 'a/c' }],
  ['/files/x/info', 'GET /files/{id}/info', { id: 'x' }],
  ['/files/x/info/y%20z', 'GET /files/{path+}', { path: 'x/info/y z' }],
  ['/files', 'GET /{all+}', { all: 'files' }],
])('%s goes to %s', (path, routeKey, pathParameters) => {
  expect(files.match('GET', path)).toMatchObject({ routeKey, ...(pathParameters && { pathParameters }) })
})

test.each(['GET /files/{proxy+}/more', 'get /lower', 'nonsense'])(
  'a route %s is named as not supported',
  (routeKey) => {
    expect(() => new RouteTable().add(routeKey, target)).toThrow(LocalStackError)
  },
)
