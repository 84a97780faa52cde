import { createHash } from 'node:crypto'
import type { Caller } from '../shared/domain/access.ts'
import { type Activation, hashesOf } from '../shared/domain/activation.ts'
import type { EventDraft } from '../shared/domain/event.ts'
import type { Component } from '../shared/domain/fingerprint.ts'
import type { License } from '../shared/domain/license.ts'
import { type Place, placeOf, visitOf } from '../shared/domain/place.ts'
import { placeFindings } from '../shared/domain/place-findings.ts'
import { isRefusal, type Refusal, refuse } from '../shared/domain/refusal.ts'
import { type Sighting, sightingsOf } from '../shared/domain/sighting.ts'
import { type Visit, type Visitor, type Visits, withVisit } from '../shared/domain/visits.ts'
import type { CountryOf } from '../shared/platform/places/country-module.ts'
import { dayOf, type Instant } from '../shared/platform/time.ts'
import type { Action, Table } from '../shared/store/transact.ts'
import { putVisits, readVisits } from '../shared/store/visits.ts'
import { hashedComponents } from './fingerprint-hash.ts'
import type { CommitRequest, Services } from './services.ts'
import { outdated, untilFresh } from './until-fresh.ts'

/** Services of contexts that look at places. */
export type PlaceServices = Services & { readonly countryOf: CountryOf }

/** What a request shows of its country besides what it says. */
export type Whence = {
  /** Network address of the caller as API Gateway saw it. */
  readonly address?: string | undefined
  readonly edgeCountry?: string | undefined
}

/** What is known of the country of a request. A database is asked only of a request that the edge did not pass on. */
export async function sightingsIn(
  { caller, requestId, address, edgeCountry }: Pick<CommitRequest, 'caller' | 'requestId'> & Whence,
  declared: string | undefined,
  { countryOf }: Pick<PlaceServices, 'countryOf'>,
): Promise<Sighting[]> {
  // What comes through the edge has the edge's own address.
  const isDirect = edgeCountry === undefined && address !== undefined
  const ip = isDirect ? await countryOf(address, requestId) : undefined
  return sightingsOf({ edge: edgeCountry, ip, declared, relayed: isRelay(caller) })
}

/** A token is a back end's or a person's; a key or file is presented by the application itself. */
const isRelay = ({ kind }: Caller) => kind === 'tenant' || kind === 'vendor'

/** Who is named of those who use a license: the user, else the machine. */
export type Named = {
  readonly userId?: string | undefined
  /** By its activation, where it has one: other components of it may be sent each time. */
  readonly activation?: Pick<Activation, 'components'> | undefined
  readonly machine?: readonly Component[] | undefined
}

/** For whom days outside are counted. A machine is known by a keyed hash of its components. */
export function visitorOf(
  { userId, activation, machine = [] }: Named,
  { id, tenantId }: License,
  secrets: Services['secrets'],
): Visitor {
  if (userId) return { type: 'user', id: userId }
  const components = activation?.components ?? hashedComponents(machine, tenantId, secrets)
  if (components.length === 0) return { type: 'license', id }
  const text = hashesOf({ components }).toSorted().join(' ')
  return { type: 'machine', id: createHash('sha256').update(text).digest('base64url').slice(0, 22) }
}

/** A place as a license sees it, and the row in which it is to be noted, if it is new. */
export type SeenPlace = { readonly license: License; readonly place: Place; readonly noted?: Visits }

/** Looks at a place by the rule of a license. One row is read, and only of a place outside. */
export async function seePlace(
  license: License,
  sightings: readonly Sighting[],
  visitor: () => Visitor,
  now: Instant,
  table: Table,
): Promise<SeenPlace | undefined> {
  const { id: licenseId, tenantId, productId, rules, timeZone } = license
  const rule = rules.countries
  if (rule === undefined) return undefined
  const today = dayOf(now, timeZone)
  const atFirst = placeOf(rule, sightings, [], today)
  if (visitOf(atFirst) === undefined) return { license, place: atFirst }
  const whose = { licenseId, productId, visitor: visitor() }
  const before = await readVisits(table, tenantId, whose)
  const known: readonly Visit[] = before?.visits ?? []
  const place = placeOf(rule, sightings, known, today)
  const visit = visitOf(place)
  const visits = visit && withVisit(rule, known, visit)
  if (visits === undefined) return { license, place }
  return { license, place, noted: { ...whose, visits, version: (before?.version ?? 0) + 1 } }
}

