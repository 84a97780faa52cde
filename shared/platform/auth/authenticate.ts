import { timingSafeEqual } from 'node:crypto'
import type { Caller } from '../../domain/access.ts'
import { TenantRole, VendorRole } from '../../domain/access.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import { isLive, type Token } from '../../domain/token.ts'
import type { TokenId } from '../ids.ts'
import { Remembered } from '../remembered.ts'
import { HOUR, type Instant, plusMilliseconds } from '../time.ts'
import type { FailureGuard } from './failures.ts'
import type { KeyLocator, LocatedKey } from './license-keys.ts'
import type { OidcVerifier } from './oidc.ts'
import { parseToken } from './token-format.ts'

/** What authentication needs of the store and of the function's secrets. */
export type Credentials = {
  readonly readToken: (id: TokenId) => Promise<Token | undefined>
  readonly touchToken: (id: TokenId, now: Instant) => Promise<void>
  readonly tokenHash: (secret: string) => string
  readonly staffAlias: (subject: string) => string
  readonly keys: KeyLocator
  /** Is it the license's key now? Reads the license. */
  readonly isCurrentKey: (key: LocatedKey) => Promise<boolean>
  readonly oidc: OidcVerifier
  readonly guard: FailureGuard
}

export type Authenticate = (header: string, address: string, now: Instant) => Promise<Caller | Refusal>

/** Who stands behind an Authorization header: a token, an OIDC identity or a license key. */
export function authenticator(credentials: Credentials): Authenticate {
  const { guard } = credentials
  const good = new Remembered<string, boolean>(10_000)
  return async (header, address, now) => {
    const [, scheme = '', credential = ''] = /^(\w+) +(\S+) *$/.exec(header) ?? []
    const blocked = good.get(header) !== true && guard.refused({ address }, now)
    if (blocked) return blocked
    const found = await identify(credentials, scheme.toLowerCase(), credential, now)
    if (typeof found === 'object') {
      good.set(header, true)
      return found.kind === 'vendor' ? { ...found, alias: credentials.staffAlias(found.subject) } : found
    }
    if (good.get(header) === true) good.set(header, false)
    await guard.failed({ address }, found, now)
    return refuse('UNAUTHENTICATED', 'The credential does not exist, was revoked or has expired.')
  }
}

type Unidentified = 'malformed' | 'unknown'

async function identify(
  credentials: Credentials,
  scheme: string,
  credential: string,
  now: Instant,
): Promise<Caller | Unidentified> {
  if (scheme === 'license') return byLicenseKey(credentials, credential)
  if (scheme !== 'bearer') return 'malformed'
  if (credential.startsWith('lk_')) return byToken(credentials, credential, now)
  return (await credentials.oidc(credential, now)) ?? 'malformed'
}

async function byToken(credentials: Credentials, text: string, now: Instant): Promise<Caller | Unidentified> {
  const parsed = parseToken(text)
  if (parsed === undefined) return 'malformed'
  const token = await credentials.readToken(parsed.id)
  if (
    token === undefined ||
    !equal(token.secretHash, credentials.tokenHash(parsed.secret)) ||
    !isLive(token, now)
  ) {
    return 'unknown'
  }
  if (token.lastUsedAt === undefined || token.lastUsedAt < plusMilliseconds(now, -HOUR)) {
    await credentials.touchToken(token.id, now)
  }
  return callerOf(token)
}

function callerOf({ id, role, tenantId, organizationId, scopes }: Token): Caller {
  const common = { subject: id, ...(scopes && { scopes }) }
  return tenantId === undefined
    ? { kind: 'vendor', role: VendorRole.parse(role), ...common }
    : {
        kind: 'tenant',
        role: TenantRole.parse(role),
        tenantId,
        ...(organizationId && { organizationId }),
        ...common,
      }
}

async function byLicenseKey(credentials: Credentials, text: string): Promise<Caller | Unidentified> {
  const key = await credentials.keys.locate(text)
  if (typeof key === 'string') return key
  if (!(await credentials.isCurrentKey(key))) return 'unknown'
  const { tenantId, productId, licenseId } = key
  return { kind: 'license', tenantId, productId, licenseId, subject: licenseId }
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
