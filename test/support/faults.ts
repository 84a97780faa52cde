import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { inject } from 'vitest'
import { clientSettings } from './dynamodb.ts'
import { interpose } from './sdk.ts'

/**
 * What happens to a call to DynamoDB that writes: throttled, timed out after it was committed, sent twice, or overtaken
 * by something that happens before it.
 */
export type Fault = 'throttled' | 'lost' | 'twice' | { before: () => Promise<unknown> }

/** Faults that a request meets with its first writes. A throttled write has done nothing: what comes after it comes first. */
export const WAYS: readonly [name: string, faults: readonly Fault[]][] = [
  ['throttled', ['throttled']],
  ['timed out after it was written', ['lost']],
  ['timed out twice', ['lost', 'lost']],
  ['answered twice', ['twice']],
]

const WRITES: ReadonlySet<string> = new Set(['UpdateItemCommand', 'TransactWriteItemsCommand'])

/**
 * A client whose next writes meet these faults, in this order.
 *
 * @param maxAttempts how often the SDK tries by itself
 */
export function faultyClient(maxAttempts: number, writes = WRITES) {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({ ...clientSettings(inject('dynamodbEndpoint')), maxAttempts }),
    { marshallOptions: { removeUndefinedValues: true } },
  )
  const faults: Fault[] = []
  interpose(client, async ({ command }, send) => {
    const fault = writes.has(command) ? faults.shift() : undefined
    if (fault === 'throttled') throw named('ThrottlingException')
    if (typeof fault === 'object') await fault.before()
    const result = await send()
    if (fault === 'lost') throw named('TimeoutError')
    return fault === 'twice' ? send() : result
  })
  return {
    client,
    faults,
    /**
     * Asks until it is answered, the first writes meeting these faults.
     *
     * @throws an Error if nothing was written that could meet one
     */
    async meet<T>(planned: readonly Fault[], ask: () => Promise<T>): Promise<T> {
      faults.splice(0, faults.length, ...planned)
      const answer = await insist(ask)
      if (faults.length === planned.length) throw new Error('no write met a fault')
      faults.length = 0
      return answer
    },
  }
}

const named = (name: string) => Object.assign(new Error(`injected: ${name}`), { name })

/** Asks again while the service fails, as a client does. */
export async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      if (tries === 6) throw error
    }
  }
}
