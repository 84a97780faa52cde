import type * as z from 'zod'
import type { PoolShortage } from './pool-shortage.ts'

/**
 * Every way in which a request can be refused: the one closed table. `code` is stable and what clients branch on;
 * `next` tells a person what to do. A negative verdict is no refusal: it answers 200 (see verdict.ts).
 */
export const REFUSALS = {
  INVALID_REQUEST: {
    status: 400,
    title: 'The request is not valid',
    next: 'Mend the fields named in errors and send it again.',
  },
  INVALID_CURSOR: {
    status: 400,
    title: 'The cursor is not valid',
    next: 'Start the list again without a cursor; use nextCursor unchanged and with the same filters.',
  },
  INVALID_IDEMPOTENCY_KEY: {
    status: 400,
    title: 'The Idempotency-Key is not valid',
    next: 'Send 1 to 128 visible ASCII characters, a new UUID for each new request.',
  },
  UNAUTHENTICATED: {
    status: 401,
    title: 'No valid credential',
    next: 'Send Authorization: Bearer <token> or Authorization: License <key> with a live credential.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'This credential may not do this',
    next: 'Use a credential with one of the roles named in the API description of this operation.',
  },
  NOT_FOUND: {
    status: 404,
    title: 'No such resource',
    next: 'Check the id (another tenant’s looks the same as none), or method and path: GET /v1/openapi.json lists them.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'This can only be read',
    next: 'Use GET.',
  },
  REVISION_REQUIRED: {
    status: 428,
    title: 'If-Match is required',
    next: 'Read the resource, then send its ETag in If-Match.',
  },
  REVISION_OUTDATED: {
    status: 412,
    title: 'The resource has changed since it was read',
    next: 'Read it again, redo the change on the new state and send the new ETag.',
  },
  IDEMPOTENCY_MISMATCH: {
    status: 422,
    title: 'This Idempotency-Key was used for another request',
    next: 'Use a new Idempotency-Key for a new request.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    next: 'Send less in one request; the API description names the limit.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'The body has an unsupported media type',
    next: 'Send Content-Type: application/json, or what the API description names.',
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many requests',
    next: 'Wait for the seconds named in Retry-After.',
  },
  TOO_MANY_FAILURES: {
    status: 429,
    title: 'Too many failed attempts',
    next: 'Wait for the seconds named in Retry-After and check the credential before trying again.',
  },
  NOT_IMPLEMENTED: {
    status: 501,
    title: 'This is not done here',
    next: 'Ask for users and groups apart: /scim/v2/Users/.search, /scim/v2/Groups/.search.',
  },
  UNFINISHED: {
    status: 503,
    title: 'Not all of it is done yet',
    next: 'Send the same request again: it goes on where this one ended.',
  },
  CONTENDED: {
    status: 503,
    title: 'Too many changes of one resource at once',
    next: 'Wait for the seconds named in Retry-After and send it again.',
  },
  FAULT: {
    status: 500,
    title: 'The service failed',
    next: 'Try again with the same Idempotency-Key; if it persists, report the request id.',
  },

  CODE_TAKEN: {
    status: 409,
    title: 'This code is taken',
    next: 'Choose another code, or use the existing resource.',
  },
  ARCHIVED: { status: 409, title: 'The resource is archived', next: 'Use one that is not archived.' },
  IN_USE: { status: 409, title: 'The resource is in use', next: 'End what uses it first; detail names it.' },
  PLAN_MISMATCH: {
    status: 422,
    title: 'The plan does not fit its product',
    next: 'Use only metrics and features that the product declares, with values of their types.',
  },
  LICENSE_MISMATCH: {
    status: 422,
    title: 'The license does not fit',
    next: 'Mend what detail names: the plan, the license it extends, or its dates.',
  },
  TRANSITION_NOT_ALLOWED: {
    status: 409,
    title: 'Not possible in the present status',
    next: 'Read the resource; detail names its status and what is possible.',
  },
  LICENSE_NOT_IN_FORCE: {
    status: 409,
    title: 'The license is not in force',
    next: 'Validate it to see why and what would cure it; if it is valid, its allocation is not for this.',
  },
  COUNTRY_REQUIRED: {
    status: 422,
    title: 'The license is limited to countries and none is known',
    next: 'Send the country where it is used, as ISO 3166-1 alpha-2.',
  },
  COUNTRY_NOT_ALLOWED: {
    status: 409,
    title: 'The license is not for this country',
    next: 'Use it in a country that detail names, or ask the vendor to cover this one.',
  },
  TRAVEL_EXHAUSTED: {
    status: 409,
    title: 'The days of travel are used up',
    next: 'Wait for the day in detail, or use it in a country that the license covers.',
  },
  LICENSE_TAMPERED: {
    status: 409,
    title: 'The stored license is not what was signed',
    next: 'Restore the row from a backup, or revoke this license and issue a new one.',
  },
  TRANSFER_NOT_ALLOWED: {
    status: 409,
    title: 'The license cannot be transferred',
    next: 'Where detail names the plan, ask the vendor; a license goes to another tenant only.',
  },
  TRANSFERS_EXHAUSTED: {
    status: 409,
    title: 'The license was transferred too often',
    next: 'Wait for the instant in detail, or ask the vendor for another license.',
  },
  TRANSFER_OVER: {
    status: 409,
    title: 'The transfer is over',
    next: 'Read it to see how it ended; if the license is still to move, request a new transfer.',
  },
  TRANSFER_OUTDATED: {
    status: 409,
    title: 'The license is not what was approved any more',
    next: 'Refuse or cancel this transfer and request a new one of the license as it is now.',
  },
  TRANSFER_TOO_LARGE: {
    status: 409,
    title: 'Too much would move at once',
    next: 'Have the vendor revoke extensions that are not needed, or issue the license anew.',
  },
  TOKEN_ROTATED: {
    status: 409,
    title: 'The token was already rotated',
    next: 'Use its successor, or revoke the successor first.',
  },

  FILE_MALFORMED: {
    status: 422,
    title: 'Not a license file',
    next: 'Upload the file exactly as it was received.',
  },
  FILE_FORGED: {
    status: 422,
    title: 'The signature of the file is not valid',
    next: 'Ask the vendor for the file again; it was changed or not made by the vendor.',
  },
  FILE_FOREIGN: {
    status: 422,
    title: 'The file is from another issuer',
    next: 'Upload it to the service of the vendor that issued it.',
  },
  FILE_WRONG_TENANT: {
    status: 422,
    title: 'The file is meant for another customer',
    next: 'Ask the vendor for a file issued to your account.',
  },
  FILE_UNKNOWN_PRODUCT: {
    status: 422,
    title: 'The file is for a product that is not known here',
    next: 'Ask the vendor which product this license is for.',
  },
  FILE_OUTDATED: {
    status: 422,
    title: 'The file is older than the license',
    next: 'Download the newest file; an earlier revision cannot be applied.',
  },
  FILE_EXPIRED: {
    status: 422,
    title: 'The license in the file has expired',
    next: 'Ask the vendor to renew the license.',
  },
  FILE_NOT_USABLE: {
    status: 422,
    title: 'The license in the file was suspended or revoked',
    next: 'Ask the vendor; only they can reinstate or replace it.',
  },
  IMPORT_INVALID: {
    status: 422,
    title: 'Some rows cannot be imported; none was',
    next: 'Mend the rows named in errors and send the whole import again.',
  },
  FLAG_NOT_FOUND: {
    status: 404,
    title: 'No such feature',
    next: 'Use the code of a feature that the product declares.',
  },
  USAGE_UNKNOWN_METRIC: {
    status: 422,
    title: 'The product has no such metric',
    next: 'Use a metric that the product declares: set a gauge with value, add to a counter with add.',
  },
  USAGE_CONFLICT: {
    status: 409,
    title: 'A usage id was used for another record',
    next: 'Give each usage record its own id; repeat one only unchanged.',
  },
  ALLOWANCE_EXHAUSTED: {
    status: 409,
    title: 'The allowance of the period is used up',
    next: 'Wait for the instant in detail, when it begins anew, or buy more; nothing of the batch was recorded.',
  },
  USAGE_BELOW_ZERO: {
    status: 409,
    title: 'The correction takes away more than was used',
    next: 'Read the usage of the tenant and take away no more than its net.',
  },
  POOL_EXHAUSTED: {
    status: 409,
    title: 'No place is free',
    next: 'Wait for the instant in pool.nextFree, ask a holder to check in, or take a ticket (POST /v1/tickets).',
  },
  LEASE_SUPERSEDED: {
    status: 409,
    title: 'This lease id was replaced',
    next: 'Use the id that the last heartbeat answered; if another process has it, check out again.',
  },
  LEASE_LAPSED: {
    status: 409,
    title: 'The lease is over',
    next: 'Stop using the license and check out again.',
  },
  TICKET_ENDED: {
    status: 409,
    title: 'The ticket is over',
    next: 'Check out, or take a new ticket.',
  },
  QUEUE_TOO_LONG: {
    status: 409,
    title: 'The queue is longer than wanted',
    next: 'Try again later, or accept a place further back.',
  },
  BORROW_NOT_ALLOWED: {
    status: 409,
    title: 'This license cannot be borrowed',
    next: 'Mend what detail names, or check out instead; borrowing has to be part of the plan.',
  },
  BORROW_RETURNED: {
    status: 409,
    title: 'The borrowed license was returned',
    next: 'Stop using it, and check out or borrow again.',
  },
  RETURN_NOT_PROVEN: {
    status: 422,
    title: 'The return is not proven',
    next: 'Disable the copy on the machine and send the proof it signs; a tenant:admin can release it without.',
  },
  ACTIVATIONS_EXHAUSTED: {
    status: 409,
    title: 'Every place for a machine is taken',
    next: 'Deactivate a machine that is no longer used (GET and DELETE /v1/tenants/{tenantId}/activations), or buy more.',
  },
  FINGERPRINT_TAKEN: {
    status: 409,
    title: 'A part of this machine belongs to another activation',
    next: 'Deactivate the activation that detail names, or move it to this machine.',
  },
  MOVES_EXHAUSTED: {
    status: 409,
    title: 'Machines were replaced too often',
    next: 'Use a machine that was activated before, wait for the instant in detail, or ask the vendor for a reset.',
  },
  ACTIVATION_DEAD: {
    status: 409,
    title: 'The activation is over: no heartbeat came in time',
    next: 'Activate this machine again.',
  },
  PERSON_EXISTS: {
    status: 409,
    title: 'Somebody else has this e-mail address or external id',
    next: 'Use the person that detail names; restore it if it is archived.',
  },
  GROUP_EXISTS: {
    status: 409,
    title: 'There is a group of this name or external id',
    next: 'Use that one, or choose another name.',
  },
  ORGANIZATION_MISPLACED: {
    status: 409,
    title: 'The organization cannot be there',
    next: 'Choose a parent that is not below it, and not too deep.',
  },
  SEATS_EXHAUSTED: {
    status: 409,
    title: 'No seat is free',
    next: 'Revoke a seat that detail names, buy more, or send wait: the seat is then given once one is free.',
  },
  SEAT_BLOCKED: {
    status: 409,
    title: 'This person cannot have this seat',
    next: 'Mend what detail names: another seat, the place, or whether the person is active.',
  },
  SEAT_COOLDOWN: {
    status: 409,
    title: 'The seat was given too recently',
    next: 'Wait until the instant in detail, or revoke it with `override` and a reason; suspending or archiving the person frees it at once.',
  },
  SEAT_REQUEST_OPEN: {
    status: 409,
    title: 'This was asked for already',
    next: 'Wait for the decision, or withdraw the request.',
  },
  SEAT_REQUEST_OVER: {
    status: 409,
    title: 'There is no open request',
    next: 'It was decided, withdrawn or has lapsed: ask again, or give the seat by hand.',
  },
  INTEGRITY_EVENT_OVER: {
    status: 409,
    title: 'This integrity event is over',
    next: 'Read the integrity of the tenant: it was mended, or something differs in another way now.',
  },
  JOBS_LATE: {
    status: 503,
    title: 'A job is late',
    next: 'Look at GET /v1/jobs, what is set aside, and the alarms; requests are served all the same.',
  },
  NOT_SET_ASIDE: {
    status: 409,
    title: 'This work is not set aside',
    next: 'Read the list of what is set aside: it was tried again, discarded or done meanwhile.',
  },
  NOT_RECLAIMING: {
    status: 409,
    title: 'These seats are not about to be taken',
    next: 'Read the cases of the tenant: it was kept, canceled or ended before.',
  },
  UNDO_OVER: {
    status: 409,
    title: 'There is nothing left to undo',
    next: 'Give the seats by hand instead.',
  },
  WEBHOOK_URL_REFUSED: {
    status: 422,
    title: 'Webhooks cannot be sent there',
    next: 'Use an https URL on port 443 or 8443 whose name leads to addresses of the public internet only.',
  },
  WEBHOOKS_EXHAUSTED: {
    status: 409,
    title: 'There are as many webhook endpoints as there may be',
    next: 'Remove one that is not needed, or let one endpoint receive more types of events.',
  },
  WEBHOOK_DISABLED: {
    status: 409,
    title: 'The webhook endpoint is disabled',
    next: 'Enable it first (PATCH with enabled); what waits for it is sent then.',
  },
  TOO_MUCH_AT_ONCE: {
    status: 422,
    title: 'Too much for one person at once',
    next: 'Change a few roles or seats at a time; a person has at most 20 roles.',
  },
} as const satisfies Record<string, { status: number; title: string; next: string }>

