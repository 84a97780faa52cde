import { jtiOf } from '../../shared/domain/borrowing.ts'
import { explainLease } from '../../shared/domain/explain-lease.ts'
import type { PoolSituation } from '../../shared/domain/explain-pool.ts'
import { becameOf } from '../../shared/domain/explain-record.ts'
import { explainTicket } from '../../shared/domain/explain-ticket.ts'
import type { Explanation, Sight } from '../../shared/domain/explanation.ts'
import { type Standing, standings } from '../../shared/domain/holdings.ts'
import { refuseOwn } from '../../shared/domain/own-license.ts'
import { isLapsed } from '../../shared/domain/pool.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { readBorrowing } from '../../shared/store/borrowing.ts'
import { readLastEvents } from '../../shared/store/event.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { readHeldTicket, readTicket } from '../../shared/store/ticket.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { LeaseAddress, TicketAddress } from '../sealed-id.ts'
import { poolSituation } from './explain-pools.ts'
import { type AskedBy, type ExplainServices, licenseOf, sightOf } from './explain-sight.ts'

/** A lease by its id, as its heartbeat and its check-in would find it. */
export async function aboutLease(
  asked: AskedBy,
  address: LeaseAddress,
  services: ExplainServices,
): Promise<Explanation> {
  const { table, verifier } = services
  const { caller, now } = asked
  const sight = await sightOf(asked, address, table)
  const pools: PoolSituation[] = []
  const holdings = await readHoldings(table, address.tenantId, address.productId)
  const all = standings(holdings, now, verifier.isGenuine)
  for (const [metric] of address.entries)
    pools.push(await poolSituation(holdings, metric, now, sight, services))
  const [metric = '', lent] = address.entries.find(([, { kind }]) => kind === 'borrow') ?? []
  const borrowing = lent && (await readBorrowing(table, { ...address, metric }, jtiOf(address.ref, lent)))
  const isThere = pools.every(({ line }) => line?.pool.entries.has(address.ref))
  return explainLease(
    {
      lease: address,
      standings: listOf(all),
      pools,
      refused: refuseOwn(all, licenseOf(caller)),
      borrowing,
      became: isThere ? undefined : await record(table, address.tenantId, address.ref, sight),
    },
    sight,
    seconds(now),
  )
}

/** A ticket by its id, as its ping and its claim would find it. */
export async function aboutTicket(
  asked: AskedBy,
  address: TicketAddress,
  services: ExplainServices,
): Promise<Explanation> {
  const { table, verifier } = services
  const { caller, now } = asked
  const { tenantId, productId, metric, ref } = address
  const sight = await sightOf(asked, address, table)
  const holdings = await readHoldings(table, tenantId, productId)
  const all = standings(holdings, now, verifier.isGenuine)
  const situation = await poolSituation(holdings, metric, now, sight, services)
  const [ticket, kept] = await Promise.all([
    readTicket(table, address, address),
    readHeldTicket(table, address, ref),
  ])
  const held = situation.line?.pool.entries.get(ref)
  const isThere = ticket !== undefined || (held !== undefined && !isLapsed(held, seconds(now)))
  return explainTicket(
    {
      ref,
      standings: listOf(all),
      situation,
      ticket,
      kept,
      refused: refuseOwn(all, licenseOf(caller)),
      became: isThere ? undefined : await record(table, tenantId, ref, sight),
    },
    sight,
    seconds(now),
  )
}

/** Events that are looked through for what became of something. */
export const EVENTS = 500

async function record(
  table: Table,
  tenantId: TenantId,
  ref: string,
  sight: Sight,
): Promise<string | undefined> {
  return becameOf(await readLastEvents(table, tenantId, EVENTS), ref, sight.others)
}

const listOf = (all: ReadonlyMap<unknown, Standing>) => [...all.values()]
