import { describe, expect, test } from 'vitest'
import { Plan, Product } from '../../shared/domain/catalog.ts'
import { checkPlan, checkProduct } from '../../shared/domain/catalog-rules.ts'
import type { Refusal } from '../../shared/domain/refusal.ts'
import { PLAN, PRODUCT } from '../support/licenses.ts'
import { planDraft, productDraft } from '../support/resources.ts'

const createdAt = '2026-01-01T00:00:00.000Z'
const product = (overrides: object = {}) =>
  Product.parse({ id: PRODUCT, ...productDraft(), ...overrides, createdAt, revision: 1 })
const plan = (overrides: object = {}) =>
  Plan.parse({ id: PLAN, ...planDraft(PRODUCT), ...overrides, createdAt, revision: 1 })

/** The code and the fields it names, or that there is nothing to refuse. */
const said = (refusal: Refusal | undefined) =>
  refusal && [refusal.refused, ...(refusal.errors ?? []).map(({ field }) => field)]

/** Modules with seats, by what each requires, and excludes. */
const seats = (requires: Record<string, string[]>, excludes: Record<string, string[]> = {}) =>
  Object.entries(requires).map(([code, others]) => ({
    code,
    name: code,
    seat: { metric: 'users', requires: others, ...(excludes[code] && { excludes: excludes[code] }) },
  }))

/** Two modules with seats, one without, and one whose seats combine these. */
const combining = (combines: string[], metric: string, more: object = {}) => [
  ...seats({ a: [], b: [] }),
  { code: 'both', name: 'Both', seat: { metric, combines, ...more } },
  { code: 'c', name: 'C' },
]

describe('a product', () => {
  const cases: [what: string, overrides: object, said: string[] | undefined][] = [
    ['is consistent', {}, undefined],
    ['may have modules that name nothing', { modules: [{ code: 'a', name: 'A' }] }, undefined],
    [
      'has a module with an undeclared metric',
      { modules: [{ code: 'a', name: 'A', metrics: ['users', 'seats'] }] },
      ['INVALID_REQUEST', '/body/modules/0/metrics/1'],
    ],
    [
      'has modules with undeclared features',
      {
        modules: [
          { code: 'a', name: 'A', features: ['users'] },
          { code: 'b', name: 'B', features: ['constructor'] },
        ],
      },
      ['INVALID_REQUEST', '/body/modules/0/features/0', '/body/modules/1/features/0'],
    ],
    [
      'has modules that require others in a row',
      { modules: seats({ a: ['b'], b: ['c'], c: [] }) },
      undefined,
    ],
    [
      'has modules that require each other, so that nobody could have a seat',
      { modules: seats({ a: ['b'], b: ['c'], c: ['b'] }) },
      ['INVALID_REQUEST', '/body/modules/1/seat/requires', '/body/modules/2/seat/requires'],
    ],
    [
      'has a module that takes two others of which one excludes the other',
      { modules: seats({ a: ['b'], b: ['c'], c: [] }, { c: ['a'] }) },
      ['INVALID_REQUEST', '/body/modules/0/seat/requires'],
    ],
    [
      'counts seats in a counter, or in what is not declared',
      {
        modules: ['signatures', 'seats'].map((metric) => ({ code: metric, name: 'A', seat: { metric } })),
      },
      ['INVALID_REQUEST', '/body/modules/0/seat/metric', '/body/modules/1/seat/metric'],
    ],
    [
      'has combined seats of modules with seats of their own',
      { modules: combining(['a', 'b'], 'departments') },
      undefined,
    ],
    [
      'combines seats that are not there, are its own, or are combined',
      { modules: combining(['nobody', 'both', 'a'], 'departments', { requires: ['both'], excludes: ['c'] }) },
      [
        'INVALID_REQUEST',
        ...['combines/0', 'combines/1', 'excludes/0', 'requires/0', 'requires'].map(
          (field) => `/body/modules/2/seat/${field}`,
        ),
      ],
    ],
    [
      'requires itself, and excludes combined seats',
      {
        modules: [
          ...seats({ a: ['a'], b: [] }, { a: ['both'] }),
          ...combining(['a', 'b'], 'departments').slice(2),
        ],
      },
      [
        'INVALID_REQUEST',
        ...['excludes/0', 'requires/0', 'requires'].map((field) => `/body/modules/0/seat/${field}`),
      ],
    ],
    [
      'has combined seats in the metric of another module',
      { modules: combining(['a', 'b'], 'users') },
      ['INVALID_REQUEST', ...[0, 1, 2].map((index) => `/body/modules/${index}/seat/metric`)],
    ],
    [
      'is too large to be kept with its history',
      {
        modules: Array.from({ length: 50 }, (_, index) => ({
          code: `module-${index}`,
          name: 'x'.repeat(200),
          metrics: Array.from({ length: 50 }, () => 'users'.padEnd(64, 'x')),
        })),
        metrics: [{ code: 'users'.padEnd(64, 'x'), kind: 'gauge' }],
      },
      ['INVALID_REQUEST', '/body'],
    ],
  ]
  test.each(cases)('%s', (_, overrides, expected) => {
    expect(said(checkProduct(product(overrides)))).toEqual(expected)
  })
})

