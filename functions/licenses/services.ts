import type { UnsignedLicense } from '../../shared/domain/issue.ts'
import { type License, signedFacts } from '../../shared/domain/license.ts'
import { keyHint, type LicenseKey } from '../../shared/domain/license-key.ts'
import { statusAt } from '../../shared/domain/status.ts'
import type { LicenseKeyMaker } from '../../shared/platform/signing/license-key-maker.ts'
import type { LicenseSigner } from '../../shared/platform/signing/license-signer.ts'
import type { VerifyingServices } from '../verified.ts'

/** What issuing needs beside the common services: the signer and the maker of keys. */
export type LicenseServices = VerifyingServices & {
  readonly sign: LicenseSigner
  readonly keyOf: LicenseKeyMaker
}

/** Signs a new license and gives it its key. */
export async function sealed(
  unsigned: UnsignedLicense,
  { sign, keyOf, secrets }: LicenseServices,
  extensions: readonly UnsignedLicense[] = [],
): Promise<{ license: License; key: LicenseKey }> {
  const [signature, key] = await Promise.all([
    sign(signedFacts(unsigned)),
    keyOf(unsigned.id, unsigned.keyGeneration),
  ])
  return {
    license: {
      ...unsigned,
      signature,
      keyHash: secrets.licenseKeyHash(key),
      keyHint: keyHint(key),
      lastSeenStatus: statusAt(unsigned, unsigned.issuedAt, extensions),
      lastSeenAt: unsigned.issuedAt,
    },
    key,
  }
}
