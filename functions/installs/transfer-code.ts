import { newTokenSecret } from '../../shared/platform/auth/token-format.ts'
import { TransferId } from '../../shared/platform/ids.ts'
import type { Secrets } from '../../shared/platform/signing/mac.ts'

/**
 * The code of a transfer: its id and a secret of 190 random bits, so that finding it is reading one row. Only a keyed
 * hash of the secret is stored.
 */
type TransferCode = { readonly text: string; readonly hash: string }

export function newTransferCode(id: TransferId, secrets: Secrets): TransferCode {
  const secret = newTokenSecret()
  return { text: `${id}_${secret}`, hash: hashOf(secret, secrets) }
}

/** The transfer that a code names, and the hash it has if the code is right; undefined for what is no code. */
export function openTransferCode(
  text: string,
  secrets: Secrets,
): { id: TransferId; hash: string } | undefined {
  const [, name, secret = ''] = /^(trf_[0-9A-Z]{26})_([0-9A-Za-z]+)$/.exec(text.trim()) ?? []
  const id = TransferId.safeParse(name)
  return id.success ? { id: id.data, hash: hashOf(secret, secrets) } : undefined
}

/** Apart from tokens, whose hash it otherwise is. */
const hashOf = (secret: string, { tokenHash }: Secrets) => tokenHash(`transfer code ${secret}`)
