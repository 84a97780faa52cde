import type { Language } from '../../../shared/domain/notice.ts'

/** What a calendar feed says in a language. */
export type CalendarWords = {
  readonly language: Language
  readonly category: string
  name(tenant: string): string
  summary(what: 'expiry' | 'renewal' | 'trial' | 'maintenance' | 'grace', product: string): string
  description(license: string, customer: string): string
}

const SUMMARIES = {
  en: {
    expiry: 'license ends',
    renewal: 'renewal due, license ends',
    trial: 'trial ends',
    maintenance: 'maintenance ends',
    grace: 'grace ends, license stops working',
  },
  de: {
    expiry: 'Lizenz endet',
    renewal: 'Verlängerung fällig, Lizenz endet',
    trial: 'Testphase endet',
    maintenance: 'Wartung endet',
    grace: 'Nachfrist endet, Lizenz nicht mehr nutzbar',
  },
} as const

export const calendarWords: Readonly<Record<Language, CalendarWords>> = {
  en: {
    language: 'en',
    category: 'Licenses',
    name: (tenant) => `Licenses: ${tenant}`,
    summary: (what, product) => `${product}: ${SUMMARIES.en[what]}`,
    description: (license, customer) => `License ${license}, ${customer}`,
  },
  de: {
    language: 'de',
    category: 'Lizenzen',
    name: (tenant) => `Lizenzen: ${tenant}`,
    summary: (what, product) => `${product}: ${SUMMARIES.de[what]}`,
    description: (license, customer) => `Lizenz ${license}, ${customer}`,
  },
}
