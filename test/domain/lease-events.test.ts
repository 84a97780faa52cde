import { expect, test } from 'vitest'
import type { Caller } from '../../shared/domain/access.ts'
import type { Entry } from '../../shared/domain/lease-entry.ts'
import { leaseEvents, queueEvents } from '../../shared/domain/lease-events.ts'
import { type Last, lastOf } from '../../shared/domain/lease-last.ts'
import type { Pool } from '../../shared/domain/pool.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { at, PRODUCT, TENANT } from '../support/licenses.ts'

const NOW = at('2026-06-01T12:00:00Z')
const LATER = at('2026-06-01T12:00:02Z')
const CALLER: Caller = { kind: 'tenant', role: 'tenant:app', tenantId: TENANT, subject: 'tok_1' }
const ADDRESS = { tenantId: TENANT, productId: PRODUCT, metric: 'concurrent' }

const entry = (changes: Partial<Entry> = {}): Entry => ({
  kind: 'lease',
  units: 1,
  overdraft: false,
  until: seconds(NOW) + 600,
  beat: seconds(NOW),
  generation: 7,
  sharers: 0,
  ...changes,
})
const pool = (entries: Record<string, Entry>, last?: Last, waiting = 0): Pool => ({
  fence: 1,
  used: 0,
  borrowed: 0,
  inItem: Object.keys(entries).length,
  paged: 0,
  waiting,
  entries: new Map(Object.entries(entries)),
  last,
})
const last = (op: Last['op'], ref: string) =>
  lastOf(op, ref, { caller: CALLER, now: NOW, requestId: 'req' }, { holder: { userId: 'ada' } })
const told = (before: Pool | undefined, after: Pool) =>
  [leaseEvents, queueEvents]
    .flatMap((events) => events(ADDRESS, before, after, LATER))
    .map(({ type, subject, actor }) => [type, subject.id, actor.kind])

const over = entry({ until: seconds(NOW) - 31 })
const a = entry()
const shared = (sharers: number) => entry({ kind: 'shared', sharers })
const hold = entry({ kind: 'hold' })

const cases: [string, Pool | undefined, Pool, unknown[]][] = [
  ['a check-out', pool({}), pool({ a }, last('out', 'a')), [['lease.checked-out', 'a', 'tenant']]],
  ['the first one', undefined, pool({ a }, last('out', 'a')), [['lease.checked-out', 'a', 'tenant']]],
  ['a heartbeat', pool({ a }), pool({ a: entry({ generation: 8 }) }), []],
  [
    'a heartbeat that finds another lapsed',
    pool({ a, b: over }, last('out', 'b')),
    pool({ a: entry({ generation: 8 }) }, last('out', 'b')),
    [['lease.lapsed', 'b', 'system']],
  ],
  ['a check-in', pool({ a }), pool({}, last('in', 'a')), [['lease.checked-in', 'a', 'tenant']]],
  [
    'a check-in whose place goes to the next',
    pool({ a }, undefined, 1),
    pool({ b: hold }, last('in', 'a')),
    [
      ['lease.checked-in', 'a', 'tenant'],
      ['ticket.held', 'b', 'system'],
    ],
  ],
  [
    'a check-out in the place of one that lapsed',
    pool({ a: over }),
    pool({ b: a }, last('out', 'b')),
    [
      ['lease.lapsed', 'a', 'system'],
      ['lease.checked-out', 'b', 'tenant'],
    ],
  ],
  [
    'one under the name of one that lapsed',
    pool({ a: over }),
    pool({ a }, last('out', 'a')),
    [
      ['lease.lapsed', 'a', 'system'],
      ['lease.checked-out', 'a', 'tenant'],
    ],
  ],
  ['a claim', pool({ a: hold }), pool({ a }, last('claim', 'a')), [['lease.checked-out', 'a', 'tenant']]],
  [
    'another who shares',
    pool({ a: shared(1) }),
    pool({ a: shared(3) }, last('out', 'a')),
    [['lease.shared', 'a', 'tenant']],
  ],
  [
    'one who shares no more',
    pool({ a: shared(3) }),
    pool({ a: shared(2) }, last('in', 'a')),
    [['lease.unshared', 'a', 'tenant']],
  ],
  [
    'a return, early and late',
    pool({ a: entry({ kind: 'borrow' }), b: entry({ kind: 'borrow', until: seconds(NOW) - 40 }) }),
    pool({}, last('return', 'a')),
    [
      ['lease.returned', 'a', 'tenant'],
      ['lease.lapsed', 'b', 'system'],
    ],
  ],
  ['a release, told by its own transaction', pool({ a }), pool({}, last('release', 'a')), []],
  ['a pool that shrank', pool({ a }), pool({}, last('shed', 'a')), [['lease.withdrawn', 'a', 'tenant']]],
  ['a ticket', pool({}), pool({}, last('join', 't'), 1), [['ticket.joined', 't', 'tenant']]],
  [
    'a ticket canceled',
    pool({}, undefined, 1),
    pool({}, last('leave', 't')),
    [['ticket.canceled', 't', 'tenant']],
  ],
  ['a hold given up', pool({ t: hold }), pool({}, last('leave', 't')), [['ticket.canceled', 't', 'tenant']]],
  [
    'tickets that nobody waits for, a hold that nobody claimed',
    pool({ h: entry({ kind: 'hold', until: 0 }) }, undefined, 3),
    pool({ t: hold }, last('serve', '')),
    [
      ['ticket.lapsed', 'h', 'system'],
      ['ticket.held', 't', 'system'],
      ['ticket.expired', 'concurrent', 'system'],
    ],
  ],
  ['a raised fence', pool({ a }, last('out', 'a')), { ...pool({ a }, last('out', 'a')), fence: 2 }, []],
]

