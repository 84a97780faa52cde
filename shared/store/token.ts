import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { Token } from '../domain/token.ts'
import type { TokenId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import { entity, type Item } from './codec.ts'
import { KIND, ownedByTenant, tokenKey } from './keys.ts'
import { readItem } from './read.ts'
import { type Action, isConditionFailed, sendAlone, type Table } from './transact.ts'

export const tokenEntity = entity('token', 2, Token, 1)

export const tokenItem = (token: Token): Item =>
  tokenEntity.encode(tokenKey(token.id), token, {
    kindPk: KIND.tokens,
    kindSk: token.id,
    ...(token.tenantId && { ownedPk: ownedByTenant(token.tenantId, 'TOKENS'), ownedSk: token.id }),
  })

export async function readToken(table: Table, id: TokenId): Promise<Token | undefined> {
  const item = await readItem(table, tokenKey(id))
  return item && tokenEntity.decode(item)
}

/** Ends a token early because it has a successor, unless it was rotated or revoked since it was read. */
export function rotateToken({ id, rotatedTo }: Token, successor: TokenId, end: Instant): Action {
  return {
    kind: 'update',
    key: tokenKey(id),
    update: 'SET rotatedTo = :successor, expiresAt = :end',
    condition:
      rotatedTo === undefined
        ? 'attribute_exists(pk) AND attribute_not_exists(revokedAt) AND attribute_not_exists(rotatedTo)'
        : 'attribute_not_exists(revokedAt) AND rotatedTo = :before',
    values: { ':successor': successor, ':end': end, ...(rotatedTo && { ':before': rotatedTo }) },
  }
}

/** Ends a token for ever, unless it was revoked before. */
export function revokeToken(id: TokenId, now: Instant): Action {
  return {
    kind: 'update',
    key: tokenKey(id),
    update: 'SET revokedAt = :now',
    condition: 'attribute_exists(pk) AND attribute_not_exists(revokedAt)',
    values: { ':now': now },
  }
}

/**
 * Notes that a token was used. No event: it changes nothing a person decided. Not by writeRow, which would bring
 * validations the commands of all other writes, too.
 */
export async function touchToken({ client, name }: Table, id: TokenId, now: Instant): Promise<void> {
  const command = new UpdateCommand({
    TableName: name,
    Key: tokenKey(id),
    UpdateExpression: 'SET lastUsedAt = :now',
    ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(lastUsedAt) OR lastUsedAt < :now)',
    ExpressionAttributeValues: { ':now': now },
  })
  await sendAlone(() => client.send(command)).catch((error: unknown) => {
    // Somebody else noted it in the meantime, or the token is gone.
    if (!isConditionFailed(error)) throw error
  })
}
