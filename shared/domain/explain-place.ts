import type { Day } from '../platform/time.ts'
import type { Countries } from './country.ts'
import { cheapestFirst, type Explanation, free, purchase, type Step, step } from './explanation.ts'
import type { License } from './license.ts'
import { placeOf } from './place.ts'
import { placeFindings } from './place-findings.ts'
import { inWords, type Sighting } from './sighting.ts'
import type { Visits } from './visits.ts'

/** Of use from outside, the latest is shown. */
const SHOWN = 5

type Asked = {
  /** Would it be refused there? As if the edge had seen it there. */
  readonly country: string | undefined
  readonly today: Day
  /** May the caller know who it was? */
  readonly others: boolean
}

/** An explanation of a license with where it may be used, and from where outside of that it was. */
export function withPlaces(
  explained: Explanation,
  { id, rules: { countries } }: License,
  rows: readonly Visits[],
  { country, today, others }: Asked,
): Explanation {
  if (countries === undefined) return explained
  const own = (name: string, passed: boolean, evidence: string): Step => step(name, passed, evidence, id)
  const chain = [...explained.chain, own('limited to countries', true, limitsOf(countries))]
  const seen = rows
    .flatMap(({ visitor, visits }) => visits.map((visit) => ({ ...visit, visitor })))
    .toSorted((a, b) => (a.day < b.day ? 1 : a.day > b.day ? -1 : 0))
    .slice(0, SHOWN)
    .map(({ day, verdict, refused, visitor, ...sighting }) => {
      const became = verdict === 'travel' ? 'a day of travel' : refused ? 'refused' : 'noted only'
      const who = others ? ` of ${visitor.type} ${visitor.id}` : ''
      return own(
        `was used from ${sighting.country}`,
        !refused,
        `${inWords(sighting)} on ${day}${who}: ${became}`,
      )
    })
  if (country === undefined) return { ...explained, chain: [...chain, ...seen] }

  const shared = rows.find(({ visitor }) => visitor.type === 'license')?.visits ?? []
  const sighting: Sighting = { country, source: 'edge', confidence: 'high' }
  const place = placeOf(countries, [sighting], shared, today)
  const [finding] = placeFindings(countries, place)
  const asked = own(`may be used in ${country}`, !place.refused, finding?.detail ?? `${country} is covered`)
  const whole = { ...explained, chain: [...chain, asked, ...seen] }
  if (!place.refused || finding === undefined) return whole
  const cures = [free('caller', finding.cure), purchase(`Have ${country} covered.`)]
  return {
    ...whole,
    granted: false,
    summary: explained.granted ? finding.detail : explained.summary,
    cures: cheapestFirst([...explained.cures, ...cures]),
  }
}

function limitsOf({ allow, deny, travel, minimumConfidence, unknown, declared }: Countries): string {
  return [
    allow && `allows ${allow.join(', ') || 'none'}`,
    deny && `denies ${deny.join(', ') || 'none'}`,
    travel && `${travel.days} ${travel.days === 1 ? 'day' : 'days'} of travel within ${travel.window}`,
    minimumConfidence && `refuses from ${minimumConfidence} confidence on`,
    unknown && `unknown places: ${unknown}`,
    declared && `declarations: ${declared}`,
  ]
    .filter((part) => part !== undefined)
    .join('; ')
}
