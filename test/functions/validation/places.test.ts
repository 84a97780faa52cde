import { createHash } from 'node:crypto'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { noteOf, type SeenPlace, seePlace } from '../../../functions/places.ts'
import { VisitsView } from '../../../shared/domain/visits.ts'
import { pageOf } from '../../../shared/platform/http/shapes.ts'
import { DAY, HOUR, Instant, plusMilliseconds } from '../../../shared/platform/time.ts'
import { readLicense } from '../../../shared/store/holdings.ts'
import { transact } from '../../../shared/store/transact.ts'
import { type CallOptions, startApi } from '../../support/api.ts'
import { setClock, stopClock } from '../../support/clock.ts'
import { costOf } from '../../support/cost.ts'
import { tally, times } from '../../support/parallel.ts'
import { createPlan, createTenant } from '../../support/resources.ts'
import { allRows } from '../../support/rows.ts'
import { codesOf, createScenario, expected, Issued } from '../../support/scenario.ts'

// Through the functions, with an edge that is configured, a database of addresses, and the clock as an argument.
const SECRET = 'what the edge adds to each request'
const api = await startApi({
  edge: {
    countryHeader: 'cloudfront-viewer-country',
    proofHeader: 'x-edge-proof',
    proofSha256: [createHash('sha256').update(SECRET).digest('hex')],
  },
  countryModule: new URL('../../support/country-of.ts', import.meta.url).href,
})
afterAll(api.stop)
afterEach(() => vi.useRealTimers())
const scenario = await createScenario(api)
const { product, validate } = scenario
const tenant = await createTenant(api, { timeZone: 'Europe/Berlin' })
const admin = await api.token('tenant:admin', tenant.id)

/** An address that the database does not know, and one of each country it knows. */
const [NOWHERE, IN_DE, IN_FR, PERHAPS_FR] = ['10.0.0.1', '192.0.2.7', '198.51.100.7', '203.0.113.7']
/** As it comes through the edge, whose own address is in France. */
const through = (country: string, proof = SECRET): CallOptions => ({
  address: IN_FR,
  headers: { 'cloudfront-viewer-country': country, 'x-edge-proof': proof },
})
const at = (address: string): CallOptions => ({ address })

async function issue(countries: object) {
  const plan = await createPlan(api, product.id, {
    term: 'perpetual',
    duration: undefined,
    graceDays: 0,
    rules: { countries: { allow: ['DE', 'AT'], ...countries } },
  })
  const order = { tenantId: tenant.id, planId: plan.id, validFrom: '2026-01-01T00:00:00Z' }
  return Issued.parse(expected(201, await scenario.order(order)))
}

const SEEN_IN_FR = [{ country: 'FR', source: 'edge', confidence: 'high' }] as const

async function places(licenseId: string) {
  const query = { licenseId }
  const answer = await api.call('GET', `/v1/tenants/${tenant.id}/places`, { token: admin, query })
  return pageOf(VisitsView).parse(expected(200, answer)).items
}

describe('the country', async () => {
  const { key, license } = await issue({})
  const strict = await issue({ declared: 'ignore' })

  test.each<[string, object, CallOptions, string, string | undefined]>([
    ['of the edge', {}, through('AT'), 'VALID', 'edge AT high'],
    [
      'of the edge, not what is declared',
      { country: 'DE' },
      through('FR'),
      'COUNTRY_NOT_ALLOWED',
      'edge FR high',
    ],
    [
      'of a forged header is nothing',
      { country: 'DE' },
      through('FR', 'a guess'),
      'COUNTRY_NOT_ALLOWED',
      'ip FR medium',
    ],
    [
      'of a header without proof is nothing',
      { country: 'DE' },
      { address: NOWHERE, headers: { 'cloudfront-viewer-country': 'FR' } },
      'VALID',
      'declared DE medium',
    ],
    ['of the address', {}, at(IN_DE), 'VALID', 'ip DE medium'],
    [
      'of the address, not what is declared',
      { country: 'DE' },
      at(IN_FR),
      'COUNTRY_NOT_ALLOWED',
      'ip FR medium',
    ],
    ['of an address that says little', { country: 'DE' }, at(PERHAPS_FR), 'COUNTRY_DOUBTFUL', 'ip FR low'],
    ['that is declared', { country: 'FR' }, at(NOWHERE), 'COUNTRY_NOT_ALLOWED', 'declared FR medium'],
    ['that nobody knows', {}, at(NOWHERE), 'COUNTRY_REQUIRED', undefined],
  ])('%s', async (_, body, options, code, evidence) => {
    const verdict = await validate({ key, ...body }, options)
    expect([verdict.code, verdict.valid]).toEqual([code, code === 'VALID' || code === 'COUNTRY_DOUBTFUL'])
    const [first] = verdict.place?.evidence ?? []
    expect(first && `${first.source} ${first.country} ${first.confidence}`).toBe(evidence)
  })

  test('of a back end is not where the back end is', async () => {
    const token = await api.token('tenant:app', tenant.id)
    const asked = { licenseId: license.id, country: 'DE' }
    expect(await validate(asked, { ...through('US'), token })).toMatchObject({
      code: 'VALID',
      place: { evidence: [{ source: 'declared' }, { source: 'edge', country: 'US', confidence: 'low' }] },
    })
  })

  test('that is declared does not count where the plan says so', async () => {
    expect(await validate({ key: strict.key, country: 'DE' }, at(NOWHERE))).toMatchObject({
      code: 'COUNTRY_REQUIRED',
    })
    expect(await validate({ key: strict.key, country: 'FR' }, through('DE'))).toMatchObject({ code: 'VALID' })
  })

  test('a database that fails is as one that knows nothing', async () => {
    expect(await validate({ key, country: 'DE' }, at('198.18.0.1'))).toMatchObject({ code: 'VALID' })
  })
})

