import * as z from 'zod'
import { LicenseId, OrganizationId, ProductId, UserId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { Email } from './email.ts'
import { Contact } from './tenant.ts'

type ContactRole = Contact['role']

/** Whom a kind of notice is for, and whether it can be done without. */
type Kind = {
  readonly meaning: string
  /** Whoever gets it may say that it wants none. What is not optional is rather sent twice than not at all. */
  readonly optional: boolean
  /** The tenant's contacts in one of these roles; where there are none, all of its contacts. */
  readonly roles: readonly ContactRole[]
  /** Whoever administers the organization that it is about. */
  readonly organization?: true
  /** Also the vendor's staff; the vendor's alone where no role is named. */
  readonly staff?: true
}

/** The one table of what people are told. */
export const NOTICE_KINDS = {
  'expiry-reminder': {
    meaning: 'A license ends soon, has ended, or is in grace.',
    optional: false,
    roles: ['owner', 'administrator', 'billing'],
  },
  'trial-reminder': {
    meaning: 'A trial ends soon or has ended.',
    optional: true,
    roles: ['owner', 'administrator'],
  },
  'maintenance-reminder': {
    meaning: 'Newer releases are soon not covered by a license any more.',
    optional: true,
    roles: ['owner', 'administrator', 'billing'],
  },
  'license-status': {
    meaning: 'A license was suspended, reinstated, revoked, renewed or transferred.',
    optional: false,
    roles: ['owner', 'administrator'],
  },
  capacity: {
    meaning: 'More of a pool is in use than a share of what the licenses give.',
    optional: true,
    roles: ['owner', 'administrator'],
  },
  'over-allocation': {
    meaning: 'More is in use than the licenses give; it has to be cured.',
    optional: false,
    roles: ['owner', 'administrator'],
  },
  integrity: {
    meaning: 'Something that is stored is not what was signed.',
    optional: false,
    roles: ['owner', 'administrator', 'technical'],
    staff: true,
  },
  'job-failed': {
    meaning: 'Something that the service does by itself failed.',
    optional: false,
    roles: [],
    staff: true,
  },
  'webhook-disabled': {
    meaning: 'Nothing is delivered to an endpoint any more.',
    optional: false,
    roles: ['technical', 'administrator', 'owner'],
  },
  'seat-request': {
    meaning: 'A person asked for a seat.',
    optional: true,
    roles: ['administrator', 'owner'],
    organization: true,
  },
  'seat-reclaim': {
    meaning: 'A person’s seats are about to be taken back. It is told the person.',
    optional: false,
    roles: ['administrator', 'owner'],
    organization: true,
  },
  'mail-undeliverable': {
    meaning: 'Mail to an address came back, or its owner complained; it gets none any more.',
    optional: false,
    roles: ['administrator', 'owner', 'technical', 'billing'],
    staff: true,
  },
} as const satisfies Readonly<Record<string, Kind>>

export type NoticeKind = keyof typeof NOTICE_KINDS
export const NoticeKind = z.enum(
  Object.keys(NOTICE_KINDS).filter((name): name is NoticeKind => name in NOTICE_KINDS),
)
export const kindOf = (kind: NoticeKind): Kind => NOTICE_KINDS[kind]
export const isOptional = (kind: NoticeKind): boolean => NOTICE_KINDS[kind].optional

const Text = z.string().max(500)
const deadline = {
  licenseId: LicenseId,
  productId: ProductId,
  product: Text,
  customer: Text,
  endsAt: Instant,
  phase: z.enum(['ahead', 'ended', 'grace', 'over']),
  graceEndsAt: Instant.optional(),
  /** Is it bought for one term after the other? */
  renews: z.boolean(),
}
const pool = {
  productId: ProductId,
  product: Text,
  metric: Text,
  used: z.number(),
  /** Absent: unlimited. */
  capacity: z.number().optional(),
}

/** What a notice says: facts as they were, for whatever language it is told in. */
export const NoticeAbout = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('expiry-reminder'), ...deadline }),
  z.strictObject({ kind: z.literal('trial-reminder'), ...deadline }),
  z.strictObject({ kind: z.literal('maintenance-reminder'), ...deadline }),
  z.strictObject({
    kind: z.literal('license-status'),
    licenseId: LicenseId,
    product: Text,
    change: z.enum(['suspended', 'reinstated', 'revoked', 'renewed', 'transferred']),
    endsAt: Instant.optional(),
    reason: Text.optional(),
    at: Instant,
  }),
  z.strictObject({ kind: z.literal('capacity'), ...pool, threshold: z.number() }),
  z.strictObject({
    kind: z.literal('over-allocation'),
    ...pool,
    state: z.enum(['begun', 'cured', 'overdue']),
    cureUntil: Instant.optional(),
  }),
  z.strictObject({
    kind: z.literal('integrity'),
    what: Text,
    subject: Text,
    detail: Text.optional(),
    at: Instant,
  }),
  z.strictObject({ kind: z.literal('job-failed'), job: Text, detail: Text.optional(), at: Instant }),
  z.strictObject({
    kind: z.literal('webhook-disabled'),
    endpoint: Text,
    reason: Text.optional(),
    at: Instant,
  }),
  z.strictObject({
    kind: z.literal('seat-request'),
    userId: UserId,
    person: Text,
    product: Text,
    module: Text,
    reason: Text.optional(),
    at: Instant,
  }),
  z.strictObject({
    kind: z.literal('seat-reclaim'),
    userId: UserId,
    person: Text,
    productId: ProductId,
    product: Text,
    /** Which case: the link to keep the seats is for that one. */
    openedAt: Instant,
    /** When they are taken. */
    at: Instant,
  }),
  z.strictObject({
    kind: z.literal('mail-undeliverable'),
    address: z.email(),
    why: z.enum(['bounce', 'complaint']),
    detail: Text.optional(),
    at: Instant,
  }),
])
export type NoticeAbout = z.infer<typeof NoticeAbout>
export type AboutOf<K extends NoticeKind> = Extract<NoticeAbout, { kind: K }>

