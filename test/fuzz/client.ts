import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { LocalStack } from '../../infra/local/boot.ts'
import { makeVendorToken } from '../../infra/local/demo/world.ts'
import type { Role } from '../../shared/domain/access.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import type { Answer, ApiClient, CallOptions } from '../support/api.ts'
import { clientSettings } from '../support/dynamodb.ts'

/** A booted stack as tests see the API in their process, so that they make the same worlds in it. */
export async function clientOf(stack: LocalStack): Promise<ApiClient & { close(): void }> {
  const vendor = await makeVendorToken(stack)
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientSettings(stack.endpoints.dynamodb)), {
    marshallOptions: { removeUndefinedValues: true },
  })

  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { token, body, query, headers } = options
    const response = await fetch(`${stack.url}${path}${query ? `?${new URLSearchParams(query)}` : ''}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: text === '' ? undefined : JSON.parse(text),
    }
  }

  async function token(role: Role, tenantId?: TenantId): Promise<string> {
    if (role === 'vendor:admin') return vendor
    const body = { name: `A ${role}`, role, tenantId }
    const answer = await call('POST', '/v1/tokens', { token: vendor, body })
    return z.object({ token: z.string() }).parse(answer.body).token
  }

  return { call, token, table: { client, name: stack.tableName() }, close: () => client.destroy() }
}