describe('travel', () => {
  const start = Instant.parse('2026-07-01T21:30:00Z')
  const from = (milliseconds: number) => plusMilliseconds(start, milliseconds)

  test('day by day on the calendar of the tenant, and free again when a day leaves the window', async () => {
    stopClock(start)
    const { key, license } = await issue({ travel: { days: 2, window: 'P5D' } })
    const ask = async (time: Instant, country = 'FR') => {
      setClock(time)
      return (await validate({ key, userId: 'ada', country: 'DE' }, through(country))).code
    }
    // 23:30 on 1 July in Berlin, and half an hour after midnight: two days.
    expect([await ask(start), await ask(from(HOUR)), await ask(from(2 * HOUR), 'CH')]).toEqual([
      'TRAVELING',
      'TRAVELING',
      'TRAVELING',
    ])
    const later: string[] = []
    for (const day of [2, 3, 4, 5, 6]) later.push(await ask(from(day * DAY)))
    expect(later).toEqual([
      'TRAVEL_EXHAUSTED',
      'TRAVEL_EXHAUSTED',
      'TRAVEL_EXHAUSTED',
      'TRAVELING',
      'TRAVELING',
    ])
    // At home nothing is used, and another user has days of its own.
    expect(await ask(from(7 * DAY), 'AT')).toBe('VALID')
    expect(await validate({ key, userId: 'eve' }, through('FR'))).toMatchObject({
      code: 'TRAVELING',
      place: { verdict: 'travel', day: '2026-07-08', travel: { used: 1, allowed: 2, window: 'P5D' } },
    })
    const [ada, ...others] = await places(license.id)
    expect(others).toMatchObject([{ visitor: { type: 'user', id: 'eve' } }])
    expect(ada).toMatchObject({ licenseId: license.id, visitor: { type: 'user', id: 'ada' } })
    expect(ada?.visits.map(({ day, country, verdict }) => `${day} ${country} ${verdict}`)).toEqual([
      '2026-07-01 FR travel',
      '2026-07-02 FR travel',
      '2026-07-02 CH travel',
      '2026-07-03 FR outside',
      '2026-07-04 FR outside',
      '2026-07-05 FR outside',
      '2026-07-06 FR travel',
      '2026-07-07 FR travel',
    ])
  })

  test('says when a day is free again; what is valid for other reasons alone uses none', async () => {
    stopClock(start)
    const { key, license } = await issue({ travel: { days: 1, window: 'P1M' } })
    const wrong = await validate({ key, product: 'other' }, through('FR'))
    expect(codesOf(wrong)).toEqual(['PRODUCT_MISMATCH', 'TRAVELING'])
    expect(await places(license.id)).toEqual([])
    await validate({ key }, through('FR'))
    setClock(from(DAY))
    const refused = await validate({ key }, through('FR'))
    expect(refused.findings).toMatchObject([
      {
        code: 'TRAVEL_EXHAUSTED',
        cure: 'Wait until 2026-08-01, when a day is free again, or use it in DE, AT.',
      },
    ])
    setClock(from(31 * DAY - HOUR))
    expect((await validate({ key }, through('FR'))).code).toBe('TRAVELING')
  })

  test('machines are told apart by what they are made of, and kept as a hash', async () => {
    const { key, license } = await issue({ travel: { days: 1, window: 'P1M' } })
    const fingerprint = 'the board of this machine'
    await validate({ key, fingerprint }, through('FR'))
    await validate({ key, fingerprint: 'the board of that machine' }, through('FR'))
    await validate({ key, fingerprints: [{ value: fingerprint }] }, through('CH'))
    const found = await places(license.id)
    expect(found.map(({ visitor, visits }) => [visitor.type, visits.length]).toSorted()).toEqual([
      ['machine', 1],
      ['machine', 2],
    ])
    expect(JSON.stringify(found)).not.toContain('board')
  })

  test('twelve at once on the last day use it once, and twelve on the next day are refused', async () => {
    stopClock(start)
    const { key, license } = await issue({ travel: { days: 2, window: 'P1Y' } })
    const twelve = () => times(12, async () => (await validate({ key }, through('FR'))).code)
    await validate({ key }, through('FR'))
    setClock(from(HOUR))
    expect(tally(await twelve())).toEqual({ TRAVELING: 12 })
    setClock(from(DAY + HOUR))
    expect(tally(await twelve())).toEqual({ TRAVEL_EXHAUSTED: 12 })
    const [row] = await places(license.id)
    expect(row?.visits.map(({ day, verdict }) => `${day} ${verdict}`)).toEqual([
      '2026-07-01 travel',
      '2026-07-02 travel',
      '2026-07-03 outside',
    ])
    const events = (await scenario.api.call('GET', `/v1/tenants/${tenant.id}/events`, { token: admin })).body
    const ours = z
      .object({ items: z.array(z.object({ type: z.string(), subject: z.object({ id: z.string() }) })) })
      .parse(events)
      .items.filter(({ subject }) => subject.id === license.id)
    expect(tally(ours.map(({ type }) => type))).toMatchObject({
      'license.travel-day-used': 2,
      'license.seen-outside': 1,
    })
  })

  test('at midnight, two requests that each saw the last day free: one of them gets it', async () => {
    const { license } = await issue({ travel: { days: 1, window: 'P1Y' } })
    const { id: licenseId, tenantId, productId } = license
    const row = await readLicense(api.table, { tenantId, productId, licenseId })
    const look = (now: Instant) =>
      row && seePlace(row, SEEN_IN_FR, () => ({ type: 'license', id: licenseId }), now, api.table)
    const write = (seen: SeenPlace | undefined) => {
      const { place } = noteOf(seen).writes
      return place && transact(api.table, { place })
    }
    const [eve, day] = [await look(start), await look(from(HOUR))]
    expect([eve?.place.verdict, day?.place.verdict]).toEqual(['travel', 'travel'])
    expect([await write(eve), await write(day)]).toEqual([{ ok: true }, { ok: false, failed: ['place'] }])
    expect((await look(from(HOUR)))?.place).toMatchObject({ verdict: 'outside', refused: true })
    // Likewise where there is a row already.
    const [one, two] = [await look(from(366 * DAY)), await look(from(367 * DAY))]
    expect([await write(two), await write(one)]).toEqual([{ ok: true }, { ok: false, failed: ['place'] }])
  })
})

