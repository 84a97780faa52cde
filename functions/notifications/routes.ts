import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Email } from '../../shared/domain/email.ts'
import { Language, NoticeContact, NoticeKind } from '../../shared/domain/notice.ts'
import { MailAddress, NoticeChoice } from '../../shared/domain/notice-settings.ts'
import { NoticeView } from '../../shared/domain/notice-view.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason, rawBody } from '../../shared/platform/http/shapes.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })
const readers = [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter'] as const
const administrators = ['vendor:admin', 'tenant:admin'] as const

const choice = NoticeChoice.shape
/** An edit names what changes: the defaults of who never chose do not apply to it. */
const ChoiceEdit = z
  .strictObject({
    reminderDays: choice.reminderDays.unwrap(),
    graceDays: choice.graceDays.unwrap(),
    maintenanceDays: choice.maintenanceDays.unwrap(),
    capacityThresholds: choice.capacityThresholds.unwrap(),
    digestMinutes: choice.digestMinutes.unwrap(),
    language: choice.language.unwrap(),
    /** `null`: the tenant's own. */
    timeZone: choice.timeZone.unwrap().nullable(),
    contacts: choice.contacts.unwrap(),
  })
  .partial()

/** Whom what is told, when, and whether mail reaches them. */
const Notifications = z
  .strictObject({
    ...choice,
    /** Under which address mails come; `null`: this stage sends none. */
    mailFrom: z.string().nullable(),
    kinds: z.array(
      z.strictObject({
        kind: NoticeKind,
        meaning: z.string(),
        optional: z.boolean(),
        roles: z.array(NoticeContact.shape.role.unwrap()),
        staff: z.boolean(),
      }),
    ),
    /** Addresses that chose something, or that mail does not reach. */
    addresses: z.array(MailAddress),
    revision: z.int().positive(),
  })
  .meta({ id: 'Notifications' })

const AddressEdit = z.strictObject({
  email: Email,
  /** Optional kinds that it wants none of; the whole list. */
  muted: z.array(NoticeKind).max(50).optional(),
  language: Language.optional(),
})
const Resume = z.strictObject({ email: Email, reason: Reason.optional() })

const Calendar = z.strictObject({
  /** Whoever knows it reads the calendar. */
  url: z.string().nullable(),
  since: Instant.optional(),
})

const page = { status: 200, body: rawBody('text/html; charset=utf-8'), media: ['text/html'] } as const
const UnsubscribeQuery = z.strictObject({
  token: z.string().max(2000),
  /** `all`: of everything that is optional; `again`: takes it back. */
  what: z.enum(['these', 'all', 'again']).default('these'),
})

/** What mail clients post (RFC 8058, section 3.2), as a form or in parts; the page posts nothing. */
const OneClick = z
  .union([
    z.strictObject({ 'List-Unsubscribe': z.literal('One-Click').optional() }),
    z
      .string()
      .max(2000)
      .regex(/List-Unsubscribe[\s\S]*One-Click/, 'must be List-Unsubscribe=One-Click'),
  ])
  .optional()

export const notificationsRoutes = {
  getNotifications: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/notifications',
    access: readers,
    params: TenantParams,
    success: { status: 200, body: Notifications },
    errors: [],
    summary: 'Who of a tenant is told what by mail, when and in which language, and whether mail arrives',
    versioned: true,
  },
  editNotifications: {
    method: 'PATCH',
    path: '/v1/tenants/{tenantId}/notifications',
    access: administrators,
    params: TenantParams,
    body: ChoiceEdit,
    success: { status: 200, body: Notifications },
    errors: [],
    summary: 'Change whom notices are told, days of reminders, thresholds, language and time zone',
    description: 'A field that is given replaces the whole field.',
    versioned: true,
  },
  setMailAddress: {
    method: 'PUT',
    path: '/v1/tenants/{tenantId}/notifications/addresses',
    access: administrators,
    params: TenantParams,
    body: AddressEdit,
    success: { status: 200, body: MailAddress },
    errors: [],
    summary: 'Say which optional notices an address does not want, and its language',
  },
  resumeMail: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/notifications/addresses/resume',
    access: administrators,
    params: TenantParams,
    body: Resume,
    success: { status: 200, body: MailAddress },
    errors: ['NOT_FOUND'],
    summary: 'Send mail again to an address from which it came back, or whose owner complained',
  },
  listNotices: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/notices',
    access: readers,
    params: TenantParams,
    query: PageQuery,
    success: { status: 200, body: pageOf(NoticeView) },
    errors: [],
    summary: 'What was told whom, newest first: sent, waiting, or dropped and why',
  },
  getStaffNotifications: {
    method: 'GET',
    path: '/v1/notifications',
    access: VENDOR_ROLES,
    success: { status: 200, body: Notifications },
    errors: [],
    summary: 'Who of the vendor’s staff is told what by mail',
    versioned: true,
  },
  editStaffNotifications: {
    method: 'PATCH',
    path: '/v1/notifications',
    access: ['vendor:admin'],
    body: ChoiceEdit,
    success: { status: 200, body: Notifications },
    errors: [],
    summary: 'Change who of the vendor’s staff is told by mail',
    description: 'A field that is given replaces the whole field.',
    versioned: true,
  },
  setStaffMailAddress: {
    method: 'PUT',
    path: '/v1/notifications/addresses',
    access: ['vendor:admin'],
    body: AddressEdit,
    success: { status: 200, body: MailAddress },
    errors: [],
    summary: 'Say which optional notices an address of the staff does not want, and its language',
  },
  resumeStaffMail: {
    method: 'POST',
    path: '/v1/notifications/addresses/resume',
    access: ['vendor:admin'],
    body: Resume,
    success: { status: 200, body: MailAddress },
    errors: ['NOT_FOUND'],
    summary: 'Send mail again to an address of the staff from which it came back',
  },
  listStaffNotices: {
    method: 'GET',
    path: '/v1/notices',
    access: VENDOR_ROLES,
    query: PageQuery,
    success: { status: 200, body: pageOf(NoticeView) },
    errors: [],
    summary: 'What the vendor’s staff was told, newest first',
  },
  askUnsubscribe: {
    method: 'GET',
    path: '/v1/unsubscribe',
    access: 'public',
    query: UnsubscribeQuery,
    success: page,
    errors: ['NOT_FOUND'],
    summary: 'The page of a mail’s link to unsubscribe; looking does nothing',
  },
  unsubscribe: {
    method: 'POST',
    path: '/v1/unsubscribe',
    access: 'public',
    query: UnsubscribeQuery,
    body: OneClick,
    textBody: ['application/x-www-form-urlencoded', 'multipart/form-data'],
    success: page,
    errors: ['NOT_FOUND', 'CONTENDED'],
    summary: 'Unsubscribe by the link of a mail: of its page, or in one click of a mail client (RFC 8058)',
    description: 'Doing it again does nothing more, so it keeps no Idempotency-Key.',
    safe: true,
  },
  getCalendar: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/calendar',
    access: administrators,
    params: TenantParams,
    success: { status: 200, body: Calendar },
    errors: [],
    summary: 'The secret address of the tenant’s calendar feed, if it has one',
  },
  openCalendar: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/calendar',
    access: administrators,
    params: TenantParams,
    success: { status: 201, body: Calendar },
    errors: ['ARCHIVED'],
    summary: 'Give the tenant’s calendar feed a new secret address; the one before is void',
  },
  closeCalendar: {
    method: 'DELETE',
    path: '/v1/tenants/{tenantId}/calendar',
    access: administrators,
    params: TenantParams,
    success: { status: 204 },
    errors: [],
    summary: 'Make the address of the tenant’s calendar feed void',
  },
  readCalendar: {
    method: 'GET',
    path: '/v1/calendars/{file}',
    access: 'public',
    params: z.strictObject({
      file: z
        .string()
        .max(500)
        .regex(/^cal_[\w-]+\.[\w-]+\.ics$/),
    }),
    success: { status: 200, body: rawBody('text/calendar; charset=utf-8'), media: ['text/calendar'] },
    errors: [],
    summary: 'The calendar feed (RFC 5545): ends of licenses, trials and maintenance, renewals',
    conditional: true,
  },
} as const satisfies RouteTable
