import { type KeyDescription, KeyStore } from '../../infra/local/kms/key-store.ts'
import { type LocalKms, startKms } from '../../infra/local/kms/start-kms.ts'

/** Key ids, by what the stack has them for. */
export type TestKeys = {
  /** P-256, oldest first. */
  readonly signing: readonly string[]
  /** P-256, oldest first. */
  readonly activations: readonly string[]
  /** Ed25519. */
  readonly audit: string
  /** HMAC_256. */
  readonly credentials: string
  /** HMAC_256. */
  readonly licenseKeys: string
  /** HMAC_512. */
  readonly sessions: string
}

const P256 = { keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY', enabled: true } as const
const ED25519 = { keySpec: 'ECC_NIST_EDWARDS25519', keyUsage: 'SIGN_VERIFY', enabled: true } as const
const HMAC_256 = { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC', enabled: true } as const
const HMAC_512 = { keySpec: 'HMAC_512', keyUsage: 'GENERATE_VERIFY_MAC', enabled: true } as const

/** The KMS stand-in with keys like those of the stack, in memory. */
export async function startTestKms(): Promise<LocalKms & { readonly keys: TestKeys }> {
  const store = KeyStore.inMemory()
  const keyId = (logicalId: string, description: KeyDescription) => store.keyFor(logicalId, description).id
  const keys = {
    signing: ['LicenseSigningKey1', 'LicenseSigningKey2'].map((logicalId) => keyId(logicalId, P256)),
    activations: ['ActivationSigningKey1', 'ActivationSigningKey2'].map((logicalId) =>
      keyId(logicalId, P256),
    ),
    audit: keyId('AuditKey', ED25519),
    credentials: keyId('CredentialKey', HMAC_256),
    licenseKeys: keyId('LicenseKeyKey', HMAC_256),
    sessions: keyId('SessionKey', HMAC_512),
  }
  return { ...(await startKms({ store })), keys }
}
