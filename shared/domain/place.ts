import * as z from 'zod'
import { Day, Duration } from '../platform/time.ts'
import { type Confidence, type Countries, compareConfidence } from './country.ts'
import { Sighting } from './sighting.ts'
import { freeOn, travelDays, type Visit } from './visits.ts'

/** Where somebody is, by the rule of a license. */
export const Place = z
  .strictObject({
    /** `travel`: outside, on a day of the travel allowance. */
    verdict: z.enum(['inside', 'travel', 'outside', 'unknown']),
    /** Not so outside with too little confidence, nor in an unknown place that the plan allows. */
    refused: z.boolean(),
    /** What it is decided on, and behind it what else was seen or said. */
    evidence: z.array(Sighting),
    /** Of a place outside: the day on the calendar of the tenant's zone. */
    day: Day.optional(),
    /** How much of the travel allowance is used up, with this day if it is one of it. */
    travel: z
      .strictObject({
        used: z.int(),
        allowed: z.int(),
        window: Duration,
        /** When a day of it is free again; of an allowance that is used up. */
        freeOn: Day.optional(),
      })
      .optional(),
  })
  .meta({ id: 'Place' })
export type Place = z.infer<typeof Place>

const MINIMUM_CONFIDENCE: Confidence = 'medium'

/** Is a country within the rule? */
function covers({ allow, deny }: Countries, country: string): boolean {
  return !deny?.includes(country) && (allow === undefined || allow.includes(country))
}

/** What of the sightings the rule lets count. */
const countedBy = ({ declared }: Countries, sightings: readonly Sighting[]): Sighting[] =>
  sightings.filter(({ source }) => source !== 'declared' || declared !== 'ignore')

/** Nothing is known of it. */
export const nowhere = ({ unknown }: Countries): Place => ({
  verdict: 'unknown',
  refused: unknown !== 'allow',
  evidence: [],
})

/**
 * Decides where somebody is. A country that is denied by name is never travelled to.
 *
 * @param visits what was noted of the same visitor; asked for only outside
 * @param today on the calendar of the tenant's zone
 */
export function placeOf(
  rule: Countries,
  sightings: readonly Sighting[],
  visits: readonly Visit[],
  today: Day,
): Place {
  const evidence = countedBy(rule, sightings)
  const [first] = evidence
  if (first === undefined) return nowhere(rule)
  if (covers(rule, first.country)) return { verdict: 'inside', refused: false, evidence }
  const outside = { verdict: 'outside', evidence, day: today } as const
  if (compareConfidence(first.confidence, rule.minimumConfidence ?? MINIMUM_CONFIDENCE) < 0)
    return { ...outside, refused: false }
  if (rule.travel === undefined || rule.deny?.includes(first.country)) return { ...outside, refused: true }

  const { days: allowed, window } = rule.travel
  const used = travelDays(rule.travel, visits, today)
  const isOne = used.includes(today)
  if (!isOne && used.length >= allowed) {
    const travel = { used: used.length, allowed, window, freeOn: freeOn(rule.travel, used) }
    return { ...outside, refused: true, travel }
  }
  const travel = { used: used.length + (isOne ? 0 : 1), allowed, window }
  return { verdict: 'travel', refused: false, evidence, day: today, travel }
}

/** What is to be noted of a place: only use from outside is. */
export function visitOf({ verdict, refused, evidence, day }: Place): Visit | undefined {
  const [seen] = evidence
  if (seen === undefined || day === undefined || (verdict !== 'travel' && verdict !== 'outside'))
    return undefined
  return { day, ...seen, verdict, refused }
}
