import type { EventDraft } from '../../shared/domain/event.ts'
import { standings } from '../../shared/domain/holdings.ts'
import type { Holder } from '../../shared/domain/lease-last.ts'
import type { License } from '../../shared/domain/license.ts'
import { placeOf, visitOf } from '../../shared/domain/place.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import type { LicenseId } from '../../shared/platform/ids.ts'
import { dayOf } from '../../shared/platform/time.ts'
import type { Action } from '../../shared/store/transact.ts'
import { admit, noteOf, type PlacedRequest, type SeenPlace, sightingsIn } from '../places.ts'
import type { Grounds } from './grounds.ts'
import { sizeOf } from './plan.ts'
import type { LeaseServices } from './services.ts'
import type { Deciding, Step } from './settle.ts'

/** Where a lease is to be used, and by whom, as the caller says. */
export type Somewhere = {
  readonly country?: string | undefined
  readonly holder?: Holder | undefined
  /** Of the machine that borrows. */
  readonly fingerprint?: string | undefined
}

/**
 * The same decision, but only where the licenses may be used: that of the key that asks, else any of those behind each
 * pool. Inside, and where no license is limited to countries, it costs nothing. A day of travel is noted in the
 * transaction of the grant, so that what is refused uses none.
 */
export async function placed<Reply>(
  call: PlacedRequest,
  { country, holder = {}, fingerprint }: Somewhere,
  services: LeaseServices,
  deciding: Deciding<Reply>,
): Promise<Deciding<Reply>> {
  const { caller, now } = call
  const { tenantId, productId, metrics } = deciding
  const { licenses: held } = (await services.remembered.get(tenantId, productId, now)).holdings
  const isLimited = held.some(({ rules }) => rules.countries !== undefined)
  const sightings = isLimited ? await sightingsIn(call, country, services) : []
  const machine = fingerprint ?? holder.machine
  const named = { userId: holder.userId, ...(machine !== undefined && { machine: [{ value: machine }] }) }

  return {
    ...deciding,
    blind: (grounds) =>
      metrics.every((metric) => licensesOf(grounds, metric).some(coversIt))
        ? deciding.blind(grounds)
        : undefined,
    async decide(grounds, pools) {
      const seen = new Map<LicenseId, SeenPlace>()
      for (const metric of metrics) {
        const one = await admit(call, licensesOf(grounds, metric), country, named, services)
        if (isRefusal(one)) return one
        if (one !== undefined) seen.set(one.license.id, one)
      }
      return withNotes(await deciding.decide(grounds, pools), [...seen.values()])
    },
  }

  /** Those of which one has to cover the place; none where nothing is in force, which is refused for that. */
  function licensesOf(grounds: Grounds, metric: string): readonly License[] {
    if (caller.kind !== 'license') return sizeOf(grounds, metric, now, services).licenses
    const own = standings(grounds.holdings, now, services.verifier.isGenuine).get(caller.licenseId)
    return own?.counts ? [own.license] : []
  }

  /** Decided without looking at what was noted. */
  function coversIt({ rules: { countries }, timeZone }: License): boolean {
    if (countries === undefined) return true
    const place = placeOf(countries, sightings, [], dayOf(now, timeZone))
    return !place.refused && visitOf(place) === undefined
  }
}

/** A grant with what has to be noted of where it is used; what only makes way, or was held before, uses no day. */
function withNotes<Reply>(step: Step<Reply> | Refusal, seen: readonly SeenPlace[]): Step<Reply> | Refusal {
  if (isRefusal(step) || 'again' in step || step.changes.size === 0) return step
  const beside: Record<string, Action> = { ...step.beside }
  const events: EventDraft[] = [...(step.events ?? [])]
  for (const one of seen) {
    const note = noteOf(one)
    if (note.writes.place) beside[`place ${one.license.id}`] = note.writes.place
    events.push(...note.events)
  }
  return { ...step, beside, events }
}