/** The write that notes a place and the event that tells of it; nothing where it is noted already. */
export function noteOf(seen: SeenPlace | undefined): {
  writes: Readonly<{ place?: Action }>
  events: readonly EventDraft[]
} {
  const visit = seen && visitOf(seen.place)
  if (seen?.noted === undefined || visit === undefined) return { writes: {}, events: [] }
  const { license, noted } = seen
  const { id, tenantId, rules } = license
  const event: EventDraft = {
    type: visit.verdict === 'travel' ? 'license.travel-day-used' : 'license.seen-outside',
    tenantId,
    subject: { type: 'license', id },
    after: { ...visit, visitor: noted.visitor },
  }
  return { writes: { place: putVisits(tenantId, noted, rules.countries ?? {}) }, events: [event] }
}

/** Notes a place by itself; REVISION_OUTDATED if something else was noted since it was looked at. */
export async function note(
  call: CommitRequest,
  seen: SeenPlace,
  { commit }: Pick<Services, 'commit'>,
): Promise<Refusal | undefined> {
  const { writes, events } = noteOf(seen)
  if (events.length === 0) return undefined
  const { id: licenseId, tenantId, productId } = seen.license
  const caller: Caller =
    call.caller.kind === 'anonymous'
      ? { kind: 'license', tenantId, productId, licenseId, subject: licenseId }
      : call.caller
  // The reply to the request is not this write's.
  const request = { ...call, caller, idempotencyKey: undefined }
  const done = await commit(request, { writes, events, reply: undefined, refusals: { place: outdated } })
  return isRefusal(done) ? done : undefined
}

export type PlacedRequest = CommitRequest & Whence

/**
 * May one of these licenses be used from here? Any that covers the place will do; travel is used up only where none
 * does without it. The refusal is that of the first, and is noted.
 *
 * @returns what has to be noted in the transaction of the grant, if anything
 */
export function admit(
  call: PlacedRequest,
  licenses: readonly License[],
  declared: string | undefined,
  named: Named,
  services: PlaceServices,
): Promise<SeenPlace | undefined | Refusal> {
  if (licenses.some(({ rules }) => rules.countries === undefined)) return Promise.resolve(undefined)
  return untilFresh(async () => {
    const { best, first } = await lookAround(call, licenses, declared, named, services)
    if (best !== undefined || first === undefined) return best
    return (await note(call, first, services)) ?? refusalOf(first)
  })
}

type AskedFrom = Pick<CommitRequest, 'caller' | 'requestId' | 'now'> & Whence

/** Why none of these licenses may be used from here, as `admit` would refuse it; it notes nothing. */
export async function refusedHere(
  call: AskedFrom,
  licenses: readonly License[],
  declared: string | undefined,
  named: Named,
  services: Pick<PlaceServices, 'countryOf' | 'secrets' | 'table'>,
): Promise<Refusal | undefined> {
  if (licenses.length === 0 || licenses.some(({ rules }) => rules.countries === undefined)) return undefined
  const { best, first } = await lookAround(call, licenses, declared, named, services)
  return best === undefined && first !== undefined ? refusalOf(first) : undefined
}

/** What each license sees of where it is asked from: the first of all, and the best that admits it. */
async function lookAround(
  call: AskedFrom,
  licenses: readonly License[],
  declared: string | undefined,
  named: Named,
  services: Pick<PlaceServices, 'countryOf' | 'secrets' | 'table'>,
): Promise<{ best: SeenPlace | undefined; first: SeenPlace | undefined }> {
  const sightings = await sightingsIn(call, declared, services)
  const seen: SeenPlace[] = []
  for (const license of licenses) {
    const visitor = () => visitorOf(named, license, services.secrets)
    const one = await seePlace(license, sightings, visitor, call.now, services.table)
    if (one !== undefined) seen.push(one)
  }
  const admitted = seen.filter(({ place }) => !place.refused)
  return { best: admitted.find(({ noted }) => noted === undefined) ?? admitted[0], first: seen[0] }
}

/** The refusal that a place comes to where something is to be granted. */
function refusalOf({ license: { rules }, place }: SeenPlace): Refusal {
  const [found] = placeFindings(rules.countries ?? {}, place)
  if (found === undefined) throw new Error('a place that is refused has a finding')
  switch (found.code) {
    case 'COUNTRY_REQUIRED':
      return refuse('COUNTRY_REQUIRED', found.detail, {
        errors: [{ field: '/body/country', message: 'is required' }],
      })
    case 'TRAVEL_EXHAUSTED':
      return refuse('TRAVEL_EXHAUSTED', `${found.detail} ${found.cure}`)
    default:
      return refuse('COUNTRY_NOT_ALLOWED', `${found.detail} ${found.cure}`)
  }
}
