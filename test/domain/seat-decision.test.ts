import { describe, expect, test } from 'vitest'
import { Product } from '../../shared/domain/catalog.ts'
import { Organization, type Organizations } from '../../shared/domain/organization.ts'
import { poolName, type Reservation, type Seat, SeatPolicy, type SeatPool } from '../../shared/domain/seat.ts'
import { decideSeats, EMPTY_POOL, neededModules, type Seating } from '../../shared/domain/seat-decision.ts'
import { User } from '../../shared/domain/user.ts'
import { OrganizationId, ProductId, UserId } from '../../shared/platform/ids.ts'
import { aLicense, at, PRODUCT, TENANT } from '../support/licenses.ts'
import { productDraft } from '../support/resources.ts'

const [BEFORE, NOW] = [at('2026-01-01T00:00:00Z'), at('2026-06-01T00:00:00Z')]
const numbered = (prefix: string, number: number) => `${prefix}_${String(number).padStart(26, '0')}`
const organization = (number: number) => OrganizationId.parse(numbered('org', number))
const [school, faculty, club] = [organization(1), organization(2), organization(3)]
const organizations: Organizations = new Map(
  [
    { id: school, name: 'School' },
    { id: faculty, name: 'Faculty', parentId: school },
    { id: club, name: 'Club' },
  ].map((one) => [one.id, Organization.parse({ ...one, tenantId: TENANT, createdAt: BEFORE, revision: 1 })]),
)
const product = Product.parse({
  id: PRODUCT,
  ...productDraft(),
  modules: [
    { code: 'learn', name: 'Learn', seat: { metric: 'learners', roles: ['author'] } },
    { code: 'exam', name: 'Exam', seat: { metric: 'exams', roles: [] } },
  ],
  createdAt: BEFORE,
  revision: 1,
})
const byHand = (module: string) => [{ productId: PRODUCT, module, at: BEFORE, by: 'tok_1' }]
const person = (facts: object = {}) =>
  User.parse({
    id: UserId.parse(numbered('usr', 1)),
    tenantId: TENANT,
    name: 'Ada',
    roles: ['author'],
    status: 'active',
    direct: [],
    withheld: [],
    pending: [],
    holds: [],
    createdAt: BEFORE,
    revision: 1,
    version: 1,
    ...facts,
  })
const place = { productId: PRODUCT, metric: 'learners' }
const LEARNERS = poolName(place)
const aSeat = (facts: Partial<Seat> = {}): Seat => ({
  userId: person().id,
  ...place,
  modules: ['learn'],
  sources: ['role:author'],
  assignedAt: BEFORE,
  pinned: false,
  ...facts,
})
const kept = (organizationId: OrganizationId, seats: number, used: number): Reservation => ({
  ...place,
  organizationId,
  seats,
  used,
})

type Given = {
  pool?: Partial<SeatPool>
  limit?: number
  countries?: { allow: string[] }
  reservations?: Reservation[]
  policy?: object
}
/** Of 10 seats none are taken, unless said otherwise. */
const seatingOf = ({ pool = {}, limit = 10, countries, reservations = [], policy = {} }: Given): Seating => ({
  policy: SeatPolicy.parse(policy),
  organizations,
  products: new Map([[PRODUCT, product]]),
  pools: new Map([[LEARNERS, { ...EMPTY_POOL, ...pool }]]),
  terms: new Map([
    [
      LEARNERS,
      {
        capacity: limit,
        limit,
        licenses: limit === 0 ? [] : [aLicense({ rules: countries ? { countries } : {} })],
      },
    ],
  ]),
  reservations: new Map([[LEARNERS, reservations]]),
})

const FULL = { assigned: 8, committed: 10 }
const inFaculty = { organizationId: faculty }

