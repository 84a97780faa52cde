import {
  createPrivateKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
} from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import * as z from 'zod'
import { LocalStackError } from '../errors.ts'
import { ACCOUNT, REGION } from '../template/resolve.ts'

const ARN_PREFIX = `arn:aws:kms:${REGION}:${ACCOUNT}:key/`

/** The key specs that the local stack has keys of. */
export const KeySpec = z.enum(['ECC_NIST_P256', 'ECC_NIST_EDWARDS25519', 'HMAC_256', 'HMAC_512'])
export type KeySpec = z.infer<typeof KeySpec>
export const KeyUsage = z.enum(['SIGN_VERIFY', 'GENERATE_VERIFY_MAC'])

const StoredKey = z.strictObject({
  id: z.uuid(),
  logicalId: z.string(),
  keySpec: KeySpec,
  keyUsage: KeyUsage,
  enabled: z.boolean(),
  /** Base64: a PKCS #8 private key, or the bytes of a MAC key. */
  material: z.base64(),
})
type StoredKey = z.infer<typeof StoredKey>

const StoredKeys = z.object({ version: z.literal(1), keys: z.array(StoredKey) })
type StoredKeys = z.infer<typeof StoredKeys>

/** A key ready for use. */
export type Key = Omit<StoredKey, 'material'> & {
  readonly arn: string
  /** The private key, or the MAC key. */
  readonly material: KeyObject
}

export type KeyDescription = Pick<StoredKey, 'keySpec' | 'keyUsage' | 'enabled'>

/**
 * The keys of the local KMS, by the logical id they have in the template. Kept in a file that only its owner can read,
 * or in memory.
 */
export class KeyStore {
  private readonly file: string | undefined
  private readonly stored: StoredKeys
  private readonly keys = new Map<string, Key>()

  private constructor(file: string | undefined, stored: StoredKeys) {
    this.file = file
    this.stored = stored
    for (const key of stored.keys) this.keys.set(key.id, ready(key))
  }

  static inMemory(): KeyStore {
    return new KeyStore(undefined, { version: 1, keys: [] })
  }

  /** @throws LocalStackError when the file exists and is damaged */
  static inFile(file: string): KeyStore {
    if (!existsSync(file)) return new KeyStore(file, { version: 1, keys: [] })
    try {
      return new KeyStore(file, StoredKeys.parse(JSON.parse(readFileSync(file, 'utf8'))))
    } catch (error) {
      throw new LocalStackError(
        `The keys in ${file} are damaged: restore the file from a copy, or delete the data folder it lies in to start afresh.`,
        { cause: error },
      )
    }
  }

  /**
   * The key of a template resource, made when it is asked for first. Another spec or usage makes another key, as
   * CloudFormation would replace it; the one before can still be found by its id.
   */
  keyFor(logicalId: string, description: KeyDescription): Key {
    const existing = this.stored.keys.find(
      (key) =>
        key.logicalId === logicalId &&
        key.keySpec === description.keySpec &&
        key.keyUsage === description.keyUsage,
    )
    if (existing?.enabled === description.enabled) return this.known(existing)
    const key = existing ?? {
      id: randomUUID(),
      logicalId,
      ...description,
      material: newMaterial(description),
    }
    key.enabled = description.enabled
    if (existing === undefined) this.stored.keys.push(key)
    this.keys.set(key.id, ready(key))
    this.save()
    return this.known(key)
  }

  /** By its id or ARN; there are no aliases. */
  find(keyId: string): Key | undefined {
    return this.keys.get(keyId.startsWith(ARN_PREFIX) ? keyId.slice(ARN_PREFIX.length) : keyId)
  }

  private known(stored: StoredKey): Key {
    return this.keys.get(stored.id) ?? ready(stored)
  }

  private save(): void {
    if (this.file === undefined) return
    // Written beside and moved over: a crash leaves the old file or the new one, never half of one.
    const draft = `${this.file}.new`
    writeFileSync(draft, JSON.stringify(this.stored, null, 2), { mode: 0o600 })
    renameSync(draft, this.file)
  }
}

function ready(stored: StoredKey): Key {
  const bytes = Buffer.from(stored.material, 'base64')
  const material =
    stored.keyUsage === 'SIGN_VERIFY'
      ? createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
      : createSecretKey(bytes)
  return { ...stored, arn: ARN_PREFIX + stored.id, material }
}

function newMaterial({ keySpec }: KeyDescription): string {
  switch (keySpec) {
    case 'ECC_NIST_P256':
      return generateKeyPairSync('ec', {
        namedCurve: 'P-256',
        privateKeyEncoding: { format: 'der', type: 'pkcs8' },
        publicKeyEncoding: { format: 'der', type: 'spki' },
      }).privateKey.toString('base64')
    case 'ECC_NIST_EDWARDS25519':
      return generateKeyPairSync('ed25519', {
        privateKeyEncoding: { format: 'der', type: 'pkcs8' },
        publicKeyEncoding: { format: 'der', type: 'spki' },
      }).privateKey.toString('base64')
    // KMS makes HMAC keys as long as the output of their hash.
    case 'HMAC_256':
      return randomBytes(32).toString('base64')
    case 'HMAC_512':
      return randomBytes(64).toString('base64')
  }
}
