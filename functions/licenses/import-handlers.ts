import { chunks } from '../../shared/domain/chunks.ts'
import type { License } from '../../shared/domain/license.ts'
import { licenseView } from '../../shared/domain/license-view.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
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
import { contended } from '../until-fresh.ts'
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
    /** What was changed meanwhile is in the way of a line, which is then named. */
    const whyNot = async (refused: Refusal) => {
      const now = await planImport(read, services.table, call.now)
      return isRefusal(now) ? now : refused
    }
    const bases = await importRounds(basesOf(planned), request, services)
    if (bases.refused && bases.imported.length === 0) return whyNot(bases.refused)
    // Where somebody else imports the same at the same time, what extends a license of theirs has to name theirs.
    const replanned = bases.alreadyHere > 0 ? await planImport(read, services.table, call.now) : plan
    if (isRefusal(replanned) && bases.imported.length === 0) return replanned
    const isToGoOn = bases.remaining === 0 && !isRefusal(replanned)
    const extensions = extensionsOf((isRefusal(replanned) ? plan : replanned).planned)
    const rest = isToGoOn
      ? await importRounds(extensions, request, services)
      : { ...NOTHING, remaining: extensions.length }
    if (rest.refused && bases.imported.length + rest.imported.length === 0) return whyNot(rest.refused)
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
    // An unfinished import is asked for again to go on, so its answer is not kept for a replay. Nor is that of one that found
    // all rows here: its twin may have just written them, and is yet to say so, with their keys.
    if (remaining > 0 || imported.length === 0 || imported.length > REPLAYED) return result
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

/** What came of rows: a row that somebody else imported meanwhile is here already. */
type Outcome = {
  readonly imported: readonly Imported[]
  readonly alreadyHere: number
  readonly remaining: number
  /** Why no more could be written. What is written stays, and its keys are shown once: so it is answered. */
  readonly refused?: Refusal | undefined
}

const NOTHING: Outcome = { imported: [], alreadyHere: 0, remaining: 0 }

/** Writes round after round while there is time, and nothing in the way. */
async function importRounds(
  rounds: readonly Round[],
  call: Import,
  services: LicenseServices,
): Promise<Outcome> {
  let sum = NOTHING
  for (const [done, round] of rounds.entries()) {
    if (sum.refused || call.remaining() < RESERVE)
      return { ...sum, remaining: sum.remaining + rounds.slice(done).flat(2).length }
    const outcomes = await Promise.all(round.map((batch) => importBatch(batch, call, services)))
    for (const one of outcomes)
      sum = {
        imported: [...sum.imported, ...one.imported],
        alreadyHere: sum.alreadyHere + one.alreadyHere,
        remaining: sum.remaining + one.remaining,
        refused: sum.refused ?? one.refused,
      }
  }
  return sum
}

type SealedRow = PlannedRow & { readonly license: License; readonly key: string }

/** Signs a batch and writes it. */
async function importBatch(
  batch: readonly PlannedRow[],
  request: Import,
  services: LicenseServices,
): Promise<Outcome> {
  const rows = await Promise.all(
    batch.map(async (row) => ({ ...row, ...(await sealed(row.license, services)) })),
  )
  const { written, refused } = await writeRows(rows, request, services)
  const others = rows.length - written.length
  return {
    imported: written.map(({ line, reference, license, key }) => ({
      line,
      reference,
      licenseId: license.id,
      key,
    })),
    ...(refused ? { alreadyHere: 0, remaining: others, refused } : { alreadyHere: others, remaining: 0 }),
  }
}

const ATTEMPTS = 8

type Written = { readonly written: readonly SealedRow[]; readonly refused?: Refusal | undefined }

/** Writes rows in one transaction, or in two where they need too many items. */
async function writeRows(
  rows: readonly SealedRow[],
  request: Import,
  services: LicenseServices,
): Promise<Written> {
  let left = rows
  for (let attempt = 1; left.length > 0; attempt += 1) {
    const actions = await actionsOf(left, request, services)
    if (Object.keys(actions).length > TRANSACTION_LIMIT) {
      const middle = Math.ceil(left.length / 2)
      const first = await writeRows(left.slice(0, middle), request, services)
      if (first.refused) return first
      const second = await writeRows(left.slice(middle), request, services)
      return { ...second, written: [...first.written, ...second.written] }
    }
    const outcome = await transact(services.table, actions)
    if (outcome.ok) break
    // What was archived stays so: the next plan tells.
    if (outcome.failed.some((label) => label.startsWith('live '))) return { written: [], refused: contended }
    // Others are quicker each time, or what is to be extended was revoked: the next plan tells.
    if (attempt === ATTEMPTS) return { written: [], refused: contended }
    // Somebody imports the same at the same time: those rows are theirs.
    const taken = new Set(outcome.failed)
    left = left.filter(({ reference }) => !taken.has(`reference ${reference}`))
  }
  return { written: left }
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
  }
  // Once for each product: rows of one share its pools.
  for (const own of Map.groupBy(
    rows,
    ({ license: { tenantId, productId } }) => `${tenantId} ${productId}`,
  ).values()) {
    const [first] = own
    if (first === undefined) continue
    const limits: License['limits'] = Object.assign({}, ...own.map(({ license }) => license.limits))
    const { tenantId } = first.license
    const { writes, waiting } = await fencesOf(table, { ...first.license, limits })
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
