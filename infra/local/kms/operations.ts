import { createHmac, createPublicKey, sign } from 'node:crypto'
import * as z from 'zod'
import { signDigest } from './ecdsa.ts'
import type { Key, KeySpec, KeyStore } from './key-store.ts'
import { KmsRefusal, validationRefusal } from './refusal.ts'

/** Longest `Message` of Sign (RAW) and GenerateMac, in bytes (KMS API reference). */
const MAX_MESSAGE = 4096
const SHA_256_BYTES = 32

const KeyId = z.string().min(1).max(2048)
const Message = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .superRefine((bytes, context) => {
    const bounds = { input: bytes, origin: 'string' as const, inclusive: true }
    if (bytes.length < 1) context.addIssue({ code: 'too_small', minimum: 1, ...bounds })
    if (bytes.length > MAX_MESSAGE) context.addIssue({ code: 'too_big', maximum: MAX_MESSAGE, ...bounds })
  })

/** All that KMS knows, so that one that does not fit the key is refused for that and not as unheard of. */
const SigningAlgorithm = z.enum([
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'SM2DSA',
  'ML_DSA_SHAKE_256',
  'ED25519_SHA_512',
  'ED25519_PH_SHA_512',
])
const MacAlgorithm = z.enum(['HMAC_SHA_224', 'HMAC_SHA_256', 'HMAC_SHA_384', 'HMAC_SHA_512'])

const SignRequest = z.object({
  KeyId,
  Message,
  MessageType: z.enum(['RAW', 'DIGEST', 'EXTERNAL_MU']).default('RAW'),
  SigningAlgorithm,
})
const GetPublicKeyRequest = z.object({ KeyId })
const GenerateMacRequest = z.object({ KeyId, Message, MacAlgorithm })

/** An operation takes the members of the request and answers those of the response. */
type Operation = (store: KeyStore, request: unknown) => Record<string, unknown>

/** The operations that Latchkey uses; every other one is refused by name. */
export const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['Sign', signMessage],
  ['GetPublicKey', getPublicKey],
  ['GenerateMac', generateMac],
])

function signMessage(store: KeyStore, request: unknown) {
  const { KeyId, Message, MessageType, SigningAlgorithm } = parse(SignRequest, request)
  const key = usableKey(store, KeyId, 'SIGN_VERIFY', 'Sign')
  // Ed25519ph, which KMS offers too, is of no use here.
  if (SigningAlgorithm !== signingAlgorithm(key.keySpec))
    throw incompatible(key, `Algorithm ${SigningAlgorithm}`)
  if (MessageType === 'EXTERNAL_MU') throw incompatible(key, `MessageType ${MessageType}`)
  if (SigningAlgorithm === 'ED25519_SHA_512') {
    if (MessageType !== 'RAW') throw incompatible(key, `MessageType ${MessageType}`)
    const signature = sign(null, Message, key.material)
    return { KeyId: key.arn, Signature: signature.toString('base64'), SigningAlgorithm }
  }
  if (MessageType === 'DIGEST' && Message.length !== SHA_256_BYTES) {
    throw new KmsRefusal('ValidationException', `Digest is invalid length for algorithm ${SigningAlgorithm}.`)
  }
  const signature =
    MessageType === 'DIGEST' ? signDigest(key.material, Message) : sign('sha256', Message, key.material)
  return { KeyId: key.arn, Signature: signature.toString('base64'), SigningAlgorithm }
}

function getPublicKey(store: KeyStore, request: unknown) {
  const { KeyId } = parse(GetPublicKeyRequest, request)
  const key = enabledKey(store, KeyId)
  // A MAC key has no public half; KMS answers with the ARN alone.
  if (key.keyUsage !== 'SIGN_VERIFY') throw new KmsRefusal('UnsupportedOperationException', key.arn)
  const publicKey = createPublicKey(key.material).export({ format: 'der', type: 'spki' })
  return {
    KeyId: key.arn,
    PublicKey: publicKey.toString('base64'),
    KeySpec: key.keySpec,
    CustomerMasterKeySpec: key.keySpec,
    KeyUsage: key.keyUsage,
    SigningAlgorithms: [signingAlgorithm(key.keySpec)],
  }
}

function generateMac(store: KeyStore, request: unknown) {
  const { KeyId, Message, MacAlgorithm } = parse(GenerateMacRequest, request)
  const key = usableKey(store, KeyId, 'GENERATE_VERIFY_MAC', 'GenerateMac')
  const hash = macHash(key.keySpec)
  if (MacAlgorithm !== `HMAC_${hash.replace('sha', 'SHA_')}`)
    throw incompatible(key, `Algorithm ${MacAlgorithm}`)
  const mac = createHmac(hash, key.material).update(Message).digest('base64')
  return { KeyId: key.arn, Mac: mac, MacAlgorithm }
}

const signingAlgorithm = (keySpec: KeySpec) =>
  keySpec === 'ECC_NIST_EDWARDS25519' ? 'ED25519_SHA_512' : 'ECDSA_SHA_256'

const macHash = (keySpec: KeySpec): 'sha256' | 'sha512' => (keySpec === 'HMAC_512' ? 'sha512' : 'sha256')

function parse<S extends z.ZodType>(schema: S, request: unknown): z.output<S> {
  const parsed = schema.safeParse(request, { reportInput: true })
  if (!parsed.success) throw validationRefusal(parsed.error)
  return parsed.data
}

function enabledKey(store: KeyStore, keyId: string): Key {
  const key = store.find(keyId)
  if (key === undefined) throw new KmsRefusal('NotFoundException', `Key '${keyId}' does not exist`)
  if (!key.enabled) throw new KmsRefusal('DisabledException', `${key.arn} is disabled.`)
  return key
}

function usableKey(store: KeyStore, keyId: string, usage: Key['keyUsage'], operation: string): Key {
  const key = enabledKey(store, keyId)
  if (key.keyUsage === usage) return key
  throw new KmsRefusal(
    'InvalidKeyUsageException',
    `${key.arn} key usage is ${key.keyUsage} which is not valid for ${operation}.`,
  )
}

function incompatible(key: Key, what: string): KmsRefusal {
  return new KmsRefusal('InvalidKeyUsageException', `${what} is incompatible with key spec ${key.keySpec}.`)
}
