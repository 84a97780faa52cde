import type { Module, ModuleSeat, Product } from './catalog.ts'
import { isQueued, type Pending, type PendingReason, type Seat } from './seat.ts'

/** A module that has seats. */
export type Seated = Module & { readonly seat: ModuleSeat }
export const isSeated = (module: Module): module is Seated => module.seat !== undefined

/** What a person should have of a product, and what is missing. */
type Target = {
  readonly seats: readonly Pick<Seat, 'metric' | 'modules' | 'sources'>[]
  readonly missing: readonly Omit<Pending, 'productId' | 'since'>[]
}

/** Can the person have a seat of the metric: a free one that is not somebody else's turn, or why not? */
export type Ask = (
  metric: string,
) => 'free' | Extract<PendingReason, 'NO_CAPACITY' | 'NOT_LICENSED' | 'NOT_ALLOWED_HERE'>

/**
 * The seats of one product for one person, from the modules it needs. What is held stays where it still serves: nobody
 * who has a seat of each is moved to a combined one or back. Of modules that exclude each other the one that is held
 * wins, then the one that is declared first. Who needs all that a combined module combines takes its seat if one is
 * free, else one of each; as long as one of those is missing, it waits for a combined one as well.
 *
 * @param needed the sources of each needed module
 * @param held metrics of which the person has a seat that it may keep
 */
export function targetOf(
  { modules }: Pick<Product, 'modules'>,
  needed: ReadonlyMap<string, readonly string[]>,
  held: ReadonlySet<string>,
  ask: Ask,
): Target {
  const all = modules.filter(isSeated)
  const byCode = new Map(all.map((one) => [one.code, one]))
  const combined = all.filter(({ seat }) => seat.combines !== undefined)
  const coveredBy = (one: Seated) => [one.code, ...(one.seat.combines ?? [])]
  const isHeld = (one: Seated) =>
    held.has(one.seat.metric) ||
    combined.some((other) => held.has(other.seat.metric) && other.seat.combines?.includes(one.code))

  const missing = new Map<string, Missing>()
  const accepted: Seated[] = []
  for (const one of all.filter(({ code }) => needed.has(code)).toSorted((a, b) => +isHeld(b) - +isHeld(a))) {
    const other = accepted.find((before) => exclude(before, one))
    if (other === undefined) accepted.push(one)
    else miss(one, 'MUTUALLY_EXCLUSIVE', other.code)
  }
  const wanted = new Set(accepted.map(({ code }) => code))

  const taken = new Map<string, Set<string>>()
  const covered = new Set<string>()
  const insteads: Seated[] = []
  for (const one of combined) {
    const parts = one.seat.combines ?? []
    const own = wanted.has(one.code)
    const apart = parts.flatMap((code) => (wanted.has(code) ? (byCode.get(code) ?? []) : []))
    const isWhole = apart.length === parts.length
    if (!own && !isWhole) {
      // Who needs but a part from now on changes over to a seat of that, if there is one, and else loses nothing.
      const isStuck = apart.some(({ seat }) => !held.has(seat.metric) && ask(seat.metric) !== 'free')
      if (held.has(one.seat.metric) && isStuck) take(one)
      continue
    }
    if (held.has(one.seat.metric)) take(one)
    else if (own) continue
    else if (apart.every(({ seat }) => held.has(seat.metric))) continue
    else if (ask(one.seat.metric) === 'free') take(one)
    else insteads.push(one)
  }
  // A module comes after those it requires, in however many rounds that takes; a combined one before its parts, which
  // need no seat beside its own.
  let rest = accepted.toSorted((a, b) => +combined.includes(b) - +combined.includes(a))
  for (let before = -1; before !== rest.length; ) {
    before = rest.length
    rest = rest.filter((one) => {
      if (covered.has(one.code)) return false
      if (one.seat.requires?.some((code) => !covered.has(code))) return true
      const { metric } = one.seat
      const answer = held.has(metric) || taken.has(metric) ? 'free' : ask(metric)
      if (answer === 'free') take(one)
      else miss(one, answer)
      return false
    })
  }
  for (const one of rest)
    miss(
      one,
      'MISSING_DEPENDENCY',
      one.seat.requires?.find((code) => !covered.has(code)),
    )
  for (const one of insteads) {
    const answer = ask(one.seat.metric)
    const lacks = one.seat.combines?.some((code) => [...missing.values()].some((gap) => gap.waits(code)))
    if (lacks && answer === 'NO_CAPACITY') miss(one, answer, undefined, true)
  }

  return {
    seats: [...taken].map(([metric, codes]) => ({
      metric,
      modules: [...codes].toSorted(),
      sources: sourcesOf(codes),
    })),
    missing: [...missing].map(([metric, { reason, because, instead, modules: codes }]) => ({
      metric,
      modules: [...codes].toSorted(),
      sources: sourcesOf(instead ? flatParts(codes) : codes),
      reason,
      ...(because && { because }),
      ...(instead && { instead }),
    })),
  }

  function take(one: Seated): void {
    const codes = taken.get(one.seat.metric) ?? new Set()
    taken.set(one.seat.metric, codes)
    for (const code of coveredBy(one)) covered.add(code)
    for (const code of coveredBy(one)) if (wanted.has(code) || code === one.code) codes.add(code)
  }

  function miss(one: Seated, reason: PendingReason, because?: string, instead?: true): void {
    const { metric } = one.seat
    const before = missing.get(metric)
    // One row per pool: what waits for a place says more than what waits for the person.
    const told = before !== undefined && isQueued(before) ? before : { reason, because, instead }
    const codes = new Set([...(before?.modules ?? []), one.code])
    missing.set(metric, {
      reason: told.reason,
      because: told.because,
      instead: told.instead,
      modules: codes,
      waits: (code) => codes.has(code) && isQueued(told),
    })
  }

  function flatParts(codes: ReadonlySet<string>): Set<string> {
    return new Set([...codes].flatMap((code) => byCode.get(code)?.seat.combines ?? []))
  }

  function sourcesOf(codes: ReadonlySet<string>): string[] {
    return [...new Set([...codes].flatMap((code) => needed.get(code) ?? []))].toSorted()
  }
}

type Missing = {
  readonly reason: PendingReason
  readonly because: string | undefined
  readonly instead: true | undefined
  readonly modules: ReadonlySet<string>
  /** Does it wait in a queue for this module? */
  readonly waits: (code: string) => boolean
}

const exclude = (a: Seated, b: Seated) =>
  a.seat.excludes?.includes(b.code) === true || b.seat.excludes?.includes(a.code) === true
