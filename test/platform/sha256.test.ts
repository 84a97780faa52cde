import { createHash, createHmac } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Sha256 } from '../../shared/platform/signing/sha256.ts'

const bytes = fc.uint8Array({ maxLength: 200 })

describe('hashes for the SDK', () => {
  it('are those of Node.js, with and without a secret, of text and of bytes, in one part or several', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.oneof(bytes, fc.string()), { nil: undefined }),
        fc.array(fc.oneof(bytes, fc.string()), { maxLength: 4 }),
        async (secret, parts) => {
          const ours = new Sha256(secret)
          const theirs = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
          for (const part of parts) {
            ours.update(part)
            theirs.update(part)
          }
          expect(Buffer.from(await ours.digest())).toEqual(theirs.digest())
        },
      ),
    )
  })

  it('are of the part of a buffer that is meant, and of a buffer as a whole', async () => {
    const whole = Uint8Array.from({ length: 50 }, (_, index) => index)
    const part = new Sha256(new DataView(whole.buffer, 10, 5))
    part.update(new DataView(whole.buffer, 20, 7))
    expect(Buffer.from(await part.digest())).toEqual(
      createHmac('sha256', whole.subarray(10, 15)).update(whole.subarray(20, 27)).digest(),
    )
    const all = new Sha256()
    all.update(whole.buffer)
    expect(Buffer.from(await all.digest())).toEqual(createHash('sha256').update(whole).digest())
  })

  it('sign a request as the SDK does by itself', async () => {
    const [ours, theirs] = await Promise.all([signed({ sha256: Sha256 }), signed({})])
    expect(ours['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/20250615\/eu-central-1\/dynamodb\/aws4_request, /,
    )
    expect(ours).toEqual(theirs)
  })
})

/** Headers of a request, as a client with these settings signs it (Signature Version 4). */
async function signed(settings: { sha256?: typeof Sha256 }): Promise<Record<string, string>> {
  const { config } = new DynamoDBClient({
    ...settings,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' },
  })
  const signer = await config.signer?.({
    name: 'sigv4',
    signingName: 'dynamodb',
    signingRegion: 'eu-central-1',
    properties: {},
  })
  const request = {
    method: 'POST',
    protocol: 'https:',
    hostname: 'dynamodb.eu-central-1.amazonaws.com',
    path: '/',
    query: {},
    headers: { host: 'dynamodb.eu-central-1.amazonaws.com', 'content-type': 'application/x-amz-json-1.0' },
    body: '{"TableName":"latchkey"}',
  }
  const { headers } = (await signer?.sign(request, { signingDate: '2025-06-15T12:00:00Z' })) ?? {}
  return { ...headers }
}
