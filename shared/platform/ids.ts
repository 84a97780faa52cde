import { decodeTime, encodeTime, monotonicFactory, ulid } from 'ulid'
import * as z from 'zod'
import { epochMilliseconds, type Instant, MINUTE } from './time.ts'

// A prefixed ULID: the prefix keeps kinds apart, the ULID sorts by creation and carries 80 random bits.
const id = <const Prefix extends string>(prefix: Prefix) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`), `must look like ${prefix}_01J…`)
    .brand<Prefix>()

export const ProductId = id('prd')
export const PlanId = id('pln')
export const TenantId = id('ten')
export const LicenseId = id('lic')
export const TokenId = id('tok')
export const EventId = id('evt')
export const TransferId = id('trf')
const RunId = id('run')
export const OrganizationId = id('org')
export const UserId = id('usr')
export const GroupId = id('grp')
export const BulkId = id('blk')
/** Of something that an integrity scan found: made of what it is, not of chance. */
export const FindingId = id('itg')
export const WebhookId = id('whk')
export const ActivationId = id('act')

export type ProductId = z.infer<typeof ProductId>
export type PlanId = z.infer<typeof PlanId>
export type TenantId = z.infer<typeof TenantId>
export type LicenseId = z.infer<typeof LicenseId>
export type TokenId = z.infer<typeof TokenId>
export type EventId = z.infer<typeof EventId>
export type TransferId = z.infer<typeof TransferId>
export type OrganizationId = z.infer<typeof OrganizationId>
export type UserId = z.infer<typeof UserId>
export type GroupId = z.infer<typeof GroupId>
export type BulkId = z.infer<typeof BulkId>
export type FindingId = z.infer<typeof FindingId>
export type WebhookId = z.infer<typeof WebhookId>
export type ActivationId = z.infer<typeof ActivationId>

const fresh =
  <T>(prefix: string, schema: { parse(text: string): T }) =>
  (now: Instant): T =>
    schema.parse(`${prefix}_${ulid(epochMilliseconds(now))}`)

export const newProductId = fresh('prd', ProductId)
export const newPlanId = fresh('pln', PlanId)
export const newTenantId = fresh('ten', TenantId)
export const newLicenseId = fresh('lic', LicenseId)
export const newTokenId = fresh('tok', TokenId)
export const newRunId = fresh('run', RunId)
export const newTransferId = fresh('trf', TransferId)
export const newOrganizationId = fresh('org', OrganizationId)
export const newUserId = fresh('usr', UserId)
export const newGroupId = fresh('grp', GroupId)
export const newBulkId = fresh('blk', BulkId)
export const newWebhookId = fresh('whk', WebhookId)
export const newActivationId = fresh('act', ActivationId)

/** Crockford's base 32, of which ULIDs are made. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Ids that are not drawn by lot: one digit of a ULID for each byte of a hash, or number. */
export const digitsOf = (bytes: Iterable<number>): string =>
  [...bytes].map((byte) => DIGITS[byte % DIGITS.length]).join('')

let monotonic = monotonicFactory()
let newest = 0

/**
 * Events made one after the other sort so, also within a millisecond, and where the clock is set back a little. After a
 * clock that was wrong by more than a minute their ids begin anew: they tell the time.
 */
export function newEventId(now: Instant): EventId {
  const milliseconds = epochMilliseconds(now)
  if (milliseconds < newest - MINUTE) {
    monotonic = monotonicFactory()
    newest = milliseconds
  }
  newest = Math.max(newest, milliseconds)
  return EventId.parse(`evt_${monotonic(milliseconds)}`)
}

/** Ids sort by when they were made: those of events from this instant on sort from here on. */
export const eventIdsFrom = (at: Instant): string => `evt_${encodeTime(Math.max(0, epochMilliseconds(at)))}`

/** When an event's id was made, in epoch milliseconds. */
export const eventIdTime = (id: EventId): number => decodeTime(id.slice('evt_'.length))
