import type { Countries } from './country.ts'
import { type Finding, type FindingCode, finding } from './finding.ts'
import type { Place } from './place.ts'
import { sightingsInWords } from './sighting.ts'

/** What is the matter with a place, and what would cure it; nothing with one inside. */
export function placeFindings(rule: Countries, place: Place): Finding[] {
  const { verdict, refused, evidence, travel } = place
  const found = (code: FindingCode, detail: string, cure: string) => [finding(code, 'country', detail, cure)]
  switch (verdict) {
    case 'inside':
      return []
    case 'unknown': {
      const cure =
        rule.declared === 'ignore'
          ? 'Ask through the address that the vendor names; what is declared does not count.'
          : 'Send the country as ISO 3166-1 alpha-2.'
      return refused
        ? found(
            'COUNTRY_REQUIRED',
            'The license is limited to countries and none is known of this use.',
            cure,
          )
        : found('COUNTRY_UNKNOWN', 'No country is known of this use; the license allows that.', cure)
    }
    case 'travel':
      return found(
        'TRAVELING',
        `${sightingsInWords(evidence)}: day ${travel?.used} of ${travel?.allowed} outside within ${travel?.window}.`,
        cureOf(rule),
      )
    case 'outside':
      if (!refused)
        return found(
          'COUNTRY_DOUBTFUL',
          `The license does not cover ${sightingsInWords(evidence)}; that is not certain enough to refuse it.`,
          cureOf(rule),
        )
      return travel?.freeOn === undefined
        ? found(
            'COUNTRY_NOT_ALLOWED',
            `The license does not cover ${sightingsInWords(evidence)}.`,
            cureOf(rule),
          )
        : found(
            'TRAVEL_EXHAUSTED',
            `${sightingsInWords(evidence)}, and ${travel.used} of ${travel.allowed} days outside within ${travel.window} are used up.`,
            `Wait until ${travel.freeOn}, when a day is free again, or ${lower(cureOf(rule))}`,
          )
  }
}

function cureOf({ allow, deny }: Countries): string {
  const covered = allow?.filter((one) => !deny?.includes(one)) ?? []
  return covered.length > 0
    ? `Use it in ${covered.join(', ')}.`
    : 'Use it in another country, or ask the vendor to cover this one.'
}

const lower = (sentence: string) => `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`
