import assert from 'node:assert/strict'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type * as z from 'zod'
import { accessRoutes } from '../../../functions/access/routes.ts'
import { installsRoutes } from '../../../functions/installs/routes.ts'
import { tenantsRoutes } from '../../../functions/tenants/routes.ts'
import { trustRoutes } from '../../../functions/trust/routes.ts'
import { LICENSE_TYP, LicenseClaims, type LicenseFile } from '../../../shared/domain/license-file.ts'
import type { TenantId } from '../../../shared/platform/ids.ts'
import { day, expectVerdict, type Issued, type People, PRODUCT, showOverview, type Tale } from './tale.ts'

/** The public keys, as an application is shipped with them. */
type Jwks = z.infer<typeof trustRoutes.getJwks.success.body>

export async function verifyOffline(
  { client, narrator, issuer }: Tale,
  { license }: Issued,
  { tom }: People,
): Promise<{ file: LicenseFile; jwks: Jwks }> {
  narrator.chapter('Its newest file, verified offline by jose with a pinned copy of the public keys')
  const file = await client.ask(installsRoutes.getLicenseFile, tom, { params: { licenseId: license.id } })
  const jwks = await client.ask(trustRoutes.getJwks, undefined)
  // From here on the service is not asked.
  const { claims, kid } = await openOffline(file.license, jwks, issuer)
  assert.equal(claims.sub, license.id)
  assert.equal(claims.license.revision, 3, 'issued, suspended, reinstated')
  assert.equal(claims.license.limits['users'], 100)
  narrator.say(
    'signature',
    `ES256 by key ${kid.slice(0, 12)}…, one of ${jwks.keys.length} that are published`,
  )
  narrator.say('issuer', claims.iss)
  narrator.say('license', `${claims.sub}, revision ${claims.license.revision}, for ${claims.aud}`)
  narrator.say('limits', JSON.stringify(claims.license.limits))
  narrator.say('in force', `${day(claims.license.validFrom)} to ${day(claims.license.expiresAt)}`)
  return { file, jwks }
}

export async function forge(
  { client, narrator, issuer }: Tale,
  { file, jwks }: { file: LicenseFile; jwks: Jwks },
  tenantId: TenantId,
  { tom }: People,
): Promise<void> {
  narrator.chapter('One byte of the file is changed: 100 users become 900')
  const forged = { ...file, license: withOneByteChanged(file.license) }
  const { status, body } = await client.send(installsRoutes.uploadLicense, tom, {
    params: { tenantId },
    body: { file: forged },
  })
  assert.partialDeepStrictEqual({ status, body }, { status: 422, body: { code: 'FILE_FORGED' } })
  narrator.outcome('FILE_FORGED', 'the upload is refused', 'bad')
  const code = 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'
  await assert.rejects(openOffline(forged.license, jwks, issuer), { code })
  narrator.say('offline', `jose says ${code}`)
}

export async function tamper(tale: Tale, active: Issued, people: People): Promise<void> {
  const { client, narrator } = tale
  const { id, tenantId } = active.license
  const refresh = async () => {
    const { changes } = await client.ask(installsRoutes.refreshInstalls, people.tom, { params: { tenantId } })
    return changes.map(({ licenseId, before, after }) => ({ licenseId, before, after }))
  }
  narrator.chapter("A row is changed behind the API's back: limits.users 100 → 1000, straight in DynamoDB")
  await tale.tamper(active.license, 1000)
  await expectVerdict(tale, active, 'TAMPERED', 'the row is not what was signed')
  const { users } = await showOverview(tale, tenantId, people)
  assert.deepEqual(users, { active: 63, capacity: 10, remaining: 0, utilization: 630 })
  assert.deepEqual(await refresh(), [{ licenseId: id, before: 'ACTIVE', after: 'TAMPERED' }])
  narrator.say('refresh', 'reports it once, and the audit log has it')
  await tale.tamper(active.license, 100)
  await expectVerdict(tale, active, 'VALID', 'the row is put back as it was')
  assert.deepEqual(await refresh(), [{ licenseId: id, before: 'TAMPERED', after: 'ACTIVE' }])
}

/** What the story leaves in the tenant's log. */
const EVENTS = [
  ...['tenant.created', 'token.created'],
  ...['license.issued', 'license-key.generated'],
  ...['license.issued', 'license-key.generated'],
  ...['license.applied', 'usage.recorded', 'license.suspended', 'license.reinstated'],
  ...['license.tampered', 'license.status-changed'],
]

export async function audit(
  { client, narrator }: Tale,
  tenantId: TenantId,
  { vendor, tom }: People,
): Promise<void> {
  narrator.chapter('Who did what: the audit log of the tenant')
  const tokens = await client.ask(accessRoutes.listTokens, vendor)
  const names = new Map<string, string>(tokens.items.map(({ id, alias, name }) => [alias ?? id, name]))
  const { items } = await client.ask(tenantsRoutes.listEvents, tom, {
    params: { tenantId },
    query: { order: 'oldest' },
  })
  for (const { at, type, actor, reason } of items) {
    const who = names.get(actor.subject) ?? 'the application'
    const detail = `${who} (${actor.role ?? 'license key'})${reason ? `: ${reason}` : ''}`
    narrator.say(at.slice(11, 19), `${type.padEnd(23)} ${detail}`)
  }
  // A job may have published a checkpoint meanwhile.
  const told = items.filter(({ actor }) => actor.kind !== 'system').map(({ type }) => type)
  // Events of one transaction have the same instant, and no order among themselves.
  assert.deepEqual(told.toSorted(), EVENTS.toSorted())
}

/** What an application without a network does, with any JOSE library. */
async function openOffline(
  jws: string,
  jwks: Jwks,
  issuer: string,
): Promise<{ claims: LicenseClaims; kid: string }> {
  const { payload, protectedHeader } = await jwtVerify(jws, createLocalJWKSet(jwks), {
    issuer,
    audience: PRODUCT,
    typ: LICENSE_TYP,
    algorithms: ['ES256'],
  })
  return { claims: LicenseClaims.parse(payload), kid: protectedHeader.kid ?? '' }
}

function withOneByteChanged(jws: string): string {
  const [header, payload = '', signature] = jws.split('.')
  const claims = Buffer.from(payload, 'base64url').toString()
  const changed = claims.replace('"users":100', '"users":900')
  assert.notEqual(changed, claims)
  return [header, Buffer.from(changed).toString('base64url'), signature].join('.')
}
