import { describe, expect, test } from 'vitest'
import { Event } from '../../shared/domain/event.ts'
import { noticesOf } from '../../shared/domain/event-notices.ts'
import type { NoticeContact } from '../../shared/domain/notice.ts'
import { recipientsOf } from '../../shared/domain/notice-audience.ts'
import { MailAddress } from '../../shared/domain/notice-settings.ts'
import { OrganizationId } from '../../shared/platform/ids.ts'
import { at, licenseId, PRODUCT, TENANT } from '../support/licenses.ts'

const id = (prefix: string) => `${prefix}_${'1'.padStart(26, '0')}`
const event = (
  type: string,
  after: object | undefined,
  subject = { type: 'license', id: String(licenseId(1)) },
) =>
  Event.parse({
    id: id('evt'),
    type,
    at: at('2026-05-01T00:00:00Z'),
    tenantId: TENANT,
    actor: { kind: 'system', subject: 'x' },
    subject,
    ...(after && { after }),
    requestId: 'r',
  })
const names = {
  product: () => 'Studio',
  person: () => ({ name: 'Ada', email: 'ada@example.edu' }),
}
const pool = { productId: PRODUCT, metric: 'users', used: 11, capacity: 10 }
const person = { type: 'user', id: id('usr') }
const reclaimed = {
  productId: PRODUCT,
  openedAt: '2026-05-01T00:00:00Z',
  days: 7,
  reclaimAt: '2026-05-08T00:00:00Z',
}

describe('what is told of an event', () => {
  test.each<[string, object | undefined, { type: string; id: string } | undefined, object[]]>([
    [
      'license.suspended',
      { id: licenseId(1), productId: PRODUCT },
      undefined,
      [{ kind: 'license-status', change: 'suspended' }],
    ],
    [
      'license.transferred',
      { id: licenseId(1), productId: PRODUCT },
      undefined,
      [{ kind: 'license-status', change: 'transferred' }],
    ],
    ['license.status-changed', { state: 'GRACE' }, undefined, []],
    [
      'capacity.reached',
      { ...pool, threshold: 90 },
      undefined,
      [{ kind: 'capacity', threshold: 90, product: 'Studio' }],
    ],
    ['capacity.cleared', { ...pool, threshold: 90 }, undefined, []],
    [
      'capacity.over-allocated',
      { ...pool, cureUntil: '2026-06-01T00:00:00Z' },
      undefined,
      [{ kind: 'over-allocation', state: 'begun' }],
    ],
    ['capacity.cured', { ...pool, capacity: 'unlimited' }, undefined, [{ state: 'cured', used: 11 }]],
    [
      'integrity.found',
      { check: 'license', detail: 'limits differ' },
      undefined,
      [{ kind: 'integrity', detail: 'limits differ' }],
    ],
    ['integrity.acknowledged', {}, undefined, []],
    [
      'job.failed',
      { job: 'sendNotices', reason: 'Error: no' },
      { type: 'timer', id: 'mail' },
      [{ kind: 'job-failed', job: 'sendNotices' }],
    ],
    [
      'webhook.disabled',
      { url: 'https://a.example', because: 'GONE' },
      { type: 'webhook', id: 'w' },
      [{ endpoint: 'https://a.example', reason: 'GONE' }],
    ],
    [
      'seat-request.made',
      { productId: PRODUCT, module: 'learn', wanted: 'a course' },
      person,
      [{ kind: 'seat-request', person: 'Ada', reason: 'a course' }],
    ],
    ['reclamation.notified', reclaimed, person, [{ kind: 'seat-reclaim', at: '2026-05-08T00:00:00.000Z' }]],
    [
      'mail.suppressed',
      { email: 'ada@example.edu', why: 'bounce' },
      undefined,
      [{ kind: 'mail-undeliverable' }],
    ],
    ['user.edited', {}, person, []],
  ])('%s', (type, after, subject, expected) => {
    expect(noticesOf(event(type, after, subject), names).map(({ about }) => about)).toMatchObject(expected)
  })

  test('a license that was tampered with is one occasion a day, whoever finds it, and again if it differs otherwise', () => {
    const occasion = (type: string, after: object) =>
      noticesOf(event(type, after), names).map((one) => one.occasion.join(' '))
    const [first] = occasion('license.tampered', { state: 'TAMPERED' })
    const found = { findingId: 'itg_1', check: 'license-tampered', differs: [] }
    expect(occasion('integrity.found', found)).toEqual([first])
    expect(occasion('integrity.found', { ...found, supersedes: ['itg_0'] })).not.toEqual([first])
    expect(occasion('integrity.found', { ...found, check: 'license-changed' })).not.toEqual([first])
  })

  test('a seat that is taken back is told the person, once for each of its notices, until it is taken', () => {
    const [draft] = noticesOf(event('reclamation.notified', reclaimed, person), names)
    expect(draft).toMatchObject({
      person: { email: 'ada@example.edu' },
      until: '2026-05-08T00:00:00.000Z',
      occasion: [person.id, PRODUCT, '2026-05-01T00:00:00.000Z', '7'],
    })
  })
})

