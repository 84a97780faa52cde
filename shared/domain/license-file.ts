import * as z from 'zod'
import { epochSeconds, Instant } from '../platform/time.ts'
import { isSame } from './canonical-json.ts'
import { SignedFacts, signedFacts } from './license.ts'
import { type Refusal, refuse } from './refusal.ts'

/**
 * To be raised when `SignedFacts` changes so that the same facts give other bytes; the shape before has to stay beside the
 * new one then, for files and rows that were signed as that. There was no need yet: a new field that may be absent, and
 * has no default, changes nothing that was signed before.
 */
const CLAIMS_VERSION = 1

/** `typ` of the JWS header, so that no other token of this issuer passes for a license (RFC 8725, section 3.11). */
export const LICENSE_TYP = 'license+jwt'

/** Hours an offline application should wait at most before it looks for a newer file. */
const CHECK_EVERY = 'PT24H'

export const LicenseClaims = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  sub: z.string(),
  jti: z.string(),
  iat: z.int(),
  nbf: z.int(),
  exp: z.int().optional(),
  ver: z.literal(CLAIMS_VERSION),
  checkEvery: z.literal(CHECK_EVERY),
  license: SignedFacts,
})
export type LicenseClaims = z.infer<typeof LicenseClaims>

/**
 * The claims of a license file (RFC 7519 names where they exist). `exp` is the end of grace, so that any JOSE library
 * accepts the file for as long as the license works; `license.expiresAt` is the end of the paid term. Key order is
 * fixed by construction: the same facts give the same bytes, which is how a stored row is held against its signature.
 */
export function licenseClaims(facts: SignedFacts, issuer: string): LicenseClaims {
  const end = facts.graceEndsAt ?? facts.expiresAt
  return {
    iss: issuer,
    aud: facts.productCode,
    sub: facts.id,
    jti: `${facts.id}.${facts.revision}`,
    iat: epochSeconds(facts.signedAt),
    nbf: epochSeconds(facts.validFrom),
    ...(end && { exp: epochSeconds(end) }),
    ver: CLAIMS_VERSION,
    checkEvery: CHECK_EVERY,
    license: facts,
  }
}

/** The two parts a signature covers (RFC 7515, section 5.1), for the key named. */
export function signingInput(facts: SignedFacts, issuer: string, kid: string): string {
  const header = { alg: 'ES256', typ: LICENSE_TYP, kid }
  return `${encode(header)}.${encode(licenseClaims(inOrder(facts), issuer))}`
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

// DynamoDB does not keep the order of a map's keys. Objects are sorted, lists stay as they are.
function inOrder(facts: SignedFacts): SignedFacts {
  return SignedFacts.parse(sorted(facts))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, sorted(part)]),
  )
}

/** Characters of a compact JWS: what a reader of files has to be ready for. */
const LARGEST_JWS = 64 * 1024
/** Bytes of facts; base64url makes four characters of three, and later revisions add a little (a suspension). */
const LARGEST_FACTS = 46_000

/** Refuses a license that its file could not hold. */
export function checkFits(license: SignedFacts): Refusal | undefined {
  const size = Buffer.byteLength(JSON.stringify(signedFacts(license)))
  if (size <= LARGEST_FACTS) return undefined
  return refuse(
    'LICENSE_MISMATCH',
    `Limits, features and rules make ${size} bytes; a license file holds ${LARGEST_FACTS}.`,
  )
}

/** The signed document wrapped for people, e-mail and upload; only `license` counts, the rest repeats it. */
export const LicenseFile = z
  .strictObject({
    format: z.literal('latchkey-license-file/1'),
    issuer: z.string(),
    licenseId: z.string(),
    revision: z.int(),
    product: z.string(),
    customer: z.string(),
    type: z.string(),
    validFrom: Instant,
    expiresAt: Instant.nullable(),
    /** Compact JWS (RFC 7515). */
    license: z.string().max(LARGEST_JWS),
  })
  .meta({ id: 'LicenseFile' })
export type LicenseFile = z.infer<typeof LicenseFile>

export function licenseFile(facts: SignedFacts, issuer: string, jws: string): LicenseFile {
  return {
    format: 'latchkey-license-file/1',
    issuer,
    licenseId: facts.id,
    revision: facts.revision,
    product: facts.productCode,
    customer: facts.customer.name,
    type: facts.type,
    validFrom: facts.validFrom,
    expiresAt: facts.expiresAt ?? null,
    license: jws,
  }
}

/** Why a file is none of ours: not a license file, changed, or another issuer's. */
export type FileFault = 'malformed' | 'forged' | 'foreign'

/**
 * What was handed over as a license file: its JSON, its JSON as text, or the bare JWS. `wrapper` is there if the JSON
 * form was; what it repeats must agree with what is signed.
 */
export function readLicenseFile(input: unknown): { jws: string; wrapper?: LicenseFile } | undefined {
  if (typeof input === 'string') {
    const text = input.trim()
    if (!text.startsWith('{')) return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? { jws: text } : undefined
    try {
      return readLicenseFile(JSON.parse(text))
    } catch {
      return undefined
    }
  }
  const wrapper = LicenseFile.safeParse(input)
  return wrapper.success ? { jws: wrapper.data.license, wrapper: wrapper.data } : undefined
}

/** Does the readable part of a file repeat exactly what was signed? */
export function agrees(wrapper: LicenseFile, claims: LicenseClaims): boolean {
  return isSame(licenseFile(claims.license, claims.iss, wrapper.license), wrapper)
}
