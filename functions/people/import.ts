import { emailKey } from '../../shared/domain/email.ts'
import { isRefusal, notFound, type Refusal } from '../../shared/domain/refusal.ts'
import { afterMoves } from '../../shared/domain/seat-moves.ts'
import { datedStatus } from '../../shared/domain/user.ts'
import type { Call, Handler } from '../../shared/platform/http/contract.ts'
import type { TenantId, UserId } from '../../shared/platform/ids.ts'
import { externalIdKey, userEmailKey, userNameKey } from '../../shared/store/keys.ts'
import { readItems } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import { invalidLines, type LineError } from '../import-lines.ts'
import { decidePerson } from '../seating/change-person.ts'
import { decideCreation } from '../seating/create-person.ts'
import { readSeating, type TenantSeating } from '../seating/seating.ts'
import { outdated } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import type { csvRoutes } from './csv-routes.ts'
import { type NumberedPerson, readPeople } from './import-rows.ts'

type ImportRoute = (typeof csvRoutes)['importUsers']

/** Milliseconds to keep for answering. */
const RESERVE = 4_000
/** How often others may be quicker at one row. */
const ATTEMPTS = 8
/** People of whom a report says who they became: some 100 KB. */
const SHOWN = 1_000

type Imported = { line: number; userId: UserId; waits: number }

/**
 * Every row is read before the first is written. A row whose external id or e-mail address somebody has is not imported
 * again, so asking again, after a failure or at the same time, imports nobody twice.
 */
export const importUsers: Handler<ImportRoute, VerifyingServices> = async (call, services) => {
  const { table } = services
  const { tenantId } = call.params
  const seating = await readSeating(services, tenantId, call.now)
  if (seating === undefined) return notFound
  const people = readPeople(call.body, seating.organizations, call)
  if (isRefusal(people)) return people
  const fresh = await unknown(table, tenantId, people)
  const { dryRun } = call.query
  const alreadyHere = people.length - fresh.length
  const outcome = await importRows(fresh, seating, call, services)
  if (isRefusal(outcome)) return outcome
  const { imported, waiting, remaining } = outcome
  const report = {
    dryRun,
    rows: people.length,
    imported: imported.length,
    alreadyHere: alreadyHere + (fresh.length - imported.length - remaining),
    waiting,
    remaining,
    people: dryRun ? [] : imported.slice(0, SHOWN).map(({ line, userId }) => ({ line, userId })),
  }
  // An unfinished import is asked for again to go on, so its answer is not kept for a replay.
  if (dryRun || remaining > 0) return report
  return services.commit(call, { writes: {}, events: [], reply: report, refusals: {} })
}

async function importRows(
  rows: readonly NumberedPerson[],
  first: TenantSeating,
  call: Call<ImportRoute>,
  services: VerifyingServices,
): Promise<{ imported: Imported[]; waiting: number; remaining: number } | Refusal> {
  const imported: Imported[] = []
  const errors: LineError[] = []
  const request = { ...call, idempotencyKey: undefined }
  let seating = first
  for (const [done, row] of rows.entries()) {
    if (call.remaining() < RESERVE) return summary(rows.length - done)
    const refused = await importRow(row)
    if (refused === undefined) continue
    const { line } = row
    errors.push({ line, field: `line ${line}`, message: `${refused.refused}: ${refused.detail}` })
    // A dry run tells what is refused of all rows.
    if (!call.query.dryRun) return stopped()
  }
  return errors.length > 0 ? invalidLines(errors) : summary(0)

  /** @returns why it cannot be imported; nothing of a row that somebody else imports at the same time */
  async function importRow({ line, draft }: NumberedPerson): Promise<Refusal | undefined> {
    for (let tries = 1; ; tries += 1) {
      const decided = decideCreation(request, seating, {
        next: (blank) => datedStatus({ ...blank, ...draft }, undefined, call.now),
      })
      if (isRefusal(decided)) return decided
      const { adjustment, after, ...rest } = decided
      const decision = await decidePerson(request, services, seating, adjustment, {
        ...rest,
        reply: undefined,
      })
      const committed =
        isRefusal(decision) || call.query.dryRun ? decision : await services.commit(request, decision)
      if (!isRefusal(committed)) {
        seating = afterMoves(seating, adjustment.moves)
        imported.push({ line, userId: after.user.id, waits: after.user.pending.length })
        return undefined
      }
      if (committed.refused === 'PERSON_EXISTS') return undefined
      // What is refused is refused on what is there now, not on what it was when the import began.
      const isOld = committed === decision && tries === 1 && !call.query.dryRun
      if (!isOld && (committed.refused !== outdated.refused || tries === ATTEMPTS)) return committed
      seating = (await readSeating(services, call.params.tenantId, call.now)) ?? seating
    }
  }

  function summary(remaining: number) {
    return { imported, waiting: imported.filter(({ waits }) => waits > 0).length, remaining }
  }

  function stopped(): Refusal {
    const refused = invalidLines(errors)
    return { ...refused, detail: `${refused.detail} ${imported.length} before it were imported.` }
  }
}

/** Those whose external id and e-mail address nobody has; a directory may have the address for a user name. */
async function unknown(
  table: Table,
  tenantId: TenantId,
  people: readonly NumberedPerson[],
): Promise<NumberedPerson[]> {
  const keysOf = ({ draft: { email, externalId } }: NumberedPerson) => [
    ...(externalId === undefined ? [] : [externalIdKey(tenantId, externalId)]),
    ...(email === undefined
      ? []
      : [userEmailKey(tenantId, emailKey(email)), userNameKey(tenantId, emailKey(email))]),
  ]
  const items = await readItems(table, people.flatMap(keysOf))
  const taken = new Set(items.map(({ pk }) => pk))
  return people.filter((person) => !keysOf(person).some(({ pk }) => taken.has(pk)))
}
