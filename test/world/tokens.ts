import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Role } from '../../shared/domain/access.ts'
import { TokenView } from '../../shared/domain/token.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import type { ApiClient } from '../support/api.ts'
import { expected } from '../support/scenario.ts'

/** So that the answer is kept, as those of careful clients are. */
export const newKey = () => ({ 'idempotency-key': randomUUID() })

const NewToken = z.object({ token: z.string(), ...TokenView.shape })

export async function newToken(
  api: ApiClient,
  body: {
    role: Role
    tenantId?: TenantId | undefined
    organizationId?: string
    scopes?: string[]
    expiresAt?: string
  },
): Promise<z.infer<typeof NewToken>> {
  const token = await api.token('vendor:admin')
  const options = { token, body: { name: 'A token', ...body }, headers: newKey() }
  const answer = await api.call('POST', '/v1/tokens', options)
  return NewToken.parse(expected(201, answer))
}
