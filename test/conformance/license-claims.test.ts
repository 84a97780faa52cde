import { expect, test } from 'vitest'
import * as z from 'zod'
import { SignedFacts } from '../../shared/domain/license.ts'
import { signingInput } from '../../shared/domain/license-file.ts'
import document from './license-claims.json' with { type: 'json' }

const Vector = z.strictObject({
  name: z.string(),
  issuer: z.string(),
  kid: z.string(),
  facts: z.unknown(),
  signingInput: z.string(),
})
const { vectors } = z.strictObject({ about: z.string(), vectors: z.array(Vector).min(3) }).parse(document)

const readable = (input: string): unknown[] =>
  input.split('.').map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))

// Files and stored rows are held against these bytes for years. If this fails, see `about` in the JSON.
test.each(vectors)('signed bytes of $name', ({ issuer, kid, facts, signingInput: committed }) => {
  const now = signingInput(SignedFacts.parse(facts), issuer, kid)
  expect(readable(now)).toEqual(readable(committed))
  expect(now).toBe(committed)
})