test.each(cases)('%s', (_, before, after, events) => {
  expect(told(before, after)).toEqual(events)
})

test('comes in one order, in whichever an image has its attributes: the place of an event is part of its id', () => {
  const before = { a: over, b: over }
  const after = { c: hold, d: hold }
  const turned = (entries: Record<string, Entry>) => Object.fromEntries(Object.entries(entries).toReversed())
  const events = told(pool(before), pool(after, last('serve', '')))
  expect(events).toHaveLength(4)
  expect(told(pool(turned(before)), pool(turned(after), last('serve', '')))).toEqual(events)
})

test('names who asked, also where an identity provider has blanks in its names', () => {
  const caller = { ...CALLER, subject: 'https://idp.example.test|ada of physics' }
  const asked = lastOf('out', 'a', { caller, now: NOW, requestId: 'req' })
  const [event] = leaseEvents(ADDRESS, pool({}), pool({ a }, asked), LATER)
  expect(event?.actor).toEqual({ kind: 'tenant', role: 'tenant:app', subject: caller.subject })
})

test('says until when a copy may be used of what came back without a proof', () => {
  const before = pool({ a: entry({ kind: 'borrow' }) })
  const back = (proven: boolean) => pool({}, { ...last('return', 'a'), ...(proven && { pr: true }) })
  const after = (proven: boolean) => leaseEvents(ADDRESS, before, back(proven), LATER).map((one) => one.after)
  expect(after(false)).toEqual([{ mayBeUsedOfflineUntil: at('2026-06-01T12:10:00Z') }])
  expect(after(true)).toEqual([undefined])
})

test('says who, for whom, when and in which request', () => {
  expect(leaseEvents(ADDRESS, pool({}), pool({ a }, last('out', 'a')), LATER)).toEqual([
    {
      type: 'lease.checked-out',
      tenantId: TENANT,
      at: NOW,
      actor: { kind: 'tenant', subject: 'tok_1', role: 'tenant:app' },
      requestId: 'req',
      subject: { type: 'lease', id: 'a' },
      after: {
        productId: PRODUCT,
        metric: 'concurrent',
        units: 1,
        overdraft: false,
        expiresAt: at('2026-06-01T12:10:00Z'),
        userId: 'ada',
      },
    },
  ])
})
