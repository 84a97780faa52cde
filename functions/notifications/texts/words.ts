import type { AboutOf, NoticeKind } from '../../../shared/domain/notice.ts'
import type { Instant } from '../../../shared/platform/time.ts'

/** What a notice comes to in a language. All of it is plain text: whoever puts it into HTML escapes it. */
export type Passage = {
  /** Of the mail, if it is the only one in it. */
  readonly subject: string
  readonly lines: readonly string[]
  readonly facts: readonly (readonly [label: string, value: string])[]
  /** What the reader can do, where there is a link for it. */
  readonly action?: string
}

/** How a language writes what is not words. */
export type Format = {
  day(instant: Instant): string
  moment(instant: Instant): string
  number(value: number): string
  /** Days on the calendar from now until then; 0 is today, negative ones are over. */
  daysUntil(instant: Instant): number
  /** `1 day`, `3 days`. */
  count(value: number, forms: { readonly one: string; readonly other: string }): string
}

/** A language: all that mails and pages say. */
export type Words = {
  readonly passages: { readonly [K in NoticeKind]: (about: AboutOf<K>, format: Format) => Passage }
  readonly kinds: { readonly [K in NoticeKind]: string }
  /** Of a mail with several notices. */
  digestSubject(count: number): string
  greeting(name: string): string
  digestLead(count: number): string
  /** Of a mail that was perhaps sent before. */
  readonly repeated: string
  /** Why somebody got it: by contact of whom. */
  because(owner: string): string
  /** In which time zone the days are. */
  zone(timeZone: string): string
  readonly needed: string
  readonly unsubscribe: string
  readonly linkHint: string
  readonly page: {
    readonly title: string
    ask(email: string, kinds: readonly string[]): string
    readonly confirm: string
    readonly all: string
    done(email: string, kinds: readonly string[]): string
    readonly needed: string
    readonly again: string
    resumed(email: string): string
  }
}
