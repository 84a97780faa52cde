import { verify } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, errors } from 'jose'
import { type License, signedFacts } from '../../domain/license.ts'
import {
  agrees,
  type FileFault,
  LICENSE_TYP,
  LicenseClaims,
  readLicenseFile,
  signingInput,
} from '../../domain/license-file.ts'
import type { PublicKey } from './public-keys.ts'

export type LicenseVerifier = {
  /** Is the stored row what was signed? */
  isGenuine(license: License): boolean
  /** The compact JWS of a license. */
  fileOf(license: License): string
  /** What a license file says (see `readLicenseFile` for its forms), or why it is none of ours. */
  open(file: unknown): Promise<{ claims: LicenseClaims } | { fault: FileFault }>
}

export function licenseVerifier(keys: readonly PublicKey[], issuer: string): LicenseVerifier {
  const byKid = new Map(keys.map((key) => [key.kid, key]))
  // The store answers an unchanged row with the same object, so a warm function verifies each state of a row once.
  const genuine = new WeakSet<License>()

  function isGenuine(license: License): boolean {
    if (genuine.has(license)) return true
    const { kid, value } = license.signature
    const key = byKid.get(kid)
    if (key === undefined) return false
    const input = signingInput(signedFacts(license), issuer, kid)
    // Synchronous on purpose: status rules are plain functions.
    const signature = Buffer.from(value, 'base64url')
    if (!verify('sha256', Buffer.from(input), { key: key.key, dsaEncoding: 'ieee-p1363' }, signature))
      return false
    genuine.add(license)
    return true
  }

  async function open(file: unknown): ReturnType<LicenseVerifier['open']> {
    const read = readLicenseFile(file)
    if (read === undefined) return { fault: 'malformed' }
    const { jws, wrapper } = read
    try {
      const { alg, typ, kid } = decodeProtectedHeader(jws)
      if (alg !== 'ES256' || typ !== LICENSE_TYP || kid === undefined) return { fault: 'malformed' }
      const key = byKid.get(kid)
      if (key === undefined) return { fault: 'foreign' }
      if (!isAsWritten(jws)) return { fault: 'forged' }
      const { payload } = await compactVerify(jws, key.key, { algorithms: ['ES256'] })
      const claims = LicenseClaims.safeParse(JSON.parse(Buffer.from(payload).toString()))
      if (!claims.success) return { fault: 'malformed' }
      if (claims.data.iss !== issuer) return { fault: 'foreign' }
      return wrapper && !agrees(wrapper, claims.data) ? { fault: 'forged' } : { claims: claims.data }
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) return { fault: 'forged' }
      if (error instanceof errors.JOSEError || error instanceof SyntaxError || error instanceof TypeError)
        return { fault: 'malformed' }
      throw error
    }
  }

  return {
    isGenuine,
    open,
    fileOf: (license) =>
      `${signingInput(signedFacts(license), issuer, license.signature.kid)}.${license.signature.value}`,
  }
}

/** The last letter of base64url has bits that decoders ignore: one that has others than ours was changed. */
function isAsWritten(jws: string): boolean {
  return jws.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
}
