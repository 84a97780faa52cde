import { RemovalPolicy } from 'aws-cdk-lib'
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { Stage } from '../stage.ts'
import { pinLogicalId } from './pin-logical-id.ts'
import { removalPolicyOf } from './removal-policy.ts'

export type Keys = {
  /** For license files, oldest first: the last is next, the one before is active, older ones are retired. */
  readonly signing: readonly Key[]
  /** For the response files of offline activations, in the same order and rotated with them. */
  readonly activations: readonly Key[]
  /** For the checkpoints of the audit logs. There is one for good: to rotate it is to begin other logs. */
  readonly audit: Key
  /** Keeps credentials: from it come the hashes of tokens and license keys, sealed replies and cursors. */
  readonly credentials: Key
  /** Makes license keys, so that none has to be stored. */
  readonly licenseKeys: Key
  /** Makes the short-lived keys that sign verdicts. */
  readonly sessions: Key
}

/** All KMS keys. A key without material leaves KMS; every use of one is a call and is logged by CloudTrail. */
export function createKeys(scope: Construct, stage: Stage): Keys {
  const hmac = (logicalId: string, keySpec: KeySpec, purpose: string) =>
    createKey(scope, logicalId, {
      keySpec,
      keyUsage: KeyUsage.GENERATE_VERIFY_MAC,
      description: `Latchkey ${stage.name}: ${purpose}`,
      removalPolicy: removalPolicyOf(stage),
    })
  const p256 = (name: string, purpose: string) =>
    Array.from({ length: stage.signingKeys }, (_, index) =>
      createKey(scope, `${name}${index + 1}`, {
        keySpec: KeySpec.ECC_NIST_P256,
        keyUsage: KeyUsage.SIGN_VERIFY,
        description: `Latchkey ${stage.name}: ${purpose}, key ${index + 1}, oldest first`,
        // In every stage: what a key has signed cannot be verified anew once the key is gone.
        removalPolicy: RemovalPolicy.RETAIN,
      }),
    )
  return {
    signing: p256('LicenseSigningKey', 'signs license files'),
    activations: p256('ActivationSigningKey', 'signs offline activations'),
    audit: createKey(scope, 'AuditKey', {
      keySpec: KeySpec.ECC_NIST_EDWARDS25519,
      keyUsage: KeyUsage.SIGN_VERIFY,
      description: `Latchkey ${stage.name}: signs checkpoints of audit logs`,
      removalPolicy: RemovalPolicy.RETAIN,
    }),
    credentials: hmac('CredentialKey', KeySpec.HMAC_256, 'keeps tokens, license keys and cursors'),
    licenseKeys: hmac('LicenseKeyKey', KeySpec.HMAC_256, 'makes license keys'),
    sessions: hmac('SessionKey', KeySpec.HMAC_512, 'makes the keys that sign verdicts'),
  }
}

function createKey(scope: Construct, logicalId: string, props: ConstructorParameters<typeof Key>[2]): Key {
  const key = new Key(scope, logicalId, props)
  pinLogicalId(key, logicalId)
  return key
}
