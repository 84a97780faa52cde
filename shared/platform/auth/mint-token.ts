import type { Token } from '../../domain/token.ts'
import type { TokenFacts } from '../../domain/token-rules.ts'
import { newTokenId } from '../ids.ts'
import { formatToken, newTokenSecret } from './token-format.ts'

/** A new token: its text, which is shown once, and what is kept of it. */
type Minted = { readonly text: string; readonly token: Token }

export function mintToken(facts: TokenFacts, stage: string, tokenHash: (secret: string) => string): Minted {
  const id = newTokenId(facts.createdAt)
  const secret = newTokenSecret()
  return { text: formatToken(stage, id, secret), token: { id, ...facts, secretHash: tokenHash(secret) } }
}
