import * as z from 'zod'
import { KeySpec, KeyUsage } from '../kms/key-store.ts'
import { arn, type Handler, propertiesOf, unsupported } from './site.ts'

/** Defaults are CloudFormation's. */
const KeyProperties = z.object({
  KeySpec: z.string().default('SYMMETRIC_DEFAULT'),
  KeyUsage: z.string().default('ENCRYPT_DECRYPT'),
  Enabled: z.boolean().default(true),
})

/** AWS::KMS::Key: a key of the local store, made at the first start and kept. */
export const key: Handler = (logicalId, resource, site) => {
  const properties = propertiesOf(KeyProperties, logicalId, resource, site)
  const keySpec = KeySpec.safeParse(properties.KeySpec)
  const keyUsage = KeyUsage.safeParse(properties.KeyUsage)
  if (!keySpec.success || !keyUsage.success) {
    unsupported(site, logicalId, resource, `key spec ${properties.KeySpec} for ${properties.KeyUsage}`)
    return { ref: logicalId, attributes: { Arn: arn('kms', `key/${logicalId}`), KeyId: logicalId } }
  }
  const { id, arn: keyArn } = site.keyStore.keyFor(logicalId, {
    keySpec: keySpec.data,
    keyUsage: keyUsage.data,
    enabled: properties.Enabled,
  })
  return { ref: id, attributes: { Arn: keyArn, KeyId: id } }
}