describe('an edited product', () => {
  const before = product({ modules: [] })
  const [users, departments, signatures] = before.metrics
  const fast = { ...signatures, rate: 'high' }
  const cases: [what: string, after: object, said: string[] | undefined][] = [
    ['may say the same', {}, undefined],
    ['may have more', { metrics: [{ code: 'machines', kind: 'gauge' }, ...before.metrics] }, undefined],
    ['may rename', { metrics: [{ ...users, name: 'People' }, departments, signatures] }, undefined],
    ['may not remove a metric', { metrics: [users, departments] }, ['INVALID_REQUEST', '/body/metrics']],
    [
      'may not change the kind of a metric',
      { metrics: [{ ...users, kind: 'counter' }, departments, signatures] },
      ['INVALID_REQUEST', '/body/metrics'],
    ],
    ['may have a metric of a high rate', { metrics: [users, departments, fast] }, undefined],
    [
      'may not change a type and remove the others',
      { features: [{ code: 'sso', type: 'number' }] },
      ['INVALID_REQUEST', '/body/features', '/body/features', '/body/features'],
    ],
  ]
  test.each(cases)('%s', (_, after, expected) => {
    expect(said(checkProduct(product({ modules: [], ...after }), before))).toEqual(expected)
  })

  test('keeps a high rate: what shards have in hand would stay counted', () => {
    const sharded = product({ modules: [], metrics: [users, departments, fast] })
    expect(said(checkProduct(before, sharded))).toEqual(['INVALID_REQUEST', '/body/metrics'])
    expect(said(checkProduct(sharded, sharded))).toBeUndefined()
  })
})

describe('a plan', () => {
  const travel = (allowance: object) => ({ rules: { countries: { allow: ['DE'], travel: allowance } } })
  const versions = (rule: object) => ({ rules: { versions: rule } })
  const cases: [what: string, overrides: object, said: string[] | undefined][] = [
    ['fits its product', {}, undefined],
    ['may be perpetual', { term: 'perpetual', duration: undefined }, undefined],
    ['may be a trial', { term: 'trial', duration: 'P14D', graceDays: 0 }, undefined],
    ...(['named', 'floating', 'node-locked', 'site'] as const).map(
      (allocation): [string, object, undefined] => [`may be ${allocation}`, { allocation }, undefined],
    ),
    ['is perpetual with a duration', { term: 'perpetual' }, ['INVALID_REQUEST', '/body/duration']],
    ['is a subscription without one', { duration: undefined }, ['INVALID_REQUEST', '/body/duration']],
    ['is a trial with grace', { term: 'trial' }, ['INVALID_REQUEST', '/body/graceDays']],
    ['limits what is not a metric', { limits: { sso: 1 } }, ['PLAN_MISMATCH', '/body/limits/sso']],
    [
      'grants features of other types',
      { features: { sso: 'yes', 'storage-gb': true, edition: 'pro', toString: 1 } },
      ['PLAN_MISMATCH', '/body/features/sso', '/body/features/storage-gb', '/body/features/toString'],
    ],
    ['takes a range of versions', versions({ kind: 'range', range: '>=1.2 <3 || 4.x' }), undefined],
    ['takes a version policy', versions({ kind: 'policy', base: '2.1.0', allow: 'minor' }), undefined],
    [
      'has a range that is none',
      versions({ kind: 'range', range: 'newest' }),
      ['INVALID_REQUEST', '/body/rules/versions/range'],
    ],
    [
      'has a base that is no version',
      versions({ kind: 'policy', base: '2.1', allow: 'minor' }),
      ['INVALID_REQUEST', '/body/rules/versions/base'],
    ],
    [
      'allows and denies a country',
      { rules: { countries: { allow: ['DE', 'FR'], deny: ['US', 'FR'] } } },
      ['INVALID_REQUEST', '/body/rules/countries/deny/1'],
    ],
    ['takes days of travel', travel({ days: 30, window: 'P1M' }), undefined],
    [
      'grants travel where every country is allowed anyway',
      { rules: { countries: { deny: ['FR'], travel: { days: 3, window: 'P1Y' } } } },
      ['INVALID_REQUEST', '/body/rules/countries/travel'],
    ],
    [
      'grants travel on every day of the window',
      travel({ days: 7, window: 'P1W' }),
      ['INVALID_REQUEST', '/body/rules/countries/travel/days'],
    ],
    [
      'counts travel over more than two years',
      travel({ days: 3, window: 'P25M' }),
      ['INVALID_REQUEST', '/body/rules/countries/travel/window'],
    ],
    [
      'takes leases of ten years',
      { rules: { lease: { duration: 'P10Y' }, borrow: { maximum: 'P120M' }, queue: { hold: 'PT5M' } } },
      undefined,
    ],
    [
      'has leases longer than a pool can keep',
      { rules: { lease: { duration: 'P99Y' }, borrow: { maximum: 'P9999D' }, queue: { hold: 'P999W' } } },
      [
        'INVALID_REQUEST',
        '/body/rules/lease/duration',
        '/body/rules/queue/hold',
        '/body/rules/borrow/maximum',
      ],
    ],
    [
      'has leases longer than that in hours',
      { rules: { lease: { duration: 'P9YT99999H' }, borrow: { maximum: 'PT87000H' } } },
      ['INVALID_REQUEST', '/body/rules/lease/duration'],
    ],
    [
      'tells of a seat longer before than there are instants',
      { rules: { reclaim: { inactiveFor: 'P90D', noticeDays: [120, 9_000_000] } } },
      ['INVALID_REQUEST', '/body/rules/reclaim/noticeDays/1'],
    ],
    ['meters a counter', { rules: { metering: { signatures: { period: 'P1M' } } } }, undefined],
    [
      'meters a gauge, or what is not declared',
      { rules: { metering: { users: { period: 'P1M' }, calls: { period: 'P1M' } } } },
      ['PLAN_MISMATCH', '/body/rules/metering/users', '/body/rules/metering/calls'],
    ],
    [
      'is wrong in several ways',
      { limits: { seats: 1 }, term: 'perpetual' },
      ['PLAN_MISMATCH', '/body/limits/seats', '/body/duration'],
    ],
  ]
  test.each(cases)('%s', (_, overrides, expected) => {
    expect(said(checkPlan(plan(overrides), product()))).toEqual(expected)
  })
})