/** Why a notice was not told. */
export const DropReason = z.enum([
  /** It could not be sent as long as it was news. */
  'TOO_LATE',
  /** What it says is not so any more: the license was renewed, the seat kept. */
  'SILENCED',
  /** Its recipient is no contact any more; what is needed was told those who are. */
  'REMOVED',
  /** Its recipient wants none of this kind. */
  'MUTED',
  /** Mail to the address came back, or its owner complained. */
  'UNDELIVERABLE',
  /** No mail is set up in this stage. */
  'NO_MAIL',
])
export type DropReason = z.infer<typeof DropReason>

/** What became of a notice. */
export const NoticeState = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('pending') }),
  z.strictObject({
    state: z.literal('sent'),
    at: Instant,
    messageId: z.string(),
    /** An earlier sending had no answer, so it may have come twice. */
    repeated: z.boolean(),
  }),
  /** Its sending had no answer, and it is not sent again: it may or may not have come. */
  z.strictObject({ state: z.literal('unconfirmed'), at: Instant }),
  z.strictObject({ state: z.literal('dropped'), at: Instant, because: DropReason }),
])
export type NoticeState = z.infer<typeof NoticeState>

export const Language = z.enum(['en', 'de'])
export type Language = z.infer<typeof Language>

/** Who is told, by what it was when the notice was made. */
export const Recipient = z.strictObject({
  email: Email,
  name: z.string().max(200),
  /** The language it asked for. */
  language: Language.optional(),
})
export type Recipient = z.infer<typeof Recipient>

/** A contact as audiences are made of: of the tenant, of an organization, or of the vendor. */
export const NoticeContact = Contact.extend({ organizationId: OrganizationId.optional() })
export type NoticeContact = z.infer<typeof NoticeContact>

/** What is to be told, before it is known whom. */
export type NoticeDraft = {
  readonly about: NoticeAbout
  /** What makes it one of a kind: the same occasion is told once. */
  readonly occasion: readonly string[]
  readonly at: Instant
  /** It is news until then. */
  readonly until: Instant
  /** The organization that it is about. */
  readonly organizationId?: OrganizationId | undefined
  /** The person that it is told, where that has an address. */
  readonly person?: Recipient | undefined
}
