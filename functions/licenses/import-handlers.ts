import { chunks } from '../../shared/domain/chunks.ts'
import type { License } from '../../shared/domain/license.ts'
import { licenseView } from '../../shared/domain/license-view.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { statusAt } from '../../shared/domain/status.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { record } from '../../shared/store/commit.ts'
import { eventItem } from '../../shared/store/event.ts'
import { type Fences, fencesOf, raiseTenantFence } from '../../shared/store/fence.ts'
import { readLicense } from '../../shared/store/holdings.ts'
import { planKey, productKey, tenantKey } from '../../shared/store/keys.ts'
import { type Action, checkLive, putOnce, TRANSACTION_LIMIT, transact } from '../../shared/store/transact.ts'
import { serveWaiting } from '../seating/serve-seats.ts'
import type { CommitRequest } from '../services.ts'
import { type PlannedRow, planImport } from './import-plan.ts'
import { readRows } from './import-rows.ts'
import { baseOf, newLicense } from './issue-handlers.ts'
import type { licensesRoutes } from './routes.ts'
import { type LicenseServices, sealed } from './services.ts'

// A license is five items beside its checks and fences: ten mostly fit into a transaction of 100.
const PER_TRANSACTION = 10
const TRANSACTIONS_AT_ONCE = 4
/** Milliseconds to keep for answering. */
const RESERVE = 4_000
/** Rows whose answer is kept for a replay: about 300 KB sealed, of an item's 400 KB. */
const REPLAYED = 1_500

/** The request, and of each tenant the pools in which somebody waits for what is imported. */
type Import = CommitRequest & {
  readonly remaining: () => number
  readonly waiting: Map<TenantId, Fences['waiting']>
}

type Imported = { line: number; reference: string; licenseId: License['id']; key: string }

export const importHandlers: Pick<Handlers<typeof licensesRoutes, LicenseServices>, 'importLicenses'> = {
  /**
   * Every row is decided before the first is written. The rows are then written in transactions of ten, each row under
   * its reference, so that asking again, after a failure or at the same time, imports none twice.
   */
  async importLicenses(call, services) {
    const read = readRows(call.body)
    if (isRefusal(read)) return read
    const { rows } = read
    const plan = await planImport(read, services.table, call.now)
    if (isRefusal(plan)) return plan
    const { planned, alreadyHere } = plan
    const report = {
      dryRun: call.query.dryRun,
      rows: rows.length,
      imported: 0,
      alreadyHere,
      remaining: planned.length,
      licenses: [],
    }
    if (call.query.dryRun) return report

    const request: Import = { ...call, waiting: new Map() }
    const bases = await importRounds(basesOf(planned), request, services)
    if (isRefusal(bases)) return bases
    // Where somebody else imports the same at the same time, what extends a license of theirs has to name theirs.
    const current = bases.alreadyHere > 0 ? await planImport(read, services.table, call.now) : plan
    if (isRefusal(current)) return current
    const extensions = extensionsOf(current.planned)
    const rest =
      bases.remaining > 0
        ? { imported: [], alreadyHere: 0, remaining: extensions.length }
        : await importRounds(extensions, request, services)
    if (isRefusal(rest)) return rest
    for (const [tenantId, waiting] of request.waiting)
      if (call.remaining() > RESERVE) await serveWaiting(call, services, tenantId, waiting)
    const imported = [...bases.imported, ...rest.imported]
    const remaining = bases.remaining + rest.remaining
    const result = {
      ...report,
      imported: imported.length,
      alreadyHere: rows.length - imported.length - remaining,
      remaining,
      licenses: imported.toSorted((a, b) => a.line - b.line),
    }
    // An unfinished import is asked for again to go on, so its answer is not kept for a replay.
    if (remaining > 0 || imported.length > REPLAYED) return result
    return services.commit(call, { writes: {}, events: [], reply: result, refusals: {} })
  },
}

type Round = readonly (readonly PlannedRow[])[]

/** Batches to be written at the same time, of licenses that extend none. */
function basesOf(planned: readonly PlannedRow[]): Round[] {
  const bases = planned.filter(({ license }) => license.extends === undefined)
  return chunks(chunks(bases, PER_TRANSACTION), TRANSACTIONS_AT_ONCE)
}

/** What extends another license, one by one. */
function extensionsOf(planned: readonly PlannedRow[]): Round[] {
  return planned.filter(({ license }) => license.extends !== undefined).map((row) => [[row]])
}