export type RefusalCode = keyof typeof REFUSALS

/** Of whatever is granted only in some countries. */
export const PLACE_REFUSALS = ['COUNTRY_REQUIRED', 'COUNTRY_NOT_ALLOWED', 'TRAVEL_EXHAUSTED'] as const

/** One field of a request that is wrong; `field` is a JSON pointer (RFC 6901) into the request, or a line. */
export type FieldError = { field: string; message: string }

/** A request that cannot be done, as a value. The pipeline turns it into a problem document (RFC 9457). */
export type Refusal = {
  readonly refused: RefusalCode
  readonly detail: string
  readonly errors?: readonly FieldError[]
  /** Seconds until another try makes sense. */
  readonly retryAfter?: number
  /** Members that a standard asks for in its error answers, such as OFREP's `errorCode`. */
  readonly members?: Readonly<Record<string, string>>
  /** Of POOL_EXHAUSTED: how the pool stands. */
  readonly pool?: PoolShortage
}

export function refuse(
  refused: RefusalCode,
  detail: string,
  extra: {
    errors?: readonly FieldError[]
    retryAfter?: number
    members?: Readonly<Record<string, string>>
    pool?: PoolShortage
  } = {},
): Refusal {
  return { refused, detail, ...extra }
}

/** Alike for what does not exist and for what is another tenant's, so that nobody can tell one from the other. */
export const notFound = refuse('NOT_FOUND', 'There is no such resource.')

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value
}

