import * as z from 'zod'
import { Instant, TimeZone } from '../platform/time.ts'
import { Email } from './email.ts'
import { Language, NoticeContact, NoticeKind } from './notice.ts'

const Days = z
  .array(z.int().min(0).max(730))
  .max(20)
  .refine((days) => new Set(days).size === days.length, 'days must differ')

/** What may be said about whom is told what, and when (market.md, 2.11 and 2.12). */
export const NoticeChoice = z.strictObject({
  /** Days before a license or trial ends; 0 is its end itself. */
  reminderDays: Days.default([90, 60, 30, 14, 7, 3, 1, 0]),
  /** Days before grace ends; 0 is its end itself. */
  graceDays: Days.default([7, 1, 0]),
  /** Days before maintenance ends. */
  maintenanceDays: Days.default([30, 7, 1, 0]),
  /** Percent of a pool in use. */
  capacityThresholds: z
    .array(z.int().min(1).max(100))
    .max(10)
    .refine((all) => new Set(all).size === all.length, 'thresholds must differ')
    .default([80, 90, 100]),
  /** How long a notice waits for others that go into the same mail, in minutes. */
  digestMinutes: z.int().min(0).max(1_440).default(15),
  language: Language.default('en'),
  /** Of the days that mails name; the tenant's own unless said otherwise. */
  timeZone: TimeZone.optional(),
  /** Who is told besides the tenant's contacts; of an organization only what concerns it. */
  contacts: z.array(NoticeContact).max(50).default([]),
})
export type NoticeChoice = z.infer<typeof NoticeChoice>

/** The choice of a tenant, or of the vendor, as stored. */
export const NoticeSettings = z.strictObject({
  ...NoticeChoice.shape,
  /** Of the calendar feed's address: raising it makes the one before void. Absent: there is no feed. */
  calendar: z.strictObject({ generation: z.int().positive(), since: Instant }).optional(),
  /** Generations that were given out, so that none is given out again. */
  calendarGenerations: z.int().min(0).default(0),
  revision: z.int().positive(),
})
export type NoticeSettings = z.infer<typeof NoticeSettings>

/** Of who never chose. */
export const DEFAULT_SETTINGS: NoticeSettings = NoticeSettings.parse({ revision: 1 })

/** An address, what it wants none of, and whether mail reaches it. */
export const MailAddress = z.strictObject({
  email: Email,
  /** Optional kinds of which it wants none. */
  muted: z.array(NoticeKind).max(50).default([]),
  language: Language.optional(),
  /** Since when and why it gets no mail at all. */
  suppressed: z
    .strictObject({
      at: Instant,
      why: z.enum(['bounce', 'complaint']),
      detail: z.string().max(500).optional(),
    })
    .optional(),
})
export type MailAddress = z.infer<typeof MailAddress>
