import { type Holdings, type Standing, standings } from '../../shared/domain/holdings.ts'
import type { Found, IntegrityCheck, IntegrityEvent } from '../../shared/domain/integrity.ts'
import type { ValidationRun } from '../../shared/domain/validation-run.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { readLicenseRecords } from '../../shared/store/license-record.ts'
import { readReadableHoldings, type UnreadableRow } from '../../shared/store/license-rows.ts'
import {
  fileEarlier,
  nextTransition,
  TRANSITION_TIMER,
  transitionTimer,
} from '../../shared/store/license-timers.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { readTimer } from '../../shared/store/timer.ts'
import { MOST_FAILED } from '../../shared/store/validation.ts'
import { heldProducts } from '../held-products.ts'
import { observe } from '../observe.ts'
import type { CommitRequest } from '../services.ts'
import { tellCorrupt } from '../tell-corrupt.ts'
import type { VerifyingServices } from '../verified.ts'
import { compareLicenses } from './compare-license.ts'
import { noteFound } from './note-found.ts'
import { watchCapacity } from './watch-capacity.ts'

type Request = Pick<CommitRequest, 'caller' | 'now' | 'requestId'>
type Failure = ValidationRun['failed'][number]

/** The longest reason that is kept of a failure. */
const LONGEST_REASON = 300

/**
 * Validates all licenses of a tenant: tells what changed since they were looked at, what cannot be read or is not what
 * was signed, and which thresholds of capacity were crossed. What fails is named and keeps nothing else from being looked
 * at. It may come twice, or beside another: each change is told by one of them.
 *
 * @param isLate asked between products: what there is no time for is named, and left to the next run
 * @returns undefined where there is no such tenant, or it was archived
 */
export async function validateTenant(
  tenantId: TenantId,
  request: Request,
  services: Pick<VerifyingServices, 'table' | 'verifier' | 'log'>,
  isLate: () => boolean = () => false,
): Promise<ValidationRun | undefined> {
  const { table, verifier, log } = services
  const { now } = request
  const tenant = await readTenant(table, tenantId)
  if (tenant === undefined || tenant.archivedAt !== undefined) return undefined
  // In this order: what is recorded of a license lies there after the license does.
  const records = await readLicenseRecords(table, tenantId, tellCorrupt(log, request.requestId, tenantId))
  const held = await readReadableHoldings(table, tenantId)
  const failed: Failure[] = []
  let [checked, changed] = [0, 0]
  const found: Found[] = []
  let isComplete = true
  for (const { holdings, unreadable } of held) {
    checked += holdings.licenses.length + unreadable.filter(({ kind }) => kind === 'license').length
    failed.push(...unreadable.map(({ id, reason }) => failure(id, reason)))
    found.push(...unreadable.map(unreadableFound))
    if (isLate()) {
      isComplete = false
      failed.push(failure(holdings.productId, 'There was no time left for it; the next run looks at it.'))
      continue
    }
    await trying(holdings.productId, async () => {
      const all = [...standings(holdings, now, verifier.isGenuine).values()]
      found.push(...(await suspect(all, holdings)))
      changed += (await observe(all, request, services)).length
      await coverNextTransition(holdings)
    })
  }
  // What could not be looked at is not well because nothing was found of it.
  const isLookedAt = ({ check }: IntegrityEvent) => isComplete && LOOKED_AT.has(check)
  await trying('integrity', () => noteFound(tenantId, found, isLookedAt, request, services))
  await trying('capacity', async () => {
    const readable = held.filter(({ unreadable }) => unreadable.length === 0)
    const products = await heldProducts(
      readable.map(({ holdings }) => holdings),
      services,
      now,
    )
    await watchCapacity(tenant, products, request, table)
  })
  return { at: now, checked, changed, errors: failed.length, failed: failed.slice(0, MOST_FAILED) }

  async function trying(id: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      log('error', 'validation', { requestId: request.requestId, tenantId, subject: id }, error)
      isComplete = false
      failed.push(failure(id, error instanceof Error ? error.name : 'Error'))
    }
  }

  /** What is not as it was signed, or older than was recorded: looked at closely, so that it says what differs. */
  function suspect(all: readonly Standing[], { licenses }: Holdings): Promise<Found[]> {
    const tampered = new Set(all.filter(isTampered).map(({ license }) => license))
    const suspects = licenses.filter(
      (one) => tampered.has(one) || one.revision < (records.get(one.id)?.revision ?? 0),
    )
    return compareLicenses(suspects, records, services)
  }

  /** Whatever became of the timer of the product, it is there again. */
  async function coverNextTransition(holdings: Holdings): Promise<void> {
    const next = nextTransition(holdings, now)
    if (next === undefined) return
    const timer = transitionTimer(tenantId, holdings.productId, next)
    const filed = await readTimer(table, { kind: TRANSITION_TIMER, subject: timer.subject })
    if (filed === undefined || filed.dueAt > next || filed.failed?.isSetAside) await fileEarlier(table, timer)
  }
}

const failure = (id: string, reason: string): Failure => ({ id, reason: reason.slice(0, LONGEST_REASON) })

const isTampered = ({ because }: Standing) => because === 'TAMPERED'

export const unreadableFound = ({ kind, id, reason }: UnreadableRow): Found => ({
  check: 'license-unreadable',
  subject: { type: kind, id },
  differs: [{ field: 'row', stored: reason.slice(0, LONGEST_REASON) }],
})

/** A validation looks at no more than this: what was found of these and is no more, is mended. */
const LOOKED_AT: ReadonlySet<IntegrityCheck> = new Set([
  'license-unreadable',
  'license-tampered',
  'license-rolled-back',
])