/** Turns what zod found into field errors, paths as JSON pointers below `root` (`/body`, `/query`, …). */
export function fieldErrors(error: z.ZodError, root = ''): FieldError[] {
  return error.issues
    .flatMap(inAlternative)
    .flatMap(byKey)
    .map((issue) => ({
      field: [
        root,
        ...issue.path.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1')),
      ].join('/'),
      message: MISSING.test(issue.message) ? 'is missing' : issue.message,
    }))
}

type Issue = z.core.$ZodIssue

/** How zod says that there is nothing; people who write JSON know no `undefined`. */
const MISSING = /^Invalid input: expected .*, received undefined$/

/** Of fields that are not known, so many are named each by itself, so that an answer stays small. */
const NAMED = 20

/** A field that is not known is named as one that is wrong. */
function byKey(issue: Issue): Pick<Issue, 'path' | 'message'>[] {
  if (issue.code !== 'unrecognized_keys' || issue.keys.length > NAMED) return [issue]
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is not known here' }))
}

/** Where a union is wrong: in the one alternative whose type it has, if there is one; else as a whole. */
function inAlternative(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const meant = issue.errors.filter((found) => !found.some(isOfAnotherType))
  if (meant.length !== 1) return [issue]
  return meant
    .flat()
    .map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
    .flatMap(inAlternative)
}

const isOfAnotherType = ({ code, path }: Issue) =>
  path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')