/** Writes round after round while there is time. */
async function importRounds(
  rounds: readonly Round[],
  call: Import,
  services: LicenseServices,
): Promise<{ imported: Imported[]; alreadyHere: number; remaining: number } | Refusal> {
  const imported: Imported[] = []
  let alreadyHere = 0
  for (const [done, round] of rounds.entries()) {
    if (call.remaining() < RESERVE)
      return { imported, alreadyHere, remaining: rounds.slice(done).flat(2).length }
    const outcomes = await Promise.all(round.map((batch) => importBatch(batch, call, services)))
    for (const outcome of outcomes) {
      if (isRefusal(outcome)) return outcome
      imported.push(...outcome.imported)
      alreadyHere += outcome.alreadyHere
    }
  }
  return { imported, alreadyHere, remaining: 0 }
}

type SealedRow = PlannedRow & { readonly license: License; readonly key: string }

/** Signs a batch and writes it. */
async function importBatch(
  batch: readonly PlannedRow[],
  request: Import,
  services: LicenseServices,
): Promise<{ imported: Imported[]; alreadyHere: number } | Refusal> {
  const rows = await Promise.all(
    batch.map(async (row) => ({ ...row, ...(await sealed(row.license, services)) })),
  )
  const written = await writeRows(rows, request, services)
  if (isRefusal(written)) return written
  return {
    imported: written.map(({ line, reference, license, key }) => ({
      line,
      reference,
      licenseId: license.id,
      key,
    })),
    alreadyHere: rows.length - written.length,
  }
}

const ATTEMPTS = 8

/** Writes rows in one transaction, or in two where they need too many items; returns those that were written. */
async function writeRows(
  rows: readonly SealedRow[],
  request: Import,
  services: LicenseServices,
): Promise<readonly SealedRow[] | Refusal> {
  let left = rows
  for (let attempt = 1; left.length > 0; attempt += 1) {
    const actions = await actionsOf(left, request, services)
    if (Object.keys(actions).length > TRANSACTION_LIMIT) {
      const middle = Math.ceil(left.length / 2)
      const first = await writeRows(left.slice(0, middle), request, services)
      const second = isRefusal(first) ? first : await writeRows(left.slice(middle), request, services)
      return isRefusal(first) || isRefusal(second) ? second : [...first, ...second]
    }
    const outcome = await transact(services.table, actions)
    if (outcome.ok) break
    if (outcome.failed.some((label) => label.startsWith('live '))) {
      return refuse(
        'ARCHIVED',
        'A tenant, plan or product was archived meanwhile; send the import again to see which.',
      )
    }
    if (attempt === ATTEMPTS) throw new Error(`An import could not be written: ${outcome.failed.join(', ')}`)
    // Somebody imports the same at the same time: those rows are theirs.
    const taken = new Set(outcome.failed)
    left = left.filter(({ reference }) => !taken.has(`reference ${reference}`))
  }
  return left
}

/** One transaction's worth: each license with its event, and once each what they all rely on. */
async function actionsOf(
  rows: readonly { reference: string; license: License }[],
  request: Import,
  { table }: LicenseServices,
): Promise<Record<string, Action>> {
  const actions: Record<string, Action> = {}
  for (const { license, reference } of rows) {
    const { tenantId, productId, planId } = license
    for (const [label, action] of Object.entries(newLicense(license)))
      actions[`${label} ${reference}`] = action
    actions[`event ${reference}`] = putOnce(eventItem(importEvent(license, request)))
    actions[`live tenant ${tenantId}`] = checkLive(tenantKey(tenantId))
    actions[`fence ${tenantId}`] = raiseTenantFence(tenantId)
    actions[`live plan ${planId}`] = checkLive(planKey(planId))
    actions[`live product ${productId}`] = checkLive(productKey(productId))
    const base =
      license.extends && (await readLicense(table, { tenantId, productId, licenseId: license.extends }))
    if (license.extends && base === undefined) throw new Error(`${license.id} would extend nothing`)
    if (base) actions[`base ${license.extends}`] = baseOf(license, base)
    const { writes, waiting } = await fencesOf(table, license)
    Object.assign(actions, writes)
    if (waiting.length > 0)
      request.waiting.set(tenantId, [...(request.waiting.get(tenantId) ?? []), ...waiting])
  }
  return actions
}

function importEvent(license: License, request: CommitRequest) {
  const after = licenseView(license, statusAt(license, request.now), [], false)
  const { tenantId, id } = license
  return record({ type: 'license.imported', tenantId, subject: { type: 'license', id }, after }, request)
}
