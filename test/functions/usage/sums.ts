import {
  DAY,
  epochMilliseconds,
  fromEpochMilliseconds,
  HOUR,
  Instant,
} from '../../../shared/platform/time.ts'

/** Milliseconds since 1970. */
export const millis = (text: string) => epochMilliseconds(Instant.parse(text))
export const iso = fromEpochMilliseconds

// The clock of Berlin in the years of the walk, by hand.
const SUMMERS = [
  ['2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z'],
  ['2027-03-28T01:00:00Z', '2027-10-31T01:00:00Z'],
].map(([begin = '', end = '']) => [millis(begin), millis(end)] as const)
const offset = (at: number) => (SUMMERS.some(([begin, end]) => at >= begin && at < end) ? 2 : 1) * HOUR
const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const two = (number: number) => String(number).padStart(2, '0')

/** The first instant of a day in Berlin; months count on beyond the twelfth. */
function midnight(year: number, month: number, day: number): number {
  const [y, m] = [year + Math.floor((month - 1) / 12), ((month - 1) % 12) + 1]
  const utc = millis(`${y}-${two(m)}-${two(Math.min(day, LENGTHS[m - 1] ?? 0))}T00:00:00Z`)
  return utc - offset(utc - HOUR)
}

export type Period = { from: number; until: number }

/** The month that an instant lies in, counted from the day of an anchor. */
function monthOf(anchor: number, at: number): Period {
  const [y = 0, m = 0, d = 0] = iso(anchor + offset(anchor))
    .slice(0, 10)
    .split('-')
    .map(Number)
  for (let n = 0; ; n += 1) {
    const until = midnight(y, m + n + 1, d)
    if (until > at) return { from: midnight(y, m + n, d), until }
  }
}

export type Overage = 'refuse' | 'allow' | { absolute: number } | { percent: number }
export type Sold = {
  readonly id: string
  readonly key: string
  readonly from: number
  /** Of its grace. */
  readonly end: number
  readonly overage: Overage
  limit: number
  counts: boolean
}
/** A record of a batch; `back`: so many hours ago. */
export type Rec = { metric: string; amount: number; back: number; id?: string | undefined }
type Row = { value: number; late: number; corrected: number }
type Added = { metric: string; at: number; kind: 'added' | 'late' | 'corrected'; amount: number }
type Value = { at: number; value: number }

/** What an answer says, in short. */
export type Said = { outcome: string; records: readonly string[] }

const NOTHING: Row = { value: 0, late: 0, corrected: 0 }

/** What was used, as plain sums, told without any of the code under test. */
export class Sums {
  readonly sold: Sold[] = []
  rows = new Map<string, Row>()
  log: readonly Added[] = []
  /** The values of the gauge that were taken, in the order in which they came. */
  gauge: readonly Value[] = []
  /** What the ids said that were taken. */
  ids = new Map<string, string>()
  now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  meter(): { first: Sold | undefined; capacity: number; limit: number } {
    const now = this.now()
    const granting = this.sold.filter(({ counts, from, end }) => counts && from <= now && now < end)
    const byBegin = (a: Sold, b: Sold) => a.from - b.from || (a.id < b.id ? -1 : 1)
    const [first] = (granting.length > 0 ? granting : this.sold).toSorted(byBegin)
    const capacity = granting.reduce((sum, { limit }) => sum + limit, 0)
    return { first, capacity, limit: limitOf(capacity, first?.overage ?? 'allow', granting.length > 0) }
  }

  /** The period that use counts in: its own one until a week after its end, then the present one. */
  book(at: number): { period: Period; late: boolean } {
    const now = this.now()
    const anchor = this.meter().first?.from ?? now
    const own = monthOf(anchor, Math.min(at, now))
    const isOpen = now < own.until + 7 * DAY
    return { period: isOpen ? own : monthOf(anchor, now), late: !isOpen }
  }

  row(metric: string, { from }: Period): Row {
    return this.rows.get(`${metric} ${from}`) ?? NOTHING
  }

  private add(metric: string, period: Period, { value, late, corrected }: Row): void {
    const row = this.row(metric, period)
    this.rows.set(`${metric} ${period.from}`, {
      value: row.value + value,
      late: row.late + late,
      corrected: row.corrected + corrected,
    })
  }

  /** Takes a batch whole, or says why not and changes nothing. */
  report(records: readonly Rec[]): Said {
    const before = this.copy()
    const said = this.take(records)
    // What changes nothing is not remembered either.
    if (!said.records.some((one) => one === 'recorded' || one === 'booked-late')) this.restore(before)
    return said
  }

  private take(records: readonly Rec[]): Said {
    const now = this.now()
    const { limit } = this.meter()
    const outcomes: string[] = []
    const counted = new Set<string>()
    for (const { metric, amount, back, id } of records) {
      const says = `${metric} ${amount}`
      const earlier = id && this.ids.get(id)
      if (earlier && earlier !== says) return { outcome: '409 USAGE_CONFLICT', records: [] }
      if (earlier) {
        outcomes.push('already-recorded')
        continue
      }
      if (id) this.ids.set(id, says)
      const at = now - back * HOUR
      if (metric === 'users') {
        const isOlder = this.gauge.some((one) => one.at > at)
        if (!isOlder) this.gauge = [...this.gauge, { at, value: amount }]
        outcomes.push(isOlder ? 'older-than-known' : 'recorded')
        continue
      }
      const { period, late } = this.book(at)
      this.add(metric, period, { value: amount, late: late ? amount : 0, corrected: 0 })
      this.log = [...this.log, { metric, at: late ? now : at, kind: late ? 'late' : 'added', amount }]
      counted.add(`${metric} ${period.from}`)
      outcomes.push(late ? 'booked-late' : 'recorded')
    }
    const isTooMany = [...counted].some((name) => (this.rows.get(name)?.value ?? 0) > limit)
    if (isTooMany) return { outcome: '409 ALLOWANCE_EXHAUSTED', records: [] }
    return { outcome: '200', records: outcomes }
  }

  correct(metric: string, adjust: number, back: number): string {
    const at = this.now() - back * HOUR
    const { period, late } = this.book(at)
    if (this.row(metric, period).value + adjust < 0) return '409 USAGE_BELOW_ZERO'
    this.add(metric, period, { value: adjust, late: 0, corrected: adjust })
    this.log = [...this.log, { metric, at: late ? this.now() : at, kind: 'corrected', amount: adjust }]
    return '201'
  }

  copy() {
    const { rows, log, gauge, ids } = this
    return { rows: new Map(rows), log, gauge, ids: new Map(ids) }
  }

  restore({ rows, log, gauge, ids }: ReturnType<Sums['copy']>): void {
    Object.assign(this, { rows, log, gauge, ids })
  }

  /** Is there an order in which these would have been answered so? Leaves what was used as it is then. */
  explains(answers: readonly { said: string; ask: () => string }[]): boolean {
    if (answers.length === 0) return true
    return answers.some(({ said, ask }, index) => {
      const before = this.copy()
      if (ask() === said && this.explains(answers.toSpliced(index, 1))) return true
      this.restore(before)
      return false
    })
  }
}

function limitOf(capacity: number, overage: Overage, isGranted: boolean): number {
  if (overage === 'allow') return Number.POSITIVE_INFINITY
  if (!isGranted) return 0
  if (overage === 'refuse') return capacity
  return capacity + Math.floor('absolute' in overage ? overage.absolute : (capacity * overage.percent) / 100)
}