describe('who is told', () => {
  const school = OrganizationId.parse(id('org'))
  const contacts: NoticeContact[] = [
    { name: 'Owner', email: 'o@example.edu', role: 'owner' },
    { name: 'Billing', email: 'b@example.edu', role: 'billing' },
    { name: 'School', email: 's@example.edu', role: 'administrator', organizationId: school },
  ]
  const addresses = (...known: { email: string; muted?: string[]; suppressed?: object }[]) =>
    new Map(known.map((one) => [one.email, MailAddress.parse(one)]))
  const bounced = { suppressed: { at: '2026-01-01T00:00:00Z', why: 'bounce' } }
  const told = (
    kind: Parameters<typeof recipientsOf>[0],
    known = addresses(),
    about: Parameters<typeof recipientsOf>[2] = {},
    among = contacts,
  ) => recipientsOf(kind, { contacts: among, addresses: known }, about).map(({ email }) => email[0])

  test.each<[string, (string | undefined)[], string[]]>([
    ['by role', told('expiry-reminder'), ['o', 'b']],
    [
      'those of an organization what concerns it',
      told('seat-request', addresses(), { organizationIds: [school] }),
      ['o', 's'],
    ],
    ['and nothing else', told('seat-request'), ['o']],
    ['who muted it is not', told('capacity', addresses({ email: 'o@example.edu', muted: ['capacity'] })), []],
    [
      'what is needed cannot be muted',
      told('license-status', addresses({ email: 'o@example.edu', muted: ['license-status'] })),
      ['o'],
    ],
    [
      'where mail does not arrive another is',
      told('license-status', addresses({ email: 'o@example.edu', ...bounced })),
      ['b'],
    ],
    [
      'where nobody has the role all are',
      told('webhook-disabled', addresses(), {}, contacts.slice(1)),
      ['b'],
    ],
    [
      'the person alone',
      told('seat-reclaim', addresses(), { person: { email: 'p@example.edu', name: 'P' } }),
      ['p'],
    ],
    [
      'if mail reaches it',
      told('seat-reclaim', addresses({ email: 'p@example.edu', ...bounced }), {
        person: { email: 'p@example.edu', name: 'P' },
        organizationIds: [school],
      }),
      ['o', 's'],
    ],
  ])('%s', (_, actual, expected) => expect(actual).toEqual(expected))
})

test('a person that is told alone is told in the language of its address', () => {
  const address = MailAddress.parse({ email: 'ada@example.edu', language: 'de' })
  const known = { contacts: [], addresses: new Map([['ada@example.edu', address]]) }
  const one = { email: 'Ada@Example.edu', name: 'Ada' }
  expect(recipientsOf('seat-reclaim', known, { person: one })).toEqual([{ ...one, language: 'de' }])
})
