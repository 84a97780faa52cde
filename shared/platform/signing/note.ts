import { createPublicKey, verify } from 'node:crypto'
import { type Checkpoint, type NoteKey, openNote, parseCheckpoint } from '../../domain/checkpoint.ts'

/** What a signed note says, if this key signed it and it is a checkpoint of the log that the key is named after. */
export function verifyCheckpoint(note: string, key: NoteKey): Checkpoint | undefined {
  const opened = openNote(note, key)
  if (opened === undefined) return undefined
  const { publicKey } = key
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }
  const isSigned = verify(
    null,
    Buffer.from(opened.text),
    createPublicKey({ key: jwk, format: 'jwk' }),
    opened.signature,
  )
  const checkpoint = isSigned ? parseCheckpoint(opened.text) : undefined
  return checkpoint?.origin === key.name ? checkpoint : undefined
}