describe('who needs a seat gets', () => {
  /** What is given and the person’s facts; the reservation of whom it is, or why there is none. */
  test.each<[string, Given, object, string | undefined]>([
    ['a free one', { pool: { assigned: 9, committed: 9 } }, {}, undefined],
    ['none where all are taken', { pool: { assigned: 10, committed: 10 } }, {}, 'NO_CAPACITY'],
    ['none where the rest is kept for others', { pool: FULL }, {}, 'NO_CAPACITY'],
    ['none where no license gives any', { limit: 0 }, {}, 'NOT_LICENSED'],
    ['none ahead of those who wait', { pool: { queued: 1 } }, {}, 'NO_CAPACITY'],
    [
      'none where it may not be used',
      { countries: { allow: ['DE'] } },
      { usageLocation: 'US' },
      'NOT_ALLOWED_HERE',
    ],
    ['one where it may be used', { countries: { allow: ['DE'] } }, { usageLocation: 'DE' }, undefined],
    ['one that is kept for its own', { pool: FULL, reservations: [kept(faculty, 2, 1)] }, inFaculty, faculty],
    [
      'one that is kept for those above',
      { pool: FULL, reservations: [kept(school, 2, 1)] },
      inFaculty,
      school,
    ],
    [
      'of several the nearest',
      { pool: FULL, reservations: [kept(school, 2, 1), kept(faculty, 2, 0), kept(club, 9, 0)] },
      inFaculty,
      faculty,
    ],
    [
      'that of those above, where its own is used up',
      { pool: FULL, reservations: [kept(faculty, 2, 2), kept(school, 2, 0)] },
      inFaculty,
      school,
    ],
    [
      'none of those below',
      { pool: FULL, reservations: [kept(faculty, 2, 0)] },
      { organizationId: school },
      'NO_CAPACITY',
    ],
    ['none of others', { pool: FULL, reservations: [kept(club, 2, 0)] }, inFaculty, 'NO_CAPACITY'],
    [
      'none that is kept where there are too many already',
      { pool: { assigned: 10, committed: 12 }, reservations: [kept(faculty, 2, 0)] },
      inFaculty,
      'NO_CAPACITY',
    ],
    [
      'one of all, where what is kept is used up',
      { pool: { assigned: 5, committed: 5 }, reservations: [kept(faculty, 2, 2)] },
      inFaculty,
      undefined,
    ],
    ['none while it is suspended', { policy: { suspended: 'keep' } }, { status: 'suspended' }, 'nothing'],
  ])('%s', (_, given, facts, expected) => {
    const { seats, pending, taken, freed } = decideSeats(person(facts), [], seatingOf(given), NOW)
    const [seat] = seats
    const answer = seat === undefined ? (pending[0]?.reason ?? 'nothing') : seat.reservedBy
    expect(answer).toBe(expected)
    expect(taken).toEqual(seats)
    expect(freed).toEqual([])
    if (seat) expect(seat).toMatchObject({ metric: 'learners', assignedAt: NOW, pinned: false })
  })

  test('one in its turn, though others wait', () => {
    const seating = seatingOf({ pool: { queued: 3 } })
    expect(decideSeats(person(), [], seating, NOW, new Set([LEARNERS])).seats).toHaveLength(1)
  })

  test('on coming back what it had, pinned where that was', () => {
    const former = { seats: [{ ...place, pinned: true }], groups: [] }
    expect(decideSeats(person({ former }), [], seatingOf({}), NOW).seats).toMatchObject([{ pinned: true }])
  })

  test('nothing on coming back where nothing is free', () => {
    const former = { seats: [{ ...place, pinned: true }], groups: [] }
    const seating = seatingOf({ pool: { assigned: 10, committed: 10 } })
    expect(decideSeats(person({ former }), [], seating, NOW)).toMatchObject({
      seats: [],
      pending: [{ reason: 'NO_CAPACITY' }],
    })
  })

  test('its old place in the queue, if it waits already', () => {
    const pending = [{ ...place, modules: ['learn'], sources: [], reason: 'NO_CAPACITY', since: BEFORE }]
    const seating = seatingOf({ pool: { assigned: 10, committed: 10 } })
    expect(decideSeats(person({ pending }), [], seating, NOW).pending).toMatchObject([{ since: BEFORE }])
    expect(decideSeats(person(), [], seating, NOW).pending).toMatchObject([{ since: NOW }])
  })
})

