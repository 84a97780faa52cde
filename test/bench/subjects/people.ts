import * as z from 'zod'
import { DAY, HOUR, type Instant, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import type { Arm } from '../support/arm.ts'
import type { Bench } from '../support/bench.ts'
import { startMeter } from '../support/meter.ts'
import type { Row, Section } from '../support/report.ts'
import { openMarket, type Tenancy } from '../support/tenancy.ts'

/** Organizations with people in them, each below one without: 200. */
const FACULTIES = 100
const FEW = 100
/** Rows of one import: as many as it takes at most. */
const IMPORTED_AT_ONCE = 10_000
/** People whose activity is reported in one request: as many as it takes at most. */
const SEEN_AT_ONCE = 500
/** One in so many is not seen any more; one in so many is moved, and one in so many finds no seat at first. */
const IDLE = 20
const MOVED = 10
const UNSEATED = 50
/** Lambda: what a function of the stack has of time. */
const JOB_MILLISECONDS = 28_000

const Imported = z.object({ imported: z.number(), remaining: z.number(), alreadyHere: z.number() })
const Ordered = z.object({ id: z.string(), state: z.string(), done: z.number(), selected: z.number() })
const Board = z.object({
  people: z.object({ total: z.number() }),
  products: z.array(z.object({ modules: z.array(z.object({ assigned: z.number(), pending: z.number() })) })),
})
const Savings = z.object({ items: z.array(z.object({ reclaimed: z.number() })) })

/** People are imported, a part of them moves, and those who are not seen for 90 days lose their seats. */
export async function people(bench: Bench, count: number): Promise<Section> {
  const market = await openMarket(bench)
  const arm = await bench.start('people')
  bench.progress('people: 200 organizations, twice')
  const few = await market.tenancy(arm, FEW, FACULTIES, FEW)
  const many = await market.tenancy(arm, count, FACULTIES, count - Math.floor(count / UNSEATED))
  await market.close()
  const said = (what: string, done: number, of: number) =>
    bench.progress(`people: ${done.toLocaleString('en')} of ${of.toLocaleString('en')} ${what}`)

  await importAll(arm, few, FEW, () => undefined)
  const imported = await timed(() => importAll(arm, many, count, (done) => said('imported', done, count)))
  const moved = await timed(() => moveSome(arm, many, (done, of) => said('moved', done, of)))
  const peakOfPeople = await arm.peak()
  await arm.stop()

  const day60 = await bench.start('people', { flags: later(60 * DAY) })
  for (const [tenancy, size] of [
    [few, FEW],
    [many, count],
  ] as const)
    await reportSeen(day60, tenancy, size)
  await day60.stop()

  const boards = await dashboards(bench, few, many)
  const idle = Math.floor(count / IDLE)
  const reclaimed = await timed(() =>
    reclaim(bench, many, (done) => said('taken from who was not seen', done, idle)),
  )
  const after = await dashboards(bench, few, many)
  if (after.board.people.total !== count) throw new Error(`${after.board.people.total} people are left`)

  const size = count.toLocaleString('en')
  const each = (name: string, { seconds, result }: { seconds: number; result: number }): Row[] => [
    { name: `${result.toLocaleString('en')} ${name}`, ours: seconds, unit: 's' },
    { name: `${name}: each`, ours: (seconds * 1000) / Math.max(1, result), unit: 'ms' },
  ]
  // Figures of many people have more digits; nothing else of it grows.
  const same = { of: 'ratio', most: 1.1 } as const
  return {
    title: `people: ${size} in ${2 * FACULTIES} organizations, 1 function at a time`,
    floor: `${FEW} people in as many`,
    rows: [
      ...each('imported with their seats', imported),
      ...each('moved in bulk', moved),
      ...each(`reclaimed, of ${size} looked at over a week`, reclaimed),
      // Lambda gives the functions 1,024 MB (infra/contexts.ts); this is all the process has, Node itself included.
      { name: 'import and bulk: peak memory', ours: mb(peakOfPeople), unit: 'MB', budget: most(512) },
      { name: 'reclamation: peak memory', ours: mb(reclaimed.peak), unit: 'MB', budget: most(512) },
      ...[boards, after].map(
        ({ units }, index): Row => ({
          name: `dashboard ${index === 0 ? 'before' : 'after'} it: read units`,
          ours: units.many,
          floor: units.few,
          ratio: units.many / units.few,
          budget: same,
        }),
      ),
    ],
  }
}

const mb = (bytes: number) => bytes / 2 ** 20
const most = (most: number) => ({ of: 'ours', most }) as const

async function timed<T extends number | { result: number; peak: number }>(
  work: () => Promise<T>,
): Promise<{ seconds: number; result: number; peak: number }> {
  const start = performance.now()
  const done = await work()
  const seconds = (performance.now() - start) / 1000
  return typeof done === 'number' ? { seconds, result: done, peak: 0 } : { seconds, ...done }
}

const nameOf = (index: number) => `person-${index}`

async function importAll(
  arm: Arm,
  { departments, ask }: Tenancy,
  count: number,
  said: (done: number) => void,
): Promise<number> {
  let done = 0
  for (let start = 0; start < count; start += IMPORTED_AT_ONCE) {
    const rows = Array.from({ length: Math.min(IMPORTED_AT_ONCE, count - start) }, (_, index) => ({
      name: `Person ${start + index}`,
      externalId: nameOf(start + index),
      email: `${nameOf(start + index)}@example.edu`,
      organization: departments[(start + index) % departments.length],
      roles: ['author'],
    }))
    for (let remaining = rows.length; remaining > 0; ) {
      const { body } = await arm.invoke(ask('POST', '/users/import', { body: { rows } }))
      const answer = Imported.parse(body)
      remaining = answer.remaining
      done += answer.imported
      said(done)
    }
  }
  return done
}

/** Everybody of a part of the departments moves into the first, by filters. */
async function moveSome(
  arm: Arm,
  { departmentIds, ask }: Tenancy,
  said: (done: number, of: number) => void,
): Promise<number> {
  const [to, ...others] = departmentIds
  let [moved, runs] = [0, 0]
  const some = others.slice(0, Math.floor(departmentIds.length / MOVED))
  for (const organizationId of some) {
    const order = { action: { do: 'move', organizationId: to }, filter: { organizationId } }
    let bulk = Ordered.parse((await arm.invoke(ask('POST', '/bulk', { body: order }))).body)
    while (bulk.state !== 'finished') {
      runs += 1
      await arm.deliver(
        { job: 'runBulkChanges', scheduledAt: plusMilliseconds(readClock(), runs) },
        JOB_MILLISECONDS,
      )
      const page = await arm.invoke(ask('GET', '/bulk/{bulkId}', { params: { bulkId: bulk.id } }))
      bulk = Ordered.parse(page.body)
    }
    moved += bulk.done
    said(moved, (moved / (some.indexOf(organizationId) + 1)) * some.length)
  }
  return moved
}

/** All but a few are seen, 60 days on. */
async function reportSeen(arm: Arm, { ask }: Tenancy, count: number): Promise<void> {
  const seen = Array.from({ length: count }, (_, index) => index).filter((index) => index % IDLE !== 0)
  for (let start = 0; start < seen.length; start += SEEN_AT_ONCE) {
    const records = seen.slice(start, start + SEEN_AT_ONCE).map((index) => ({ externalId: nameOf(index) }))
    await arm.invoke(ask('POST', '/activity', { body: { records } }))
  }
}

/** The days on which something is due: the first notice, the last, and the end. */
async function reclaim(
  bench: Bench,
  { ask }: Tenancy,
  said: (done: number) => void,
): Promise<{ result: number; peak: number }> {
  let [peak, result] = [0, 0]
  const rules = { rules: [{ reportedDays: null }] }
  for (const days of [0, 84, 90, 91]) {
    bench.progress(`people: day ${days}`)
    const arm = await bench.start('seats', { flags: later(days * DAY) })
    if (days === 0) await arm.invoke(ask('PUT', '/reclamation/rules', { body: rules }))
    const scheduledAt: Instant = plusMilliseconds(readClock(), days * DAY + HOUR)
    for (let failure: string | undefined = 'not begun'; failure !== undefined; ) {
      failure = await arm.deliver({ job: 'reclaimSeats', scheduledAt }, JOB_MILLISECONDS)
      const savings = await arm.invoke(ask('GET', '/reclamation/savings'))
      result = Savings.parse(savings.body).items.reduce((sum, one) => sum + one.reclaimed, 0)
      if (failure !== undefined) bench.progress(`people: ${failure}`)
      said(result)
    }
    peak = Math.max(peak, await arm.peak())
    await arm.stop()
  }
  return { result, peak }
}

/** What a dashboard costs, of few people and of many. */
async function dashboards(bench: Bench, few: Tenancy, many: Tenancy) {
  const meter = await startMeter(bench.dynamoDb)
  const arm = await bench.start('seats', { dynamoDb: meter.endpoint, flags: later(61 * DAY) })
  const unitsOf = async ({ ask }: Tenancy) => {
    await arm.invoke(ask('GET', '/seats'))
    meter.take()
    const { body } = await arm.invoke(ask('GET', '/seats'))
    return { units: meter.take().readUnits, board: Board.parse(body) }
  }
  const [small, large] = [await unitsOf(few), await unitsOf(many)]
  await arm.stop()
  await meter.close()
  return { units: { few: small.units, many: large.units }, board: large.board }
}

/** A function whose clock is ahead. */
const later = (milliseconds: number) => [
  '--import',
  `data:text/javascript,const now=Date.now;Date.now=()=>now()+${milliseconds}`,
]