test('costs one read inside; outside one more, and one write for each visitor, country and day', async () => {
  const { key } = await issue({ travel: { days: 9, window: 'P1Y' } })
  await validate({ key }, through('DE'))
  const cost = (options: CallOptions) => costOf(api, () => validate({ key, userId: 'ada' }, options))
  // Whoever is named is looked for among the people only where seats are managed.
  const named = { Query: 1 }
  expect(await cost(through('AT'))).toEqual(named)
  expect(await cost(through('FR'))).toEqual({ ...named, GetItem: 1, TransactWriteItems: 1 })
  expect(await cost(through('FR'))).toEqual({ ...named, GetItem: 1 })
  expect(await cost(through('CH'))).toEqual({ ...named, GetItem: 1, TransactWriteItems: 1 })
})

test('a license that does not count uses no days and leaves no evidence', async () => {
  const { key, license } = await issue({ travel: { days: 9, window: 'P1Y' } })
  await scenario.act(license.id, 'suspend')
  expect(codesOf(await validate({ key }, through('FR')))).toEqual(['SUSPENDED', 'TRAVELING'])
  expect(await places(license.id)).toEqual([])
})

test('no address is in any row: not in the evidence, not in its event', async () => {
  const text = JSON.stringify([...(await allRows(api.table)).values()])
  expect(text).toContain('license.seen-outside')
  for (const address of [NOWHERE, IN_DE, IN_FR, PERHAPS_FR]) expect(text).not.toContain(address)
})

test('only the tenant and the vendor see where licenses are used', async () => {
  const { license } = await issue({})
  const other = await createTenant(api)
  const path = `/v1/tenants/${tenant.id}/places`
  const ask = async (token: string) =>
    (await api.call('GET', path, { token, query: { licenseId: license.id } })).status
  expect(await ask(await api.token('vendor:support'))).toBe(200)
  expect(await ask(await api.token('tenant:admin', other.id))).toBe(404)
  expect(await ask(await api.token('tenant:app', tenant.id))).toBe(403)
})
