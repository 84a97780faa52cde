import { DENIALS_KEPT, Denial, WINDOW } from '../domain/denial.ts'
import { DAY, EpochSeconds, epochSeconds, type Instant, MINUTE, plusMilliseconds } from '../platform/time.ts'
import { entity } from './codec.ts'
import { type Key, leaseDenialKey, leaseDenialsKey } from './keys.ts'
import type { PoolAddress } from './pool.ts'
import { readItems, readPages } from './read.ts'
import type { Table } from './transact.ts'
import { writeRow } from './write.ts'

/**
 * A row for each minute and holder: who asks again and again writes much, but leaves little. Of those who do not say who
 * they are, one for each reason and department: nobody could tell from one for all how many found the pool used up.
 */
export const leaseDenialEntity = entity('lease-denial', 1, Denial)

const minuteOf = (at: Instant) => at.slice(0, '2026-11-21T10:00'.length)
const keyOf = ({ tenantId, productId, metric }: PoolAddress, at: Instant, who = ''): Key =>
  leaseDenialKey(tenantId, productId, metric, minuteOf(at), who)

/** Writes down a request that found no place: one write. */
export async function recordDenial(
  table: Table,
  address: PoolAddress,
  denial: Pick<Denial, 'who' | 'units' | 'because' | 'status' | 'holder' | 'department'>,
  now: Instant,
): Promise<void> {
  const { who, units, ...kept } = denial
  const row = who ?? [kept.because, kept.department].filter(Boolean).join(' ')
  const sets = present({
    entity: leaseDenialEntity.name,
    schema: leaseDenialEntity.version,
    ttl: EpochSeconds.parse(epochSeconds(now) + (DENIALS_KEPT * DAY) / 1000),
    last: now,
    ...kept,
    ...(who !== undefined && { who, units }),
  })
  const adds = present({ requests: 1, ...(who === undefined && { units }) })
  const set = sets.map(([name]) => `#${name} = :${name}`)
  const add = adds.map(([name]) => `#${name} :${name}`)
  const names = { '#first': 'first', '#status': 'status', '#department': 'department' }
  // What an earlier request of the minute said, and this one does not.
  const unsaid = (['status', 'department'] as const).filter((name) => kept[name] === undefined)
  const remove = unsaid.length > 0 ? ` REMOVE ${unsaid.map((name) => `#${name}`).join(', ')}` : ''
  await writeRow(table, {
    kind: 'update',
    key: keyOf(address, now, row),
    update: `SET ${set.join(', ')}, #first = if_not_exists(#first, :last) ADD ${add.join(', ')}${remove}`,
    names: { ...names, ...namesOf([...sets, ...adds]) },
    values: valuesOf([...sets, ...adds]),
  })
}

type Field = readonly [name: string, value: unknown]
const present = (fields: object): Field[] => Object.entries(fields).filter(([, value]) => value !== undefined)
const namesOf = (fields: readonly Field[]) => Object.fromEntries(fields.map(([name]) => [`#${name}`, name]))
const valuesOf = (fields: readonly Field[]) =>
  Object.fromEntries(fields.map(([name, value]) => [`:${name}`, value]))

/** The denials of a holder that an event at this instant may explain: those of the window before it. */
export async function readDenialsBefore(
  table: Table,
  address: PoolAddress,
  who: string,
  at: Instant,
): Promise<Denial[]> {
  const earliest = plusMilliseconds(at, -WINDOW)
  const minutes = new Set<string>()
  const keys: Key[] = []
  for (let minute = earliest; ; minute = plusMilliseconds(minute, MINUTE)) {
    const last = minute > at ? at : minute
    if (!minutes.has(minuteOf(last))) keys.push(keyOf(address, last, who))
    minutes.add(minuteOf(last))
    if (minute >= at) break
  }
  const rows = (await readItems(table, keys)).map((item) => leaseDenialEntity.decode(item))
  return rows.filter(({ last }) => last >= earliest && last <= at)
}

/** What is written down of a denial later: that its holder got a place after all, or a ticket. Not if it was denied again since. */
export function explainDenial(
  address: PoolAddress,
  { who, last }: Denial,
  found: Pick<Denial, 'granted' | 'grantedBy'> | Pick<Denial, 'ticket' | 'queued'>,
) {
  const fields = present(found)
  return {
    kind: 'update',
    key: keyOf(address, last, who),
    update: `SET ${fields.map(([name]) => `#${name} = :${name}`).join(', ')}`,
    condition: '#last = :last',
    names: namesOf([['last', last], ...fields]),
    values: valuesOf([['last', last], ...fields]),
  } as const
}

/**
 * The denials of a pool from an instant up to, not including, another; undefined if there are more than `most` rows,
 * of which no more are read.
 */
export async function readDenials(
  table: Table,
  { tenantId, productId, metric }: PoolAddress,
  from: Instant,
  until: Instant,
  most: number,
): Promise<Denial[] | undefined> {
  const pk = leaseDenialsKey(tenantId, productId, metric)
  const found: Denial[] = []
  for await (const { items } of readPages(table, { pk, below: until, newestFirst: true })) {
    const wanted = items.filter(({ sk }) => String(sk) >= minuteOf(from))
    found.push(...wanted.map((item) => leaseDenialEntity.decode(item)))
    if (found.length > most) return undefined
    if (wanted.length < items.length) break
  }
  return found.filter(({ last }) => last >= from && last < until)
}