describe('who has a seat', () => {
  const full = { pool: { assigned: 10, committed: 10, queued: 4 } }
  /** What is given and the person’s facts; the seat it had; then what it has, what is freed and what is taken. */
  test.each<[string, Given, object, Partial<Seat>, [had: number, freed: number, taken: number]]>([
    ['keeps it, though others wait', full, {}, {}, [1, 0, 0]],
    ['keeps it after the license ended', { limit: 0 }, {}, {}, [1, 0, 0]],
    ['frees it where nothing needs it', full, { roles: [] }, {}, [0, 1, 0]],
    ['frees it where it is withheld', full, { withheld: byHand('learn') }, {}, [0, 1, 0]],
    ['frees it when it is archived', full, { status: 'archived' }, {}, [0, 1, 0]],
    ['frees it when it is suspended', full, { status: 'suspended' }, {}, [0, 1, 0]],
    [
      'keeps it suspended, where that is the policy',
      { ...full, policy: { suspended: 'keep' } },
      { status: 'suspended' },
      {},
      [1, 0, 0],
    ],
    [
      'frees it archived, whatever the policy',
      { policy: { suspended: 'keep' } },
      { status: 'archived' },
      {},
      [0, 1, 0],
    ],
    [
      'frees it where it may not be used',
      { countries: { allow: ['DE'] } },
      { usageLocation: 'US' },
      {},
      [0, 1, 0],
    ],
    ['keeps what its organization is kept', full, inFaculty, { reservedBy: school }, [1, 0, 0]],
    ['loses what another one is kept', full, inFaculty, { reservedBy: club }, [0, 1, 0]],
    ['changes to a free one from that', {}, inFaculty, { reservedBy: club }, [1, 1, 1]],
  ])('%s', (_, given, facts, seat, expected) => {
    const had = aSeat(seat)
    const { seats, freed, taken } = decideSeats(person(facts), [had], seatingOf(given), NOW)
    expect([seats.length, freed.length, taken.length]).toEqual(expected)
    if (freed.length > 0) expect(freed).toEqual([had])
    // It is the same seat to the person, since when it has it.
    if (seats.length > 0) expect(seats).toMatchObject([{ assignedAt: BEFORE, pinned: false }])
  })

  test('has it for what it needs now', () => {
    const had = aSeat({ sources: ['role:teacher'] })
    const { seats, taken } = decideSeats(person({ direct: byHand('learn') }), [had], seatingOf({}), NOW)
    expect(seats).toEqual([{ ...had, sources: ['direct', 'role:author'] }])
    expect(taken).toEqual([])
  })

  test('has none of another product by that, where seats are called the same', () => {
    const other = ProductId.parse(numbered('prd', 2))
    const given = seatingOf({ pool: { assigned: 10, committed: 10 } })
    const free = { productId: other, metric: 'learners' }
    const seating: Seating = {
      ...given,
      products: new Map([...given.products, [other, { ...product, id: other }]]),
      terms: new Map([...given.terms, [poolName(free), { capacity: 1, limit: 1, licenses: [aLicense()] }]]),
    }
    const needs = { modules: ['learn'], sources: [], reason: 'NO_CAPACITY' }
    const pending = [{ ...free, ...needs, since: BEFORE }]
    const both = decideSeats(person({ pending }), [], seating, NOW)
    expect(both.seats).toMatchObject([{ productId: other, metric: 'learners' }])
    expect(both.pending).toMatchObject([{ productId: PRODUCT, metric: 'learners', since: NOW }])
    const [seat] = both.seats
    expect(decideSeats(person(), seat ? [seat] : [], seating, NOW)).toMatchObject({
      seats: [seat],
      pending: [{ productId: PRODUCT }],
      freed: [],
    })
    const direct = [{ ...byHand('learn')[0], productId: other }]
    const byHandOnly = decideSeats(person({ roles: [], direct }), [], seating, NOW)
    expect([byHandOnly.seats.length, byHandOnly.pending.length]).toEqual([1, 0])
  })

  test('frees that of a product that nobody knows any more', () => {
    const seating = { ...seatingOf({}), products: new Map() }
    expect(decideSeats(person(), [aSeat()], seating, NOW)).toMatchObject({ seats: [], freed: [aSeat()] })
  })
})

test.each<[string, object, Record<string, string[]>]>([
  ['by its roles', {}, { learn: ['role:author'] }],
  ['by hand', { roles: [], direct: byHand('exam') }, { exam: ['direct'] }],
  ['by both', { direct: byHand('learn') }, { learn: ['direct', 'role:author'] }],
  ['not by a role from which it is withheld', { withheld: byHand('learn') }, {}],
  ['all the same, where another is withheld', { withheld: byHand('exam') }, { learn: ['role:author'] }],
  ['not by a role that asks for nothing', { roles: ['guest'] }, {}],
])('a person needs a module %s', (_, facts, expected) => {
  expect(Object.fromEntries(neededModules(person(facts), product))).toEqual(expected)
})
