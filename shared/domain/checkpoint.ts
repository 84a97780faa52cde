import { createHash } from 'node:crypto'
import * as z from 'zod'
import { TenantId } from '../platform/ids.ts'
import { HASH_BYTES, type Hash } from './merkle.ts'
import type { TreeHead } from './merkle-proof.ts'

/** Whose log: a tenant's, the vendor's own, or the one of all their checkpoints. */
export const LogName = z.union([TenantId, z.literal(['vendor', 'checkpoints'])])
export type LogName = z.infer<typeof LogName>

/** Whose events go into which log. */
export const logOf = (tenantId: TenantId | undefined): LogName => tenantId ?? 'vendor'

/** A log's name to the world, which is also the name of its key: `audit.<host of the issuer>/t/<tenant>`. */
export function originOf(issuer: string, log: LogName): string {
  const path = log === 'vendor' || log === 'checkpoints' ? log : `t/${log}`
  return `audit.${new URL(issuer).host}/${path}`
}

/** What a log commits to at a size (C2SP tlog-checkpoint). */
export type Checkpoint = TreeHead & { readonly origin: string }

/** The text of a checkpoint, as it is signed, and as it is an entry of the log of all checkpoints. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${base64(root)}\n`

const CHECKPOINT = /^([^\s+]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/

export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [, origin, size = '', root = ''] = CHECKPOINT.exec(text) ?? []
  return origin === undefined ? undefined : { origin, size: Number(size), root: Buffer.from(root, 'base64') }
}

/** A public key under a name (C2SP signed-note): the one that has to have signed. */
export type NoteKey = {
  readonly name: string
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
}

/** Ed25519 over the text itself (C2SP signed-note, signature types). */
const ED25519 = Uint8Array.of(1)
const KEY_ID_BYTES = 4
const SIGNATURE_BYTES = 64

const keyId = ({ name, publicKey }: NoteKey): Buffer =>
  createHash('sha256')
    .update(`${name}\n`)
    .update(ED25519)
    .update(publicKey)
    .digest()
    .subarray(0, KEY_ID_BYTES)

/** A key as text: what one pins, and what Go's note.NewVerifier takes. */
export const verifierKey = (key: NoteKey): string =>
  `${key.name}+${keyId(key).toString('hex')}+${base64(Buffer.concat([ED25519, key.publicKey]))}`

/** The key of such a text; undefined where it is none, or of another kind. */
export function parseVerifierKey(text: string): NoteKey | undefined {
  const [, name, id, encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text.trim()) ?? []
  const [kind, ...publicKey] = Buffer.from(encoded, 'base64')
  if (name === undefined || kind !== ED25519[0] || publicKey.length !== HASH_BYTES) return undefined
  const key = { name, publicKey: Uint8Array.from(publicKey) }
  return keyId(key).toString('hex') === id ? key : undefined
}

/** A text with the signature of a key below it. */
export function signedNote(text: string, key: NoteKey, signature: Uint8Array): string {
  return `${text}\n\u2014 ${key.name} ${base64(Buffer.concat([keyId(key), signature]))}\n`
}

/** The text of a note and what this key signed below it; undefined where it is no note, or has no such signature. */
export function openNote(
  note: string,
  key: NoteKey,
): { readonly text: string; readonly signature: Uint8Array } | undefined {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return undefined
  const lines = note.slice(end + 2, -1).split('\n')
  let signature: Uint8Array | undefined
  for (const line of lines) {
    const [, name, encoded = ''] = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? []
    if (name === undefined) return undefined
    const bytes = Buffer.from(encoded, 'base64')
    const isOurs = name === key.name && bytes.subarray(0, KEY_ID_BYTES).equals(keyId(key))
    if (isOurs && bytes.length === KEY_ID_BYTES + SIGNATURE_BYTES) signature = bytes.subarray(KEY_ID_BYTES)
  }
  return signature && { text: note.slice(0, end + 1), signature }
}

/** A receipt that can be checked offline (C2SP tlog-proof): of an entry, that it is in the log of a checkpoint. */
export function receipt(index: number, proof: readonly Hash[], note: string): string {
  return ['c2sp.org/tlog-proof@v1', `index ${index}`, ...proof.map(base64), '', note].join('\n')
}

/** The parts of a receipt; undefined where it is none. */
export function parseReceipt(
  text: string,
): { readonly index: number; readonly proof: Hash[]; readonly note: string } | undefined {
  const [, index = '', hashes = '', note] =
    /^c2sp\.org\/tlog-proof@v1\n(?:extra .*\n)?index (0|[1-9]\d{0,15})\n((?:[A-Za-z0-9+/]{43}=\n)*)\n([\s\S]+)$/.exec(
      text,
    ) ?? []
  if (note === undefined) return undefined
  const proof = hashes.split('\n').filter(Boolean)
  return { index: Number(index), proof: proof.map((hash) => Buffer.from(hash, 'base64')), note }
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
