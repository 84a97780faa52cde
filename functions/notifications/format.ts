import type { Language, NoticeAbout } from '../../shared/domain/notice.ts'
import { DAY, dayOf, epochMilliseconds, Instant, inWords, type TimeZone } from '../../shared/platform/time.ts'
import { english } from './texts/english.ts'
import { german } from './texts/german.ts'
import type { Format, Passage, Words } from './texts/words.ts'

const WORDS: Readonly<Record<Language, Words>> = { en: english, de: german }
/** British English has the day before the month, as most who read it as a second language do. */
const LOCALES: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de-DE' }

export const wordsOf = (language: Language): Words => WORDS[language]

export function formatOf(language: Language, timeZone: TimeZone, now: Instant): Format {
  const locale = LOCALES[language]
  const plural = new Intl.PluralRules(locale)
  const number = new Intl.NumberFormat(locale)
  const dayNumber = (instant: Instant) =>
    Math.round(epochMilliseconds(Instant.parse(`${dayOf(instant, timeZone)}T00:00:00Z`)) / DAY)
  return {
    day: (instant) => inWords(instant, { language: locale, timeZone }),
    moment: (instant) => inWords(instant, { language: locale, timeZone, time: true }),
    number: (value) => number.format(value),
    daysUntil: (instant) => dayNumber(instant) - dayNumber(now),
    count: (value, { one, other }) =>
      `${number.format(value)} ${plural.select(value) === 'one' ? one : other}`,
  }
}

/** What a notice says in a language. */
export function passageOf(about: NoticeAbout, words: Words, format: Format): Passage {
  // A table by kind cannot show that its entry takes what that kind says, so each is looked up by its own name.
  const { passages } = words
  switch (about.kind) {
    case 'expiry-reminder':
      return passages['expiry-reminder'](about, format)
    case 'trial-reminder':
      return passages['trial-reminder'](about, format)
    case 'maintenance-reminder':
      return passages['maintenance-reminder'](about, format)
    case 'license-status':
      return passages['license-status'](about, format)
    case 'capacity':
      return passages.capacity(about, format)
    case 'over-allocation':
      return passages['over-allocation'](about, format)
    case 'integrity':
      return passages.integrity(about, format)
    case 'job-failed':
      return passages['job-failed'](about, format)
    case 'webhook-disabled':
      return passages['webhook-disabled'](about, format)
    case 'seat-request':
      return passages['seat-request'](about, format)
    case 'seat-reclaim':
      return passages['seat-reclaim'](about, format)
    case 'mail-undeliverable':
      return passages['mail-undeliverable'](about, format)
  }
}
