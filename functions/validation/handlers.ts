import { type Caller, seesTenant } from '../../shared/domain/access.ts'
import { type Holdings, type Standing, standings } from '../../shared/domain/holdings.ts'
import type { License, LicenseAddress } from '../../shared/domain/license.ts'
import type { FileFault } from '../../shared/domain/license-file.ts'
import type { Question } from '../../shared/domain/question.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { AskedSeat } from '../../shared/domain/seat-findings.ts'
import { isNamed } from '../../shared/domain/seat-terms.ts'
import { judge, type Pace, rejectedFile, unknownLicense, type Verdict } from '../../shared/domain/verdict.ts'
import type { AskedVersion } from '../../shared/domain/version-findings.ts'
import { limitsVersions } from '../../shared/domain/versions.ts'
import type { Call, Handlers } from '../../shared/platform/http/contract.ts'
import type { LicenseId } from '../../shared/platform/ids.ts'
import { Remembered } from '../../shared/platform/remembered.ts'
import type { SessionKeys } from '../../shared/platform/signing/session-keys.ts'
import { signVerdict } from '../../shared/platform/signing/verdict-signer.ts'
import { HOUR } from '../../shared/platform/time.ts'
import { findLicense } from '../../shared/store/address.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { readRelease } from '../../shared/store/release.ts'
import { readSeatHolder } from '../../shared/store/seat-holder.ts'
import type { Table } from '../../shared/store/transact.ts'
import { note, type PlaceServices, seePlace, sightingsIn, visitorOf } from '../places.ts'
import { untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { askedMachine, partsOf } from './asked-machine.ts'
import type { validationRoutes } from './routes.ts'

export type ValidationServices = VerifyingServices & PlaceServices & { readonly sessionKeys: SessionKeys }
type ValidateCall = Call<(typeof validationRoutes)['validateLicense']>

/** The license that is asked about. A key or file names a revision of it that may be over. */
type Asked = LicenseAddress & { keyHash?: string; fileRevision?: number }

/** Roles that may ask about a license by its id. */
const READERS: ReadonlySet<string> = new Set(['tenant:admin', 'org:admin', 'tenant:reporter', 'tenant:app'])

// An id's address never changes, so a warm function needs no second read.
const addresses = new Remembered<LicenseId, LicenseAddress>(50_000)

export const validationHandlers: Handlers<typeof validationRoutes, ValidationServices> = {
  async validateLicense(call, services) {
    const pace: Pace = { interval: HOUR, jitter: Math.random() }
    const asked = await identify(call, services)
    if (isRefusal(asked)) return asked
    const verdict = await decide(asked, call, services, pace)
    if (isRefusal(verdict)) return verdict
    const { nonce } = call.body
    if (nonce === undefined) return verdict
    return { ...verdict, signed: await signVerdict(verdict, nonce, services.issuer, services.sessionKeys) }
  },
}

/** Steady state: one strongly consistent read, and one where a person is named; no write, no KMS. */
async function decide(
  asked: Asked | { fault: FileFault } | undefined,
  call: ValidateCall,
  services: ValidationServices,
  pace: Pace,
): Promise<Verdict | Refusal> {
  const { body, now } = call
  const { table, verifier } = services
  if (asked === undefined) return unknownLicense(now, pace)
  if ('fault' in asked) return rejectedFile(asked.fault, now, pace)
  const holdings = await readHoldings(table, asked.tenantId, asked.productId)
  const all = standings(holdings, now, verifier.isGenuine)
  const standing = all.get(asked.licenseId)
  const isOldKey = asked.keyHash !== undefined && asked.keyHash !== standing?.license.keyHash
  if (standing === undefined || isOldKey) return unknownLicense(now, pace)
  const { product, fingerprint, userId, email, organization, features } = body
  const version = await askedVersion(standing.license, body.version, table)
  const machine = await askedMachine(standing, holdings, body, now, services)
  const seat = await askedSeat(standing, all.values(), holdings, userId, table)
  const question: Question = {
    ...{ product, fingerprint, userId, email, organization, features },
    ...{ version, machine, seat, fileRevision: asked.fileRevision },
  }
  if (standing.license.rules.countries === undefined)
    return judge(standing, all, holdings, question, now, pace)

  const sightings = await sightingsIn(call, body.country, services)
  const who = { userId, activation: machine?.activation, machine: partsOf(body) }
  const visitor = () => visitorOf(who, standing.license, services.secrets)
  return untilFresh(async () => {
    const seen = await seePlace(standing.license, sightings, visitor, now, table)
    const verdict = judge(standing, all, holdings, { ...question, place: seen?.place }, now, pace)
    // A day of travel is used by what is valid; other use from outside is evidence whatever else is the matter.
    const isToNote = standing.counts && (verdict.valid || seen?.place.verdict === 'outside')
    return (seen && isToNote && (await note(call, seen, services))) || verdict
  })
}

/** The release behind a version is read only where the license limits versions. */
async function askedVersion(
  license: License,
  version: string | undefined,
  table: Table,
): Promise<AskedVersion | undefined> {
  if (version === undefined || !limitsVersions(license)) return undefined
  return { version, release: await readRelease(table, license.productId, version) }
}

/** The seat of who asks is read only where somebody is named to a license for named users, and seats are managed here. */
async function askedSeat(
  standing: Standing,
  all: Iterable<Standing>,
  { tenantId, productId, managedSeats = [] }: Holdings,
  userId: string | undefined,
  table: Table,
): Promise<AskedSeat | undefined> {
  if (userId === undefined || managedSeats.length === 0 || !isNamed(standing)) return undefined
  const isManaged = ({ license }: Standing) =>
    managedSeats.some((metric) => Object.hasOwn(license.limits, metric))
  if (![...all].some((one) => isNamed(one) && isManaged(one))) return undefined
  return readSeatHolder(table, { tenantId, productId }, userId)
}

async function identify(
  call: ValidateCall,
  services: ValidationServices,
): Promise<Asked | { fault: FileFault } | undefined | Refusal> {
  const { key = call.licenseKey, licenseId, file } = call.body
  if (licenseId !== undefined) return byId(licenseId, call.caller, services)
  if (file !== undefined) return byFile(file, services)
  if (key !== undefined) return byKey(key, call, services)
  return refuse('INVALID_REQUEST', 'Name the license.', {
    errors: [{ field: '/body/key', message: 'send key, licenseId, file or Authorization: License <key>' }],
  })
}

async function byKey(
  text: string,
  { address, body, now }: ValidateCall,
  { keys, guard }: ValidationServices,
): Promise<Asked | undefined | Refusal> {
  const attempt = { address, product: body.product }
  if (keys.remembered(text) === undefined) {
    const refused = guard.refused(attempt, now)
    if (refused) return refused
  }
  const located = await keys.locate(text)
  if (typeof located !== 'string') return located
  await guard.failed(attempt, located, now)
  return undefined
}

async function byId(
  id: LicenseId,
  caller: Caller,
  { table }: ValidationServices,
): Promise<Asked | undefined | Refusal> {
  if (caller.kind === 'anonymous')
    return refuse('UNAUTHENTICATED', 'A license id is no credential; send a token, or the license key.')
  if (caller.kind === 'license' || (caller.kind === 'tenant' && !READERS.has(caller.role))) {
    return refuse('FORBIDDEN', `Validating by id needs a vendor role, ${[...READERS].join(', ')}.`)
  }
  const address = addresses.get(id) ?? (await findLicense(table, id))
  if (address === undefined || !seesTenant(caller, address.tenantId)) return undefined
  addresses.set(id, address)
  return address
}

async function byFile(
  file: unknown,
  { verifier }: ValidationServices,
): Promise<Asked | { fault: FileFault }> {
  const opened = await verifier.open(file)
  if ('fault' in opened) return opened
  const { tenantId, productId, id, revision } = opened.claims.license
  return { tenantId, productId, licenseId: id, fileRevision: revision }
}
