import { createHash, createPublicKey, verify } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DescribeKeyCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
  type SignCommandInput,
} from '@aws-sdk/client-kms'
import { derToJose } from 'ecdsa-sig-formatter'
import { compactVerify, importSPKI } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LocalStackError } from '../../../infra/local/errors.ts'
import { KeyStore } from '../../../infra/local/kms/key-store.ts'
import { type LocalKms, startKms } from '../../../infra/local/kms/start-kms.ts'

const store = KeyStore.inMemory()
const signing = store.keyFor('Signing', { keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY', enabled: true })
const edwards = store.keyFor('Edwards', {
  keySpec: 'ECC_NIST_EDWARDS25519',
  keyUsage: 'SIGN_VERIFY',
  enabled: true,
})
const mac = store.keyFor('Mac', { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC', enabled: true })
const longMac = store.keyFor('Mac5', { keySpec: 'HMAC_512', keyUsage: 'GENERATE_VERIFY_MAC', enabled: true })
const off = store.keyFor('Off', { keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY', enabled: false })

let kms: LocalKms
let client: KMSClient

const clientOf = ({ endpoint }: { endpoint: string }) =>
  new KMSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  })

beforeAll(async () => {
  kms = await startKms({ store })
  client = clientOf(kms)
})

afterAll(async () => {
  client.destroy()
  await kms.close()
})

const sha256 = (text: string) => createHash('sha256').update(text).digest()

const signRequest = (changes: Partial<SignCommandInput> = {}) =>
  new SignCommand({
    KeyId: signing.id,
    Message: sha256('message'),
    MessageType: 'DIGEST',
    SigningAlgorithm: 'ECDSA_SHA_256',
    ...changes,
  })

async function publicKey() {
  const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId: signing.id }))
  return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' })
}

describe('Sign', () => {
  test('a digest is signed as it is, so node:crypto verifies the message itself', async () => {
    const key = await publicKey()
    for (const text of Array.from({ length: 50 }, (_, index) => `message ${index}`)) {
      const { Signature } = await client.send(signRequest({ Message: sha256(text) }))
      expect(verify('sha256', Buffer.from(text), key, Signature ?? Buffer.of())).toBe(true)
      expect(verify('sha256', Buffer.from(`${text}!`), key, Signature ?? Buffer.of())).toBe(false)
    }
  })

  test('a JWS made of a signed digest verifies with jose', async () => {
    const input = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}`
    const { Signature } = await client.send(signRequest({ Message: sha256(input) }))
    const jws = `${input}.${derToJose(Buffer.from(Signature ?? []), 'ES256')}`

    const pem = (await publicKey()).export({ format: 'pem', type: 'spki' })
    const verified = await compactVerify(jws, await importSPKI(String(pem), 'ES256'))

    expect(verified.protectedHeader.alg).toBe('ES256')
  })

  test('a raw message of 4096 bytes is hashed and signed', async () => {
    const Message = Buffer.alloc(4096, 'x')
    const { Signature, KeyId } = await client.send(signRequest({ Message, MessageType: 'RAW' }))
    expect(verify('sha256', Message, await publicKey(), Signature ?? Buffer.of())).toBe(true)
    expect(KeyId).toBe(signing.arn)
  })

  test.each([
    [
      'a raw message of 4097 bytes',
      { Message: Buffer.alloc(4097), MessageType: 'RAW' },
      'ValidationException',
      /less than or equal to 4096/,
    ],
    [
      'an empty message',
      { Message: Buffer.alloc(0), MessageType: 'RAW' },
      'ValidationException',
      /greater than or equal to 1/,
    ],
    ['a digest of 31 bytes', { Message: Buffer.alloc(31) }, 'ValidationException', /invalid length/],
    ['a digest of 33 bytes', { Message: Buffer.alloc(33) }, 'ValidationException', /invalid length/],
    [
      'another algorithm',
      { SigningAlgorithm: 'RSASSA_PSS_SHA_256' },
      'InvalidKeyUsageException',
      /incompatible/,
    ],
    [
      'a MAC key',
      { KeyId: mac.id },
      'InvalidKeyUsageException',
      /GENERATE_VERIFY_MAC which is not valid for Sign/,
    ],
    ['a disabled key', { KeyId: off.arn }, 'DisabledException', /is disabled/],
    [
      'an unknown key',
      { KeyId: '7b1e6e8c-5c5c-4f3c-9d8f-6a1d3c1b2a00' },
      'NotFoundException',
      /does not exist/,
    ],
  ] satisfies [string, Partial<SignCommandInput>, string, RegExp][])(
    '%s is refused',
    async (_, changes, name, message) => {
      await expect(client.send(signRequest(changes))).rejects.toMatchObject({
        name,
        message: expect.stringMatching(message),
        $metadata: { httpStatusCode: 400 },
      })
    },
  )

  test.each([
    ['key id', signing.id],
    ['key ARN', signing.arn],
  ])('the key is found by its %s', async (_, KeyId) => {
    expect((await client.send(signRequest({ KeyId }))).KeyId).toBe(signing.arn)
  })
})

describe('Sign with Ed25519', () => {
  const edwardsRequest = (changes: Partial<SignCommandInput> = {}) =>
    signRequest({
      KeyId: edwards.id,
      Message: Buffer.from('a note'),
      MessageType: 'RAW',
      SigningAlgorithm: 'ED25519_SHA_512',
      ...changes,
    })

  test('a raw message is signed as it is, and is the same each time', async () => {
    const { PublicKey, KeySpec, SigningAlgorithms } = await client.send(
      new GetPublicKeyCommand({ KeyId: edwards.id }),
    )
    const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' })
    const [first, again] = [await client.send(edwardsRequest()), await client.send(edwardsRequest())]
    expect([KeySpec, SigningAlgorithms]).toEqual(['ECC_NIST_EDWARDS25519', ['ED25519_SHA_512']])
    expect(verify(null, Buffer.from('a note'), key, first.Signature ?? Buffer.of())).toBe(true)
    expect(again.Signature).toEqual(first.Signature)
  })

  test.each([
    ['a digest', { Message: sha256('a'), MessageType: 'DIGEST' }, 'InvalidKeyUsageException'],
    ['a message of 4097 bytes', { Message: Buffer.alloc(4097) }, 'ValidationException'],
    ['ECDSA', { SigningAlgorithm: 'ECDSA_SHA_256' }, 'InvalidKeyUsageException'],
    ['Ed25519ph', { SigningAlgorithm: 'ED25519_PH_SHA_512' }, 'InvalidKeyUsageException'],
    ['a key of P-256', { KeyId: signing.id }, 'InvalidKeyUsageException'],
  ] satisfies [string, Partial<SignCommandInput>, string][])('%s is refused', async (_, changes, name) => {
    await expect(client.send(edwardsRequest(changes))).rejects.toMatchObject({ name })
  })
})

describe('GetPublicKey', () => {
  test('describes the key', async () => {
    expect(await client.send(new GetPublicKeyCommand({ KeyId: signing.arn }))).toMatchObject({
      KeyId: signing.arn,
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
      SigningAlgorithms: ['ECDSA_SHA_256'],
    })
  })

  test('a MAC key has none', async () => {
    await expect(client.send(new GetPublicKeyCommand({ KeyId: mac.id }))).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
    })
  })
})

describe('GenerateMac', () => {
  const generate = (KeyId: string, Message: Buffer, MacAlgorithm: 'HMAC_SHA_256' | 'HMAC_SHA_512') =>
    client.send(new GenerateMacCommand({ KeyId, Message, MacAlgorithm }))

  test('the same message has the same MAC, another message and another key have others', async () => {
    const first = await generate(mac.id, Buffer.from('a'), 'HMAC_SHA_256')
    const again = await generate(mac.id, Buffer.from('a'), 'HMAC_SHA_256')
    const other = await generate(mac.id, Buffer.from('b'), 'HMAC_SHA_256')
    const long = await generate(longMac.id, Buffer.from('a'), 'HMAC_SHA_512')

    expect(again.Mac).toEqual(first.Mac)
    expect(other.Mac).not.toEqual(first.Mac)
    expect([first.Mac?.length, long.Mac?.length]).toEqual([32, 64])
  })

  test.each([
    ['a message of 4097 bytes', mac.id, Buffer.alloc(4097), 'HMAC_SHA_256', 'ValidationException'],
    [
      'an algorithm of another key length',
      mac.id,
      Buffer.from('a'),
      'HMAC_SHA_512',
      'InvalidKeyUsageException',
    ],
    ['a signing key', signing.id, Buffer.from('a'), 'HMAC_SHA_256', 'InvalidKeyUsageException'],
  ] satisfies [string, string, Buffer, 'HMAC_SHA_256' | 'HMAC_SHA_512', string][])(
    '%s is refused',
    async (_, keyId, message, algorithm, name) => {
      await expect(generate(keyId, message, algorithm)).rejects.toMatchObject({ name })
    },
  )
})

test('an operation that nothing uses is refused by its name', async () => {
  await expect(client.send(new DescribeKeyCommand({ KeyId: signing.id }))).rejects.toMatchObject({
    name: 'UnknownOperationException',
    message: 'The local KMS has no operation DescribeKey.',
  })
})

test('calls are counted per operation, refused ones included', async () => {
  const own = await startKms({ store })
  const ownClient = clientOf(own)
  await ownClient.send(signRequest())
  await ownClient.send(signRequest())
  await ownClient.send(new GetPublicKeyCommand({ KeyId: mac.id })).catch(() => undefined)

  expect(own.calls()).toEqual({ Sign: 2, GetPublicKey: 1 })

  ownClient.destroy()
  await own.close()
})

describe('a store in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-kms-'))
  const file = join(folder, 'keys.json')
  afterAll(() => rmSync(folder, { recursive: true }))

  const description = { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC', enabled: true } as const

  async function macOfA(keys: KeyStore, keyId: string) {
    const own = await startKms({ store: keys })
    const ownClient = clientOf(own)
    const { Mac } = await ownClient.send(
      new GenerateMacCommand({ KeyId: keyId, Message: Buffer.from('a'), MacAlgorithm: 'HMAC_SHA_256' }),
    )
    ownClient.destroy()
    await own.close()
    return Mac
  }

  test('keeps its keys and ARNs over a restart, readable by the owner alone', async () => {
    const before = KeyStore.inFile(file)
    const key = before.keyFor('Tokens', description)
    const signed = await macOfA(before, key.arn)

    const after = KeyStore.inFile(file)

    expect(after.keyFor('Tokens', description).arn).toBe(key.arn)
    expect(await macOfA(after, key.arn)).toEqual(signed)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('another spec makes another key, and the one before can still be used', () => {
    const keys = KeyStore.inFile(file)
    const before = keys.keyFor('Tokens', description)
    const after = keys.keyFor('Tokens', { ...description, keySpec: 'HMAC_512' })
    expect(after.arn).not.toBe(before.arn)
    expect(keys.find(before.arn)?.keySpec).toBe('HMAC_256')
  })

  test('a damaged file is one sentence', () => {
    const damaged = join(folder, 'damaged.json')
    writeFileSync(damaged, '{"version":1,"keys":[{')
    expect(() => KeyStore.inFile(damaged)).toThrow(LocalStackError)
    expect(() => KeyStore.inFile(damaged)).toThrow(/^The keys in .*damaged\.json are damaged: [^.]+\.$/)
  })
})
